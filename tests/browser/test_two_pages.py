"""Two pages on one database: signed in at one is signed in at the other, and both show the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser

from core.store import open_store
from dashboard.auth.users import open_users
from simulator import Simulator
from tests.support import quick_page
from tests.support.postgresql import running_server
from tests.support.stack import PASSWORD, SECRET, SESSION, Stack, stack
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[list[Stack]]:
    with ExitStack() as ends:
        url = ends.enter_context(running_server()).new_url()
        gateway = ends.enter_context(Simulator(secret_key=SECRET, times=quick_page.TIMES, sessions=[SESSION]))
        settings = {
            "WPPCONNECT_INTERVAL_SECONDS": "1",
            "WPPCONNECT_WEBHOOK": "none",
            "WPPCONNECT_STORE_URL": url,
        }
        made = []
        for name in ("one", "two"):
            directory = tmp_path / name
            directory.mkdir()
            made.append(ends.enter_context(stack(gateway, directory, **settings)))
        store, _ = open_store(made[0].data, url)
        with closing(store):
            open_users(store, made[0].data).create_first("admin", PasswordHasher().hash(PASSWORD))
        for page in made:
            page.start_page("tests.support.quick_page")
        yield made


def test_a_code_asked_for_on_one_page_is_shown_by_both_and_so_is_its_scan(
    browser: Browser, pages: list[Stack]
) -> None:
    one, two = pages
    with closing(Visitor(browser, one, "desktop")) as here:
        here.open("/sign-in")
        here.sign_in()
        # Cookies do not tell ports apart: as behind one address, the other page gets the sign-in, too.
        signed_in = here.context.storage_state()
        with closing(Visitor(browser, two, "desktop", signed_in=signed_in)) as there:
            for tab in (here, there):
                tab.open_session()
                tab.reads("Disconnected")

            here.page.get_by_role("button", name=f"Pair {SESSION}").click()
            for tab in (there, here):
                tab.await_live_qr()
            one.simulator.scan(SESSION)

            for tab in (here, there):
                tab.reads("Connected")
                assert tab.troubles == []
