"""A real Chromium that asks nobody but the page for anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright

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
    "--process-per-site",
    # A page lives for seconds: optimized code is thrown away before it pays.
    "--js-flags=--no-opt --no-maglev",
]
_options: dict[BrowserContext, str] = {}
_at_rest: dict[str, list[BrowserContext]] = {}
"""Contexts whose tab was closed, by their options: a tab in one of them costs half of one in a new one."""


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """Run a browser until the block ends, with more arguments where a test wants them."""
    require("chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=PROGRAM, args=[*QUIET, *more])
        expect.set_options(timeout=DEADLINE)
        yield running
        running.close()
        for kept in (_options, _at_rest):
            kept.clear()


def new_tab(browser: Browser, *, storage_state: StorageState | None = None, **options: Any) -> Page:
    """Open a tab in a context of its own, with our deadline for all that is done in it."""
    kind = repr(sorted(options.items()))
    if resting := _at_rest.get(kind):
        context = resting.pop()
    else:
        context = browser.new_context(**options)
        context.set_default_timeout(DEADLINE)
        _options[context] = kind
    signed_in: Any = (storage_state or {}).get("cookies", [])
    context.add_cookies(signed_in)
    return context.new_page()


def close_tab(page: Page) -> None:
    """Close a tab and forget all that was stored; an empty one keeps the context's process alive."""
    context = page.context
    first, *others = context.pages
    for other in others:
        other.close()
    first.goto("about:blank")
    devtools = context.new_cdp_session(first)
    devtools.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
    devtools.detach()
    context.clear_cookies()
    _at_rest.setdefault(_options[context], []).append(context)
