"""Acknowledging a session and testing the pager, with a real Alertmanager, at a desk and on a phone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from pydantic import SecretStr

from core.alertmanager.api import Alertmanager, Silence
from core.settings import maintaining
from core.settings.maintenance import Once, Target, Window
from core.settings.values import AlertmanagerSettings
from core.store import FileStore
from simulator import Simulator
from tests.plugins.system_tools import require
from tests.support import quick_page
from tests.support.alertmanager import Inbox, alertmanager, web_receiver
from tests.support.looks import Tabs, open_tabs
from tests.support.settings_world import make_source
from tests.support.stack import SECRET, SESSION, Stack, free_port, stack
from tests.support.visitor import Visitor

require("prometheus-alertmanager")

pytestmark = pytest.mark.browser

ACKNOWLEDGE = f"acknowledge-main-{SESSION}"
CONFIRM = f"acknowledge-yes-main-{SESSION}"
NOTIFY_AGAIN = f"notify-main-{SESSION}"
SOFT_IN_DIALOG = "[role=dialog] .ops-soft"
GRACE_SECONDS = 9.0
"""Alertmanager gives a notice up after ten."""


class Slack(Inbox):
    """Takes notices; while it is slow, it answers none of them."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = threading.Event()
        self.answers.set()

    def take(self, path: str, body: Any) -> None:
        super().take(path, body)
        self.answers.wait(GRACE_SECONDS)


