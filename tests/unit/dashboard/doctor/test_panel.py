"""The doctor on a session's page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from page_world import FakeCore, FakeSignIns, NobodyListens, ended, open_page, session, shown

from dashboard import state
from dashboard.auth.users import Role, User
from tests.support.waiting import until


@pytest.fixture
def down(core: FakeCore) -> FakeCore:
    core.shows(session("sales"))
    return core


def examined() -> None:
    until(
        lambda: getattr(state.examinations().latest("main", "sales"), "cause", None),
        what="the diagnosis",
    )


def test_a_click_examines_the_session_and_tells_the_cause_and_the_next_step(down: FakeCore) -> None:
    app = open_page("session", server="main", session="sales")

    app.button(key="doctor-main-sales").click().run()
    examined()
    app.run()

    assert "The connection to the gateway&#x27;s address is refused." in shown(app)
    assert 'data-ops-copy="wppconnect-ops ' in shown(app)
    assert "fail     The gateway does not answer" in shown(app)


def test_an_operation_that_failed_is_examined_by_itself_and_once(down: FakeCore) -> None:
    down.operations.statuses["main", "sales"] = ended("unreachable")
    asked: list[str] = []
    down.client = lambda server: asked.append(server.name) or NobodyListens()

    app = open_page("session", server="main", session="sales")
    examined()
    app.run()
    app.run()

    assert "The connection to the gateway&#x27;s address is refused." in shown(app)
    assert asked == ["main"]


def test_an_operation_that_went_well_is_not_examined(down: FakeCore) -> None:
    down.operations.statuses["main", "sales"] = ended("closed")

    open_page("session", server="main", session="sales")

    assert state.examinations().latest("main", "sales") is None


def test_what_was_found_before_the_session_changed_is_not_shown(down: FakeCore) -> None:
    app = open_page("session", server="main", session="sales")
    app.button(key="doctor-main-sales").click().run()
    examined()

    down.shows(session("sales", "starting", since=datetime.now(UTC) + timedelta(seconds=1)))
    app.run()

    assert "is refused" not in shown(app)
    assert "doctor-main-sales" in {button.key for button in app.button}


def test_a_viewer_is_not_offered_it(down: FakeCore, sign_ins: FakeSignIns) -> None:
    sign_ins.user = User(name="eva", role=Role.VIEWER)
    down.operations.statuses["main", "sales"] = ended("unreachable")

    app = open_page("session", server="main", session="sales")

    assert "doctor-main-sales" not in {button.key for button in app.button}
    assert state.examinations().latest("main", "sales") is None


def test_it_speaks_the_readers_language(down: FakeCore) -> None:
    app = open_page("session", server="main", session="sales", locale="pt-BR")

    app.button(key="doctor-main-sales").click().run()
    examined()
    app.run()

    assert "A conexão com o endereço do gateway é recusada." in shown(app)
