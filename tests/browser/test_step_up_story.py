"""Who signed in a while ago proves it once more, before keys, addresses, users and files are changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from playwright.sync_api import Browser, expect

from core.store import FileStore, modify
from core.sync.change_requests import AgentStatus, ChangeRequests, Heartbeat, SyncStatus
from dashboard.auth.sign_ins import SUBJECT
from dashboard.auth.users import open_users
from tests.support.stack import PASSWORD, Stack
from tests.support.sync import API_KEY
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

KEY = "server-main-secret_key"
ASKED = "You signed in a while ago."
REFUSED = "Nothing was changed. Confirm your identity"


@pytest.fixture
def visitor(browser: Browser, product: Stack) -> Iterator[Visitor]:
    """An administrator who signed in 16 minutes ago."""
    page = product.start_page()
    opened = Visitor(browser, product, "desktop")
    opened.sign_in_first(product.first_link(page))
    opened.leave()
    page.stop()
    store, ago = FileStore(product.data / "store"), datetime.now(UTC) - timedelta(minutes=16)
    for key in store.read_all(SUBJECT):
        modify(store, SUBJECT, key, lambda sign_in: dict(sign_in or {}) | {"confirmed_at": ago.isoformat()})
    product.start_page()
    yield opened
    opened.close()


@pytest.fixture
def agent(product: Stack) -> Iterator[None]:
    """A sync agent that can make keys."""
    status, ended = AgentStatus(FileStore(product.data / "store"), product.data), Event()
    status.publish(SyncStatus(kinds=(API_KEY,)))

    def live() -> None:
        while not ended.wait(0.2):
            now = datetime.now(UTC)
            status.beat(Heartbeat(at=now, program="wppconnect-ops sync agent[1]", checked_at=now))

    living = Thread(target=live)
    living.start()
    yield
    ended.set()
    living.join(60)


def confirm(visitor: Visitor, *passwords: str) -> None:
    """Follow the link, which opens a tab of its own, and try these passwords."""
    with visitor.context.expect_page() as opening:
        visitor.page.get_by_role("link", name="Confirm your identity").first.click()
    with opening.value as tab:
        for password in passwords:
            tab.fill("input[name=password]", password)
            tab.get_by_role("button", name="Confirm").click()
            tab.wait_for_load_state()
        expect(tab.locator("body")).to_contain_text("Confirmed for 15 minutes.")


def test_key_is_changed_after_confirming_and_what_was_typed_is_still_there(
    visitor: Visitor, product: Stack
) -> None:
    visitor.open("/settings")
    visitor.reads(ASKED)
    field = visitor.page.locator(f".st-key-{KEY} input")
    field.fill("another-secret-key-of-the-gateway")
    visitor.press("save-main")
    visitor.reads(REFUSED)
    visitor.look("step-up/refused", whole=True)

    confirm(visitor, "not the password", PASSWORD)

    expect(visitor.page.locator("body")).not_to_contain_text(ASKED)
    expect(field).to_have_value("another-secret-key-of-the-gateway")
    assert FileStore(product.data / "store").read_all("settings") == {}
    visitor.press("save-main")
    visitor.reads("Saved.")


@pytest.mark.usefixtures("agent")
def test_users_and_files_wait_for_the_confirming_too(visitor: Visitor, product: Stack) -> None:
    store = FileStore(product.data / "store")
    visitor.open("/users")
    visitor.reads(ASKED)
    visitor.page.get_by_role("textbox", name="Name").fill("eva")
    visitor.press("save-add-user")
    visitor.reads(REFUSED)
    assert open_users(store, product.data).find("eva") is None

    visitor.open("/sync")
    visitor.press("sync-generate-api_key")
    visitor.reads(REFUSED)
    assert ChangeRequests(store).current() is None

    confirm(visitor, PASSWORD)

    visitor.press("sync-generate-api_key")
    visitor.reads("The sync agent is making the plan")
    visitor.open("/users")
    visitor.page.get_by_role("textbox", name="Name").fill("eva")
    visitor.press("save-add-user")
    visitor.page.locator(".st-key-one-time-link code").wait_for()
