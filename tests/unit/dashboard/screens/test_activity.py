"""The activity on the page."""

from __future__ import annotations

from typing import Any

from page_world import FakeCore, FakeSignIns, ago, open_page, session, shown
from streamlit.testing.v1 import AppTest

from core.models import HistoryEntry
from dashboard.activity.lines import PAGE_LINES
from dashboard.auth.users import Role, User


def happened(core: FakeCore, kind: str = "transition", *, minutes: float = 5, **fields: Any) -> None:
    data = fields.pop("data", {"from": "starting", "to": "connected", "reason": "none"})
    standard = {"server": "main", "session": "sales"}
    core.history.append(HistoryEntry(at=ago(minutes=minutes), kind=kind, data=data, **(standard | fields)))


def table(app: AppTest) -> str:
    return next((html.proto.body for html in app.get("html") if "ops-activity" in html.proto.body), "")


def test_who_did_what_when_and_what_came_of_it_stands_in_one_time_line(core: FakeCore) -> None:
    happened(core)
    happened(
        core, "operation", minutes=3, actor="rui <b>", data={"operation": "pair", "outcome": "connected"}
    )

    app = open_page("activity")

    text = table(app)
    assert text.index("Pairing") < text.index(">Connected<")
    assert "rui &lt;b&gt;" in text
    assert "13:57" in text
    assert 'href="session?server=main&amp;session=sales"' in text


def test_the_file_holds_what_the_reader_looks_for(core: FakeCore) -> None:
    happened(core)

    text = shown(open_page("activity", session="sales", period="30d"))

    assert 'href="activity.csv?session=sales&amp;period=30d&amp;zone=Europe%2FLisbon" download' in text


def test_a_link_may_say_what_is_looked_for(core: FakeCore) -> None:
    happened(core)
    happened(core, session="support")

    text = table(open_page("activity", session="support"))

    assert "session=support" in text
    assert "session=sales" not in text


def test_choosing_narrows_it_and_is_kept_in_the_address(core: FakeCore) -> None:
    core.shows(session("sales"), session("support"))
    happened(core)
    happened(core, "operation", actor="rui", data={"operation": "close", "outcome": "closed"})
    app = open_page("activity")

    app.selectbox(key="activity-kind").set_value("operation").run()
    app.text_input(key="activity-person").set_value(" rui ").run()

    assert "Close" in table(app)
    assert ">Connected<" not in table(app)
    assert dict(app.query_params) == {"kind": "operation", "person": "rui"}


def test_older_lines_are_a_click_away(core: FakeCore) -> None:
    for number in range(PAGE_LINES + 1):
        happened(core, minutes=number, session=f"s{number}")
    app = open_page("activity")

    first = table(app)
    app.button(key="older").click().run()

    assert f"session=s{PAGE_LINES}" not in first
    assert f"session=s{PAGE_LINES}" in table(app)
    assert app.button(key="older").disabled


def test_what_was_removed_can_still_be_looked_for(core: FakeCore) -> None:
    happened(core, session="gone")

    assert "session=gone" in table(open_page("activity", session="gone"))


def test_nothing_found_offers_everything(core: FakeCore) -> None:
    happened(core)
    app = open_page("activity", person="nobody")

    text = shown(app)
    app.button(key="show-all").click().run()

    assert "Nothing matches in this period." in text
    assert ">Connected<" in table(app)


def test_an_empty_log_says_that_it_will_fill(core: FakeCore) -> None:
    assert "No activity yet." in shown(open_page("activity", period="all"))


def test_sign_ins_are_for_administrators(core: FakeCore, sign_ins: FakeSignIns) -> None:
    happened(core, "sign_in", actor="ana", data={"outcome": "failed", "address": "203.0.113.7"})
    seen = table(open_page("activity"))
    sign_ins.user = User(name="rui", role=Role.OPERATOR)

    app = open_page("activity", kind="sign_in")

    assert "203.0.113.7" in seen
    assert "203.0.113.7" not in shown(app)
