"""Selecting several sessions on the list, and what is done to them after a look at what would happen."""

from __future__ import annotations

import pytest
from page_world import ENVIRONMENT, FakeCore, FakeSignIns, open_page, server, session, shown
from streamlit.testing.v1 import AppTest

from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from dashboard import state
from dashboard.auth.users import Role, User
from tests.support.waiting import until


def selecting(core: FakeCore, *sessions: str) -> AppTest:
    core.shows(session("sales", "disconnected", reason="gateway_restarted"), session("support", "connected"))
    app = open_page()
    app.button(key="select").click().run()
    for name in sessions:
        app.checkbox(key=f"pick-0-main-{name}").check().run()
    return app


def enabled(core: FakeCore) -> dict[str, bool]:
    main = core.settings.current().server("main")
    assert main is not None
    return {one.name: one.enabled for one in main.sessions}


def test_what_would_happen_is_shown_before_it_does(core: FakeCore) -> None:
    app = selecting(core, "sales", "support")

    app.button(key="fleet-start").click().run()
    text = shown(app)

    assert "sales" in text
    assert "support: already connected" in text
    assert app.button(key="fleet-yes-start").label == "Start 1"
    assert core.operations.calls == []


def test_the_sessions_that_a_start_can_help_are_started_and_followed(core: FakeCore) -> None:
    app = selecting(core, "sales", "support")
    core.operations.outcomes["sales"] = "connected"

    app.button(key="fleet-start").click().run()
    app.button(key="fleet-yes-start").click().run()
    until(lambda: (found := state.fleet().progress()) and not found.running, what="the end of the start")
    app = open_page()

    assert core.operations.calls == [("start", "main", "sales", {"actor": "ana"})]
    assert "ana is starting several sessions: 1 of 1 done." in shown(app)
    app.button(key="fleet-dismiss").click().run()
    assert state.fleet().progress() is None


def test_several_are_paused_with_one_reason_and_resumed_together(core: FakeCore) -> None:
    app = selecting(core)
    app.button(key="select-all").click().run()

    app.button(key="fleet-pause").click().run()
    app.text_input(key="fleet-pause-form-reason").set_value("disk swap")
    app.button(key="fleet-yes-pause").click().run()
    paused = enabled(core)
    main = core.settings.current().server("main")
    assert main is not None
    reasons = {one.pause.reason for one in main.sessions if one.pause}
    app.button(key="select").click().run()
    app.button(key="select-all").click().run()
    app.button(key="fleet-resume").click().run()
    app.button(key="fleet-yes-resume").click().run()

    assert paused == {"sales": False, "support": False}
    assert reasons == {"disk swap"}
    assert enabled(core) == {"sales": True, "support": True}


def test_where_nothing_would_happen_nothing_is_offered(core: FakeCore) -> None:
    app = selecting(core, "support")

    app.button(key="fleet-start").click().run()

    assert "This would not change any of them." in shown(app)
    assert "fleet-yes-start" not in [button.key for button in app.button]


def test_nothing_selected_offers_nothing(core: FakeCore) -> None:
    app = selecting(core)

    assert app.button(key="fleet-pause").disabled
    app.button(key="select-none").click().run()
    assert len(app.checkbox) == 0


def test_a_browser_that_still_tells_of_empty_boxes_takes_nothing_out_of_the_selection(core: FakeCore) -> None:
    app = selecting(core)
    sales, support = app.checkbox
    app.button(key="select-all").click().run()

    sales.uncheck()
    support.uncheck().run()

    assert "2 selected" in shown(app)


def test_a_browser_that_still_tells_of_ticked_boxes_selects_nothing_again(core: FakeCore) -> None:
    app = selecting(core, "sales", "support")
    sales, support = app.checkbox
    sales.uncheck().run()
    app.checkbox(key="pick-1-main-support").uncheck().run()

    sales.check()
    support.check().run()

    assert "0 selected" in shown(app)


def test_who_taps_twice_keeps_the_selection(core: FakeCore) -> None:
    core.shows(session("sales"), session("support"))
    app = open_page()
    begin = app.button(key="select")
    begin.click().run()
    app.button(key="select-all").click().run()

    begin.click().run()

    assert "2 selected" in shown(app)


