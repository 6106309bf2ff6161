"""The list when it is long: looking for sessions, pages of it, and how each has fared."""

from __future__ import annotations

from datetime import timedelta

import pytest
from page_world import APP, NOW, FakeCore, FakeSignIns, ago, open_page, server, session, shown
from streamlit.testing.v1 import AppTest

from core.models import HistoryEntry, Pause
from core.settings import pausing
from dashboard import state
from dashboard.activity import history_cache
from dashboard.auth.users import Role, User
from tests.support.waiting import until

MANY = [session(f"shop-{number:02}", "connected") for number in range(30)]


def rows(app: AppTest) -> list[str]:
    """The sessions that are drawn, from the top."""
    keys = [str(button.key) for button in app.button]
    return [key.partition("-main-")[2] for key in keys if "-main-" in key]


def filled(core: FakeCore) -> None:
    core.shows(*MANY, session("broken", "disconnected"), session("odd_one", "stuck"))


def test_a_few_sessions_need_no_filter(core: FakeCore) -> None:
    core.shows(session("sales"), session("support"))

    app = open_page()

    assert len(app.text_input) == 0
    assert not app.get("pagination")


def test_many_sessions_come_in_pages_with_problems_on_the_first(core: FakeCore) -> None:
    filled(core)

    app = open_page()

    assert rows(app)[:3] == ["broken", "odd_one", "shop-00"]
    assert len(rows(app)) == 25
    assert "1 to 25 of 32" in shown(app)


def test_the_address_may_name_a_page(core: FakeCore) -> None:
    filled(core)

    def at(page: str) -> list[str]:
        app = AppTest.from_file(str(APP), default_timeout=60)
        app.query_params["page"] = page
        return rows(app.run())

    assert at("2") == [f"shop-{number}" for number in range(23, 30)]
    assert at("99")[0] == at("nonsense")[0] == "broken"


def test_a_link_may_say_what_is_looked_for(core: FakeCore) -> None:
    filled(core)

    assert rows(open_page(find="odd")) == ["odd_one"]
    assert rows(open_page(verdict="disconnected")) == ["broken"]
    assert rows(open_page(find="shop-0", verdict="connected"))[:2] == ["shop-00", "shop-01"]


@pytest.mark.parametrize(
    ("key", "query"),
    [
        ("open-main-shop-00", {"server": "main", "session": "shop-00"}),
        ("repair-porto-lost", {"server": "porto", "session": "lost"}),
        ("address-porto-away", {"server": "porto"}),
    ],
)
def test_a_row_leads_to_its_page_although_the_filter_is_kept_in_the_address(
    core: FakeCore, key: str, query: dict[str, str]
) -> None:
    others = [session("lost", server="porto"), session("away", "unreachable", server="porto")]
    core.monitor.servers = (server(*MANY), server(*others, server="porto"))
    app = open_page()

    app.button(key=key).click().run()

    assert not app.exception
    assert dict(app.query_params) == query


def test_a_gateway_is_chosen_where_there_are_several(core: FakeCore) -> None:
    other = session("elsewhere", "connected", server="porto")
    core.monitor.servers = (server(*MANY), server(other, server="porto"))

    everything, porto = open_page(), open_page(gateway="porto")

    assert len(rows(everything)) == 25
    assert rows(porto) == []
    assert "open-porto-elsewhere" in [button.key for button in porto.button]


def test_the_list_is_grouped_by_gateway_or_tag_and_a_link_keeps_that(core: FakeCore) -> None:
    others = [session("elsewhere", "connected", server="porto"), session("lost", server="porto")]
    core.monitor.servers = (server(*MANY), server(*others, server="porto"))
    core.settings.edit(lambda saved: saved.with_session("main", "shop-07", tags="Norte"), actor="rui")
    app = open_page()
    plain_order = rows(app)

    app.selectbox(key="grouping").set_value("gateway").run()
    by_gateway = shown(app)
    address = app.query_params["group"]
    app.selectbox(key="grouping").set_value("").run()

    assert by_gateway.index("Gateway porto") < by_gateway.index("Gateway main")
    assert "1 of 2 connected" in by_gateway
    assert address == "gateway"
    assert rows(app) == plain_order
    assert "group" not in app.query_params
    by_tag = shown(open_page(group="tag", find="shop-0"))
    assert by_tag.index(">No tag<") < by_tag.index(">Norte<")


def test_a_heading_is_repeated_where_a_page_begins_within_a_group(core: FakeCore) -> None:
    core.monitor.servers = (server(*MANY), server(session("lost", server="porto"), server="porto"))

    app = AppTest.from_file(str(APP), default_timeout=60)
    app.query_params["group"], app.query_params["page"] = "gateway", "2"
    text = shown(app.run())

    assert text.count("Gateway main") == 1
    assert "Gateway porto" not in text


def test_typing_narrows_the_list(core: FakeCore) -> None:
    filled(core)
    app = open_page()

    app.text_input(key="find").set_value("shop-07").run()

    assert rows(app) == ["shop-07"]


def test_a_search_that_finds_nothing_offers_the_way_back(core: FakeCore) -> None:
    filled(core)
    app = open_page(find="nobody", verdict="stuck")

    text = shown(app)
    app.button(key="show-all").click().run()

    assert "No session matches." in text
    assert len(rows(app)) == 25


