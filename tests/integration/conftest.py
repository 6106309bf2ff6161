"""A whole core against a simulator that runs fast, and a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from simulator import Simulator
from tests.support.chromium import chromium
from tests.support.live_core import FAST, SECRET, SESSION, LiveCore, live_core


@pytest.fixture
def gateway() -> Iterator[Simulator]:
    """A gateway with one session that has never been paired."""
    with Simulator(secret_key=SECRET, times=FAST, sessions=[SESSION]) as running:
        yield running


@pytest.fixture
def live(gateway: Simulator, tmp_path: Path) -> Iterator[LiveCore]:
    """A process's core that watches it."""
    with live_core(gateway, tmp_path) as running:
        yield running


@pytest.fixture(scope="module", name="chromium")
def one_chromium() -> Iterator[Browser]:
    """A real browser."""
    with chromium() as browser:
        yield browser