def test_the_selection_outlives_a_search(core: FakeCore) -> None:
    names = [session(f"shop-{number}", "connected") for number in range(8)]
    core.monitor.servers = (server(*names),)
    app = open_page()
    app.button(key="select").click().run()
    app.checkbox(key="pick-0-main-shop-3").check().run()

    app.text_input(key="find").set_value("shop-5").run()
    app.checkbox(key="pick-0-main-shop-5").check().run()

    assert "2 selected" in shown(app)


def test_a_group_is_selected_by_its_tag(core: FakeCore) -> None:
    core.settings.edit(lambda saved: saved.with_session("main", "sales", tags="norte"), actor="rui")
    core.shows(session("sales"), session("support"))
    app = open_page(group="tag")
    before = [one.key for one in app.button if str(one.key).startswith("select-tag-")]
    app.button(key="select").click().run()

    app.button(key="select-tag-norte").click().run()

    assert before == []
    assert "1 selected" in shown(app)


def test_nobody_logs_out_several_sessions(core: FakeCore) -> None:
    keys = [str(button.key) for button in selecting(core, "sales").button]

    assert not [key for key in keys if "logout" in key or "close" in key]


def test_a_viewer_selects_nothing(core: FakeCore, sign_ins: FakeSignIns) -> None:
    sign_ins.user = User(name="vera", role=Role.VIEWER)
    core.shows(session("sales"))

    assert [button.key for button in open_page().button] == ["open-main-sales"]


@pytest.mark.parametrize("key", ["fleet-yes-start", "fleet-yes-pause"])
def test_who_loses_the_role_meanwhile_does_nothing(core: FakeCore, sign_ins: FakeSignIns, key: str) -> None:
    app = selecting(core, "sales")
    app.button(key=key.replace("yes-", "")).click().run()
    sign_ins.user = User(name="vera", role=Role.VIEWER)

    app.button(key=key).click().run()

    assert core.operations.calls == []
    assert enabled(core) == {"sales": True, "support": True}


def with_alertmanager(core: FakeCore) -> None:
    """Let nobody listen at the address of Alertmanager."""
    environment = ENVIRONMENT | {"ALERTMANAGER_URL": "http://127.0.0.1:1"}
    core.settings = SettingsSource(load_environment(environment), core.store)
    lost = [session(name, "unreachable", server="porto") for name in ("a", "b")]
    down = server(*lost, server="porto", up=False)
    core.monitor.servers = (server(session("sales"), session("support", "connected")), down)


def test_all_problems_are_acknowledged_by_one_click_and_what_came_of_it_is_said(core: FakeCore) -> None:
    with_alertmanager(core)
    app = open_page()

    app.button(key="acknowledge-problems").click().run()
    asked = shown(app)
    app.button(key="fleet-yes-acknowledge").click().run()
    until(lambda: (bulk := state.alerting().bulk()) and not bulk.busy, what="the end of it")
    said = shown(open_page())

    assert app.button(key="acknowledge-problems").label == "Acknowledge 2 problems ..."
    assert "porto: 2 sessions" in asked
    assert said.count("Alertmanager cannot be reached.") == 3  # of both, and on the gateway's card
    open_page().button(key="fleet-acknowledged-done").click().run()
    assert state.alerting().bulk() is None


def test_the_selected_problems_are_acknowledged_and_others_left_alone(core: FakeCore) -> None:
    with_alertmanager(core)
    app = open_page()
    app.button(key="select").click().run()
    app.button(key="select-all").click().run()

    app.button(key="fleet-acknowledge").click().run()
    asked = shown(app)
    app.button(key="fleet-yes-acknowledge").click().run()

    bulk = state.alerting().bulk()
    assert "support: already connected" in asked
    assert bulk is not None
    assert set(bulk.targets) == {("main", "sales"), ("porto", "")}
    assert len(app.checkbox) == 0


def test_without_an_alertmanager_nothing_is_acknowledged(core: FakeCore) -> None:
    app = selecting(core)

    assert "fleet-acknowledge" not in [button.key for button in app.button]
