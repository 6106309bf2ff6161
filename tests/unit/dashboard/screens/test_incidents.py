"""The incidents on the page."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from page_world import NOW, FakeCore, ago, open_page, session, shown
from streamlit.testing.v1 import AppTest

from core.models import HistoryEntry
from core.uptime.verdict_log import write_transition
from dashboard import state
from dashboard.incidents import view


def happened(core: FakeCore, *changes: tuple[float, str, str], name: str = "sales") -> None:
    """Let a session change so many minutes ago, to a verdict for a reason; it was connected before."""
    before = session(name, "connected", since=ago(days=1))
    for minutes, verdict, reason in changes:
        after = session(name, verdict, since=ago(minutes=minutes), reason=reason)
        core.history.append(write_transition(before, after))
        before = after


def table(app: AppTest) -> str:
    return next((html.proto.body for html in app.get("html") if "ops-incidents" in html.proto.body), "")


LOST_AND_BACK = (
    (30.0, "disconnected", "closed_on_gateway"),
    (28.0, "waiting_for_qr", "none"),
    (27.0, "linking", "code_scanned"),
    (26.0, "connected", "none"),
)


def test_one_line_tells_an_outage_from_its_cause_to_its_end(core: FakeCore) -> None:
    core.shows(session("sales", "connected", since=ago(minutes=26)))
    happened(core, *LOST_AND_BACK)
    data = {"event": "acknowledged", "reason": "on it <b>", "until": NOW.isoformat()}
    core.history.append(
        HistoryEntry(
            at=ago(minutes=29), kind="alert", server="main", session="sales", actor="ana", data={**data}
        )
    )

    text = table(open_page("incidents"))

    assert text.count("<tr>") == 2
    words = ["13:30", "4 min", "sales", "Removed on the phone", "13:31", "Acknowledged", "(ana)"]
    words += ["13:32", "Code shown", "13:33", "Code used", "13:34", "Connected"]
    positions = [text.index(word) for word in words]
    assert positions == sorted(positions)
    assert "on it &lt;b&gt;" in text
    assert 'href="session?server=main&amp;session=sales"' in text


def test_what_is_still_lost_stands_first(core: FakeCore) -> None:
    core.shows(
        session("sales", "connected", since=ago(minutes=26)),
        session("support", since=ago(minutes=50), reason="closed_on_gateway", lost_at=ago(minutes=50)),
    )
    happened(core, *LOST_AND_BACK)
    happened(core, (50.0, "disconnected", "closed_on_gateway"), name="support")

    text = table(open_page("incidents"))

    assert text.index("session=support") < text.index("session=sales")
    assert "50 min so far" in text


def test_a_gateway_that_is_down_is_one_line(core: FakeCore) -> None:
    names = [f"s{number}" for number in range(13)]
    core.shows(
        *(session(name, "unreachable", since=ago(minutes=5), lost_at=ago(minutes=5)) for name in names)
    )
    for name in names:
        happened(core, (5.0, "unreachable", "gateway_unreachable"), name=name)

    text = table(open_page("incidents"))

    assert text.count("<tr>") == 2
    assert "<summary>main: 13 sessions</summary>" in text
    assert all(f"session={name}" in text for name in names)


def test_outages_that_are_not_read_yet_are_not_called_none(core: FakeCore) -> None:
    core.shows(session("sales", "connected", since=ago(minutes=26)))
    happened(core, *LOST_AND_BACK)
    held = threading.Event()

    def hold() -> None:
        held.wait(60)

    state.background().run("track records", hold)

    view.begin()
    known = view.read()
    held.set()

    assert known is None
    assert "session=sales" in table(open_page("incidents"))


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ({}, False),
        ({"period": "30d"}, True),
        ({"period": "nonsense"}, False),
        ({"period": "30d", "session": "sales"}, True),
        ({"period": "30d", "session": "support"}, False),
    ],
)
def test_the_filter_is_kept_in_the_address(core: FakeCore, query: dict[str, Any], is_there: bool) -> None:
    days = 10 * 24 * 60.0
    core.shows(session("sales", "connected", since=ago(minutes=days)), session("support", "connected"))
    was = session("sales", "connected", since=ago(days=12))
    lost = session("sales", "disconnected", since=ago(minutes=days + 5))
    core.history.append(
        write_transition(was, lost),
        write_transition(lost, session("sales", "connected", since=ago(minutes=days))),
    )

    app = open_page("incidents", **query)

    assert ("session=sales" in table(app)) == is_there
    assert ("No outages in this period." in shown(app)) != is_there


def test_the_report_of_a_month_is_a_link(core: FakeCore) -> None:
    text = shown(open_page("incidents"))

    assert 'href="incidents.csv?month=2026-11&amp;zone=Europe%2FLisbon" download' in text
    assert 'href="incidents.md?month=2026-11&amp;zone=Europe%2FLisbon" download' in text
