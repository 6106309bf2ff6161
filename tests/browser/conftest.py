"""A real Chromium, signed in to the real page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, StorageState

from simulator import Simulator
from tests.support import quick_page
from tests.support.certificates import Pair, make_pair
from tests.support.chromium import chromium
from tests.support.stack import SECRET, SESSION, Stack, stack
from tests.support.visitor import Visitor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a story take as long as several waits that each have 60 s."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # No longer than a module: Playwright keeps an event loop running in the thread meanwhile.
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A certificate for localhost, which nobody knows."""
    return make_pair(tmp_path_factory.mktemp("tls"), "proxy")


@pytest.fixture(scope="module")
def trusting_browser() -> Iterator[Browser]:
    """A browser that takes any certificate."""
    with chromium("--ignore-certificate-errors") as running:
        yield running


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The page alone, beside a quick gateway; one for a file, whose tests begin with `lose_the_phone`."""
    with (
        Simulator(secret_key=SECRET, times=quick_page.TIMES, sessions=[SESSION]) as gateway,
        stack(
            gateway,
            tmp_path_factory.mktemp("quick"),
            WPPCONNECT_INTERVAL_SECONDS="1",
            WPPCONNECT_WEBHOOK="none",
        ) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def administrator(browser: Browser, quick: Stack) -> StorageState:
    """The cookies of somebody who is signed in."""
    visitor = Visitor(browser, quick, "desktop")
    visitor.sign_in_first(quick.first_link(quick.start_page("tests.support.quick_page")))
    cookies = visitor.context.storage_state()
    visitor.close()
    return cookies


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET, times=quick_page.TIMES, sessions=[SESSION]) as running:
        yield running


@pytest.fixture
def product(simulator: Simulator, tmp_path: Path) -> Iterator[Stack]:
    with stack(simulator, tmp_path) as running:
        yield running
