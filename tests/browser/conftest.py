"""A real Chromium, signed in to the real page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from simulator import Simulator, Times
from tests.plugins.system_tools import require
from tests.support.stack import SECRET, SESSION, Stack, stack

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TIMES = Times(scale=0.3, qr_first=6, qr_next=6, auto_close=60, sync=0.5, unlink=1.5)
"""A gateway whose codes change often enough to see a rotation, with the real auto-close."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # No longer than a module: Playwright keeps an event loop running in the thread meanwhile.
    require("chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield running
        running.close()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET, times=TIMES, sessions=[SESSION]) as running:
        yield running


@pytest.fixture
def product(simulator: Simulator, tmp_path: Path) -> Iterator[Stack]:
    with stack(simulator, tmp_path) as running:
        yield running
