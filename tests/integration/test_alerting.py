"""Acknowledging and testing the pager from the page, with a real Alertmanager."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from page_world import ENVIRONMENT, NOW, FakeCore, FakeSignIns, open_page, session, shown

from core.alertmanager.api import Alertmanager
from core.models import HistoryEntry
from dashboard import state
from dashboard.auth import identity
from dashboard.auth.users import Role, User
from tests.plugins.system_tools import require
from tests.support.alertmanager import Inbox, alertmanager, web_receiver
from tests.support.waiting import until

require("prometheus-alertmanager")

SALES = ("main", "sales")


@pytest.fixture(scope="module")
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, inbox: Inbox) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("alertmanager")
    with web_receiver(inbox) as web, alertmanager(folder, receiver="slack", web_port=web) as address:
        yield address


@pytest.fixture
def sign_ins() -> Iterator[FakeSignIns]:
    fake = FakeSignIns()
    identity.install(fake)
    yield fake
    identity._sign_ins.clear()


@pytest.fixture
def core_at(tmp_path: Path, sign_ins: FakeSignIns) -> Iterator[Callable[[str], FakeCore]]:
    """Pages on a core that knows an Alertmanager at an address, with one lost session."""

    def build(address: str) -> FakeCore:
        core = FakeCore(tmp_path / "store", ENVIRONMENT | {"ALERTMANAGER_URL": address})
        core.shows(session("sales"))
        state.install(core)  # type: ignore[arg-type]
        return core

    yield build
    state.uninstall()


def told(core: FakeCore) -> list[HistoryEntry]:
    return core.history.read(kinds=["alert"])


def silenced() -> bool:
    settings = state.settings().alertmanager
    assert settings is not None
    return state.alerting().silences(settings).of(*SALES) is not None


def test_a_session_is_acknowledged_and_the_acknowledgement_ended(
    core_at: Callable[[str], FakeCore], url: str
) -> None:
    core = core_at(url)
    app = open_page("session", server="main", session="sales")

    app.button(key="acknowledge-main-sales").click().run()
    app.text_input(key="acknowledge-form-main-sales-reason").set_value("phone is on its way")
    app.button(key="acknowledge-yes-main-sales").click().run()
    until(silenced, what="the silence")
    on_its_page = shown(open_page("session", server="main", session="sales"))
    overview = open_page()
    in_the_list = shown(overview)
    overview.button(key="notify-main-sales").click().run()
    until(lambda: not silenced(), what="the end of the silence")

    for text in (on_its_page, in_the_list):
        assert "Acknowledged by ana until " in text
        assert "phone is on its way" in text
    events = [(one.actor, one.server, one.session, one.data["event"]) for one in told(core)]
    assert events == [("ana", *SALES, "acknowledged"), ("ana", *SALES, "unacknowledged")]


@pytest.mark.parametrize(
    ("keeps", "events", "said"),
    [
        pytest.param(
            False, ["acknowledged", "unacknowledged"], "The acknowledgement has ended", id="by default"
        ),
        pytest.param(True, ["acknowledged"], "Still acknowledged until", id="not where it is kept"),
    ],
)
def test_an_acknowledgement_ends_with_its_outage(
    core_at: Callable[[str], FakeCore], url: str, keeps: bool, events: list[str], said: str
) -> None:
    core = core_at(url)
    app = open_page("session", server="main", session="sales")
    app.button(key="acknowledge-main-sales").click().run()
    app.checkbox(key="acknowledge-keep-main-sales").set_value(keeps)
    app.button(key="acknowledge-yes-main-sales").click().run()
    until(silenced, what="the silence")
    settings = state.settings().alertmanager
    silence = state.alerting().silences(settings).of(*SALES) if settings else None
    assert silence is not None
    assert state.ends_when_over(*SALES, silence.id) is not keeps

    core.shows(session("sales", "connected", since=NOW))
    until(lambda: silenced() is keeps, what="what becomes of the silence")

    def page_says() -> str | None:
        page = shown(open_page("session", server="main", session="sales"))
        return page if said in page else None

    assert ("Acknowledged by ana" in str(until(page_says, what="the sentence"))) is keeps
    assert [one.data["event"] for one in told(core)] == events
    if settings is not None and keeps:
        state.alerting().expire(settings, SALES, actor="ana", silence=silence.id)
        until(lambda: not silenced(), what="the end of the silence")


def test_all_problems_are_acknowledged_at_once(core_at: Callable[[str], FakeCore], url: str) -> None:
    core = core_at(url)
    core.shows(session("sales"), session("support", "unresponsive"), session("shop", "connected"))
    app = open_page()

    app.button(key="acknowledge-problems").click().run()
    app.button(key="fleet-yes-acknowledge").click().run()
    until(lambda: (bulk := state.alerting().bulk()) and not bulk.busy, what="the end of it")
    afterwards = open_page()

    assert "Acknowledged by ana: sales, support" in shown(afterwards)
    assert {one.session for one in told(core)} == {"sales", "support"}
    assert "acknowledge-problems" not in [button.key for button in afterwards.button]
    core.shows(*(session(name, "connected", since=NOW) for name in ("sales", "support")))
    until(lambda: not silenced(), what="the end of the silences")


def test_a_gateway_is_acknowledged_with_its_sessions_until_it_answers_again(
    core_at: Callable[[str], FakeCore], url: str
) -> None:
    core = core_at(url)
    lost = [session(name, "unreachable") for name in ("sales", "support")]
    core.shows(*lost, up=False)
    app = open_page()

    app.button(key="acknowledge-main-").click().run()
    app.text_input(key="acknowledge-form-main--reason").set_value("new disk")
    app.button(key="acknowledge-yes-main-").click().run()
    until(silenced, what="the silence")
    in_the_list, alerts = shown(open_page()), open_page("alerts")
    core.shows(session("sales", "connected", since=NOW), session("support", "disconnected", since=NOW))
    until(lambda: not silenced(), what="the end of the silence")

    assert in_the_list.count("new disk") == 1
    assert "Ends when the gateway answers again." in in_the_list
    assert [one.label for one in alerts.button if one.key == "notify-main-"] == ["Resume alerts for main"]
    events = [(one.actor, one.server, one.session, one.data["event"]) for one in told(core)]
    assert events == [("ana", "main", None, "acknowledged"), (None, "main", None, "unacknowledged")]
    assert "The gateway answers again." in shown(open_page("activity"))


def test_of_two_wishes_about_a_session_at_once_the_first_is_granted(
    core_at: Callable[[str], FakeCore], url: str
) -> None:
    core = core_at(url)
    settings = state.settings().alertmanager
    assert settings is not None
    end = datetime.now(UTC) + timedelta(minutes=5)

    state.alerting().silence(settings, SALES, author="ana", comment="on it", until=end)
    state.alerting().silence(settings, SALES, author="ana", comment="on it", until=end)
    until(silenced, what="the silence")
    silence = state.alerting().silences(settings).of(*SALES)
    assert silence is not None
    state.alerting().expire(settings, SALES, actor="ana", silence=silence.id)
    until(lambda: not silenced(), what="the end of the silence")

    assert [one.data["event"] for one in told(core)] == ["acknowledged", "unacknowledged"]


def test_a_viewer_sees_an_acknowledgement_and_cannot_end_it(
    core_at: Callable[[str], FakeCore], url: str, sign_ins: FakeSignIns
) -> None:
    core_at(url)
    settings = state.settings().alertmanager
    assert settings is not None
    end = datetime.now(UTC) + timedelta(minutes=5)
    state.alerting().silence(settings, SALES, author="ana", comment="on it", until=end)
    until(silenced, what="the silence")
    sign_ins.user = User(name="vera", role=Role.VIEWER)

    app = open_page()

    assert "Acknowledged by ana" in shown(app)
    assert [button.key for button in app.button] == ["open-main-sales"]
    silence = state.alerting().silences(settings).of(*SALES)
    assert silence is not None
    state.alerting().expire(settings, SALES, actor="ana", silence=silence.id)
    until(lambda: not silenced(), what="the end of the silence")


@pytest.fixture
def own_url(tmp_path: Path) -> Iterator[str]:
    """An Alertmanager of its own: notices of alerts left there would be taken for those of a pager test."""
    with web_receiver(Inbox()) as web, alertmanager(tmp_path, receiver="slack", web_port=web) as address:
        yield address


def test_what_alertmanager_does_is_on_one_page(
    core_at: Callable[[str], FakeCore], own_url: str, sign_ins: FakeSignIns
) -> None:
    core_at(own_url)
    settings = state.settings().alertmanager
    assert settings is not None
    labels = {"alertname": "WppconnectSessionDisconnected", "server": "main", "session": "sales"}
    alerts = [
        {"labels": labels, "annotations": {"summary": "Sales is <b>disconnected</b>"}},
        {"labels": {"alertname": "WppconnectWatchdog", "severity": "none"}, "annotations": {}},
        {"labels": {"alertname": "DiskFull"}, "annotations": {"summary": "the alert of another team"}},
    ]
    began = {"startsAt": NOW.isoformat(), "endsAt": (datetime.now(UTC) + timedelta(minutes=5)).isoformat()}
    with closing(Alertmanager(settings)) as client:
        for alert in alerts:
            client.post(alert | began)
        client.silence(
            *SALES,
            author="ana",
            comment="on it",
            since=datetime.now(UTC),
            until=datetime.now(UTC) + timedelta(minutes=5),
        )

    def page_says() -> str | None:
        page = shown(open_page("alerts"))
        return page if "Acknowledged by ana" in page and "Sales is" in page else None

    text = str(until(page_says, what="the alert and its silence"))
    sign_ins.user = User(name="vera", role=Role.VIEWER)
    buttons = [button.key for button in open_page("alerts").button]

    assert "Sales is &lt;b&gt;disconnected&lt;/b&gt;" in text
    assert "silenced" in text
    assert "<td>slack</td><td>slack</td>" in text
    assert "Watchdog" not in text
    assert "another team" not in text
    assert buttons == []


def test_the_pager_is_tested_and_each_leg_is_timed(
    core_at: Callable[[str], FakeCore], url: str, inbox: Inbox
) -> None:
    core = core_at(url)
    app = open_page("alerts")

    app.button(key="test-pager").click().run()
    until(lambda: not (found := state.alerting().test()) or not found.running, what="the test")
    text = shown(open_page("alerts"))

    assert "s: accepted by Alertmanager" in text
    assert "s: alert delivered by slack" in text
    assert "s: end delivered by slack" in text
    assert "Alerts work" in text
    assert any("test of the pager" in str(one) for one in inbox.of("/slack"))
    (entry,) = told(core)
    assert (entry.data["event"], entry.data["outcome"]) == ("pager_tested", "delivered")


def test_an_alertmanager_that_is_down_is_told_in_plain_words_and_holds_nothing_up(
    core_at: Callable[[str], FakeCore],
) -> None:
    core = core_at("http://me:s3cret-pass@127.0.0.1:1")
    app = open_page("session", server="main", session="sales")

    app.button(key="acknowledge-main-sales").click().run()
    app.button(key="acknowledge-yes-main-sales").click().run()
    until(lambda: state.alerting().problem(SALES), what="the failure")
    text = shown(open_page("session", server="main", session="sales"))
    app = open_page("alerts")
    app.button(key="test-pager").click().run()
    until(lambda: (found := state.alerting().test()) and not found.running, what="the end of the test")

    assert "Alertmanager cannot be reached." in text
    assert "Alertmanager cannot be reached." in shown(open_page("alerts"))
    assert "s3cret-pass" not in text + shown(app)
    assert [one.data["outcome"] for one in told(core)] == ["unreachable"]


def test_without_an_alertmanager_the_page_says_the_next_step(core_at: Callable[[str], FakeCore]) -> None:
    core_at("")

    assert "No Alertmanager is set up." in shown(open_page("alerts"))


def test_without_an_alertmanager_nothing_of_it_is_shown(core_at: Callable[[str], FakeCore]) -> None:
    core_at("")

    keys = [
        str(one.key)
        for page in ("sessions", "alerts", "session")
        for one in open_page(page, server="main", session="sales").button
    ]

    assert not [key for key in keys if "acknowledge" in key or "pager" in key]
