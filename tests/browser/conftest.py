"""A real Chromium, signed in to the real page; what starts slowly is started once for all stories."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, StorageState

from simulator import Simulator
from tests.support import quick_page
from tests.support.certificates import Pair, make_pair
from tests.support.chromium import chromium
from tests.support.looks import Tabs, open_tabs
from tests.support.stack import SECRET, SESSION, Stack, stack
from tests.support.visitor import Visitor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a story take as long as several waits that each have 60 s."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # No longer than these stories: Playwright keeps an event loop running in the thread meanwhile.
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A certificate for localhost, which nobody knows."""
    return make_pair(tmp_path_factory.mktemp("tls"), "proxy")


@pytest.fixture(scope="package")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The page alone, beside a quick gateway; stories begin with `lose_the_phone`.

    The gateway speaks the manager protocol, unless SIMULATOR_GATEWAY_VERSION names another release; those of
    the other stories do not.
    """
    release = os.environ.get("SIMULATOR_GATEWAY_VERSION", "2.11.0")
    with (
        Simulator(secret_key=SECRET, times=quick_page.TIMES, sessions=[SESSION], version=release) as gateway,
        stack(
            gateway,
            tmp_path_factory.mktemp("quick"),
            WPPCONNECT_INTERVAL_SECONDS="1",
            WPPCONNECT_WEBHOOK="none",
        ) as running,
    ):
        running.start_page("tests.support.quick_page")
        yield running


@pytest.fixture(scope="package")
def tabs(browser: Browser, quick: Stack) -> Iterator[Tabs]:
    """The administrator's tabs: a new one costs a browser as much as ten pages in one that is open."""
    with open_tabs(browser, quick) as opened:
        yield opened


@pytest.fixture
def desk(tabs: Tabs) -> Iterator[Visitor]:
    """The administrator's tab at a desk."""
    yield tabs.desk
    tabs.desk.leave()


@pytest.fixture
def phone(tabs: Tabs) -> Iterator[Visitor]:
    """The administrator's tab on a phone."""
    yield tabs.phone
    tabs.phone.leave()


@pytest.fixture(scope="package")
def administrator(tabs: Tabs) -> StorageState:
    """The administrator's cookies."""
    return tabs.desk.context.storage_state()


@pytest.fixture
def paged(phone: Visitor, quick: Stack) -> Visitor:
    """Somebody with a phone, before whom a session was just lost."""
    quick.lose_the_phone()
    phone.open_session()
    return phone


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET, times=quick_page.TIMES, sessions=[SESSION]) as running:
        yield running


@pytest.fixture
def product(simulator: Simulator, tmp_path: Path) -> Iterator[Stack]:
    with stack(simulator, tmp_path) as running:
        yield running