def test_a_row_tells_how_the_session_has_fared(core: FakeCore) -> None:
    data = {"from": "unknown", "to": "connected", "reason": "none", "held_seconds": 0}
    core.history.append(
        HistoryEntry(at=ago(hours=5), kind="transition", server="main", session="sales", data={**data})
    )
    connected = session("sales", "connected", since=ago(hours=5))
    core.shows(connected)

    history_cache.begin_track_records()
    state.background().wait("track records", 60)
    alone = shown(open_page())
    core.shows(connected, session("support", "connected"))
    text = shown(open_page())

    assert "The last 24 hours of sales" in alone
    assert "100 %" in alone
    assert "All sessions" not in alone
    assert "All sessions" in text
    assert "No outages in 30 days" in text


def test_no_session_is_called_never_lost_beside_its_loss(core: FakeCore) -> None:
    core.shows(session("sales", "connected", since=ago(hours=5)), session("support", "connected"))
    history_cache.begin_track_records()
    state.background().wait("track records", 60)
    before = shown(open_page())

    core.shows(session("sales", "disconnected", since=ago(seconds=1), lost_at=ago(seconds=1)))
    alone = shown(open_page("session", server="main", session="sales"))
    core.shows(*core.monitor.servers[0].sessions, session("support", "connected"))
    text = shown(open_page())

    assert "No outages in 30 days" in before
    assert "All sessions" in text
    assert "Uptime and outages" in alone
    assert "No outages" not in alone + text


def test_how_sessions_have_fared_is_read_anew_when_one_changes(
    core: FakeCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_cache, "CHANGED_TRACK_RECORDS_MAX_AGE_SECONDS", 0.0)
    core.shows(session("sales", "connected", since=ago(hours=5)))
    history_cache.begin_track_records()
    state.background().wait("track records", 60)
    assert history_cache.track_records()["main", "sales"].outages == ()

    core.shows(session("sales", "disconnected", since=ago(minutes=1), lost_at=ago(minutes=1)))
    data = {"from": "connected", "to": "disconnected", "reason": "none", "held_seconds": 17940}
    core.history.append(
        HistoryEntry(at=ago(minutes=1), kind="transition", server="main", session="sales", data={**data})
    )

    until(lambda: history_cache.track_records()["main", "sales"].outages, what="the outage")


def test_a_paused_session_says_who_paused_it_until_when_and_why(core: FakeCore) -> None:
    core.shows(session("sales", "paused"))
    until = NOW + timedelta(days=3650, hours=1)
    pausing.pause(
        core.settings, [("main", "sales")], Pause(by="rui", since=NOW, reason="new SIM", until=until)
    )

    text = shown(open_page())

    assert "Paused by rui until " in text
    assert "new SIM" in text


class TestGateway:
    def test_it_is_paused_as_a_whole_after_a_question(self, core: FakeCore) -> None:
        core.shows(session("sales"))
        app = open_page()

        app.button(key="pause-gateway-main").click().run()
        text = shown(app)
        app.text_input(key="pause-form-main--reason").set_value("  disk  swap ")
        app.button(key="pause-gateway-yes-main").click().run()

        main = core.settings.current().server("main")
        assert "Meanwhile its sessions are not checked" in text
        assert main is not None
        assert main.pause is not None
        assert (main.enabled, main.pause.by, main.pause.reason) == (False, "ana", "disk swap")

    def test_it_is_resumed_with_one_click(self, core: FakeCore) -> None:
        core.shows(session("sales", "paused"))
        pausing.pause(core.settings, [("main", None)], Pause(by="rui", since=NOW, reason="disk swap"))
        app = open_page()

        text = shown(app)
        app.button(key="resume-gateway-main").click().run()

        main = core.settings.current().server("main")
        assert "main: Paused by rui until someone resumes it: disk swap" in text
        assert main is not None
        assert main.enabled

    def test_a_session_of_a_paused_gateway_is_not_resumed_alone(self, core: FakeCore) -> None:
        core.shows(session("sales", "paused"))
        pausing.pause(core.settings, [("main", None)], Pause(by="rui", since=NOW))
        app = open_page()

        app.button(key="resume-main-sales").click().run()

        assert "The whole gateway main is paused." in shown(app)

    def test_a_viewer_has_no_button_for_it(self, core: FakeCore, sign_ins: FakeSignIns) -> None:
        sign_ins.user = User(name="vera", role=Role.VIEWER)
        core.shows(session("sales"))

        assert [button.key for button in open_page().button] == ["open-main-sales"]


@pytest.mark.parametrize("span", ["2h", "open"])
def test_a_session_is_paused_with_a_reason_and_an_end(core: FakeCore, span: str) -> None:
    core.shows(session("sales", "connected"))
    app = open_page("session", server="main", session="sales")

    app.button(key="pause-main-sales").click().run()
    app.text_input(key="pause-form-main-sales-reason").set_value("new SIM")
    app.session_state["pause-form-main-sales-span"] = span
    app.button(key="pause-yes-main-sales").click().run()

    main = core.settings.current().server("main")
    assert main is not None
    sales = main.session("sales")
    assert sales is not None
    assert sales.pause is not None
    assert (sales.enabled, sales.pause.by, sales.pause.reason) == (False, "ana", "new SIM")
    lasts = (sales.pause.until - sales.pause.since).total_seconds() / 3600 if sales.pause.until else None
    assert lasts == {"2h": pytest.approx(2, abs=0.01), "open": None}[span]
