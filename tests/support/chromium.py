"""A real Chromium that asks nobody but the page for anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.plugins.system_tools import require

PROGRAM = Path(__file__).with_name("steady_chromium.py")
DEADLINE = 60_000
"""Milliseconds after which whatever is waited for is given up: they cost nothing when all is well."""
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """Run a browser until the block ends, with more arguments where a test wants them."""
    require("chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=PROGRAM, args=[*QUIET, *more])
        expect.set_options(timeout=DEADLINE)
        yield running
        running.close()


def new_tab(browser: Browser, **options: Any) -> Page:
    """Open a tab in a context of its own, with our deadline for all that is done in it."""
    context = browser.new_context(**options)
    context.set_default_timeout(DEADLINE)
    return context.new_page()