class OnCall:
    """Alertmanager, and whoever it notifies."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port, self._running = folder, free_port(), ExitStack()
        self.url = f"http://127.0.0.1:{self._port}"
        self.slack = Slack()

    def start(self) -> None:
        """Let it listen, always at the same address."""
        folder = self._folder / f"{len(list(self._folder.iterdir()))}"
        folder.mkdir()
        web = self._running.enter_context(web_receiver(self.slack))
        self._running.enter_context(alertmanager(folder, receiver="slack", web_port=web, port=self._port))

    def stop(self) -> None:
        """Let nobody answer any more."""
        self._running.close()

    def silences(self) -> list[Silence]:
        """Return the silences of the session, as Alertmanager knows them."""
        with closing(Alertmanager(AlertmanagerSettings(url=SecretStr(self.url)))) as asked:
            return [one for one in asked.silences() if one.covers("main", SESSION)]


@pytest.fixture(scope="module")
def on_call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnCall]:
    running = OnCall(tmp_path_factory.mktemp("alertmanager"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, on_call: OnCall) -> Iterator[Stack]:
    """The page beside a quick gateway, with Alertmanager."""
    with (
        Simulator(secret_key=SECRET, times=quick_page.TIMES, sessions=[SESSION]) as gateway,
        stack(
            gateway,
            tmp_path_factory.mktemp("alerting"),
            WPPCONNECT_INTERVAL_SECONDS="1",
            WPPCONNECT_WEBHOOK="none",
            ALERTMANAGER_URL=on_call.url,
        ) as running,
    ):
        running.start_page("tests.support.quick_page")
        yield running


@pytest.fixture(scope="module")
def tabs(browser: Browser, product: Stack) -> Iterator[Tabs]:
    with open_tabs(browser, product) as opened:
        yield opened


@pytest.fixture
def nobody_on_call(on_call: OnCall) -> Iterator[None]:
    """Take Alertmanager away for a while."""
    on_call.stop()
    yield
    on_call.start()


def test_a_lost_session_is_acknowledged_with_reason_and_end_and_everybody_sees_it(
    desk: Visitor, phone: Visitor, product: Stack, on_call: OnCall
) -> None:
    product.lose_the_phone()
    for tab in (desk, phone):
        tab.open_session()
        tab.press(ACKNOWLEDGE)
        tab.reads("Alerts are silenced meanwhile.")
    # A dialog stands beside the app in the document: its colours do not come by themselves.
    expect(desk.page.locator(SOFT_IN_DIALOG)).to_have_css("color", "rgb(75, 95, 93)")
    expect(phone.page.locator(SOFT_IN_DIALOG)).to_have_css("color", "rgb(163, 181, 179)")
    reason = phone.page.get_by_label("Reason (visible to everyone)")
    reason.fill("the phone is on its way, back by bus")
    phone.page.get_by_text("2 h", exact=True).click()
    phone.look_closely("alerting/asked")

    desk.page.keyboard.press("Escape")
    phone.press(CONFIRM)
    for tab in (desk, phone):
        tab.reads("Acknowledged by admin until")
    (silence,) = on_call.silences()
    assert (silence.author, silence.comment) == ("admin", "the phone is on its way, back by bus")
    assert timedelta(minutes=115) < silence.until - datetime.now(UTC) <= timedelta(hours=2)
    expect(phone.page.get_by_role("dialog")).to_have_count(0)
    for tab in (desk, phone):
        tab.reads("the phone is on its way, back by bus")
    phone.look_closely("alerting/acknowledged")

    phone.open("/")
    phone.reads("the phone is on its way, back by bus")
    phone.press(NOTIFY_AGAIN)
    for tab in (desk, phone):
        expect(tab.page.locator(f".st-key-{NOTIFY_AGAIN}")).to_have_count(0)
    assert on_call.silences() == []
    assert desk.faults() == []


def test_the_pager_is_tested_and_each_leg_is_told_with_its_time(phone: Visitor, on_call: OnCall) -> None:
    phone.open("/alerts")
    on_call.slack.answers.clear()

    phone.press("test-pager")
    phone.reads("s: routed to slack")
    phone.look("alerting/pager-under-way", whole=True)
    on_call.slack.answers.set()
    phone.reads("Alerts work: the test alert and its end were delivered.")
    phone.reads("Tested by admin")
    phone.look_closely("alerting/pager-works")

    notices = [str(one) for one in on_call.slack.of("/slack")]
    # One that was answered late on a busy machine comes again.
    assert list(dict.fromkeys("FIRING" in one for one in notices)) == [True, False]
    assert all("This is a test of the pager" in one for one in notices)


@pytest.mark.usefixtures("nobody_on_call")
def test_an_alertmanager_that_does_not_answer_is_told_with_the_next_step(phone: Visitor) -> None:
    phone.open("/alerts")

    phone.press("test-pager")
    phone.reads("Alertmanager cannot be reached. Check that it is running, and its address in the settings.")
    phone.look_closely("alerting/pager-unreachable")


def test_maintenance_is_planned_shown_everywhere_and_ended(phone: Visitor, product: Stack) -> None:
    phone.open("/alerts")
    phone.press("plan-maintenance")
    phone.reads("Choose gateways, tags or sessions.")
    phone.drop_down(phone.page.locator(".st-key-maintenance-targets input"), "Everything").click()
    phone.page.keyboard.press("Escape")
    phone.page.get_by_text("Every week", exact=True).click()
    phone.page.get_by_role("button", name="Sun", exact=True).click()
    phone.reads("Weekly: Sun at 02:00 for 1 h")
    phone.look_closely("alerting/planning-maintenance")
    phone.press("maintenance-yes")
    phone.reads("Planned by admin")

    now = datetime.now(UTC)
    once = Once(since=now, until=now + timedelta(hours=2))
    window = Window(id="w1", targets=(Target(),), schedule=once, by="cli", reason="new server")
    maintaining.add(make_source(FileStore(product.data / "store")), window, now=now)
    phone.open("/alerts")
    phone.reads("Planned by cli: new server")
    phone.look_closely("alerting/maintenance")
    phone.open("/")
    phone.reads("Maintenance until")
    phone.look_closely("alerting/sessions-in-maintenance")
    phone.open_session()
    phone.reads("Maintenance until")
    phone.look_closely("alerting/session-in-maintenance")

    phone.open("/alerts")
    phone.press("maintenance-end-w1")
    expect(phone.page.get_by_text("new server")).to_have_count(0)
