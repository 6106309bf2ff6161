"""What a session's page begins without a click."""

from __future__ import annotations

import pytest
from page_world import FakeCore, FakeSignIns, ago, ended, open_page, operation, qr, session, shown
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.auth.users import Role, User
from dashboard.words import IF_A_PASSKEY_IS_ASKED

LOST = session("sales", lost_at=ago(minutes=12))
ASKED = [("pair", "main", "sales", {"actor": "ana"})]
OUTAGE = ("ana", "main", "sales", LOST.lost_at)
HIDDEN = "by-itself-main-sales"


def follow_the_alerts_link(**more: str) -> AppTest:
    return open_page("session", server="main", session="sales", pair="1", **more)


def marks(app: AppTest) -> int:
    return shown(app).count(f'data-ops-press="{HIDDEN}"')


def test_the_alerts_link_has_the_button_pressed_that_brings_the_code(core: FakeCore) -> None:
    core.shows(LOST)

    app = follow_the_alerts_link()
    before = list(core.operations.calls)
    marked, said = marks(app), "Pairing starts automatically" in shown(app)
    app.button(key=HIDDEN).click().run()

    assert (before, marked, said) == ([], 1, True)
    assert core.operations.calls == ASKED


def test_a_reload_is_no_tap_on_the_alerts_link(core: FakeCore) -> None:
    core.shows(LOST)

    app = follow_the_alerts_link()

    assert "pair" not in app.query_params
    assert app.query_params["session"] == "sales"


def test_the_same_page_without_the_alerts_link_begins_nothing(core: FakeCore) -> None:
    core.shows(LOST)

    app = open_page("session", server="main", session="sales")

    assert marks(app) == 0
    assert HIDDEN not in {button.key for button in app.button}


def test_what_was_begun_is_not_begun_again(core: FakeCore) -> None:
    core.shows(LOST)
    app = follow_the_alerts_link()
    app.button(key=HIDDEN).click().run()

    core.operations.statuses["main", "sales"] = ended("start_failed")
    app.run()

    assert marks(app) == 0


def test_another_tab_that_was_faster_is_left_alone(core: FakeCore) -> None:
    core.shows(LOST)
    app = follow_the_alerts_link()

    core.operations.statuses["main", "sales"] = operation()
    app.button(key=HIDDEN).click().run()

    assert core.operations.calls == []
    assert state.attempts().count(OUTAGE) == 0


def test_a_viewer_begins_nothing(core: FakeCore, sign_ins: FakeSignIns) -> None:
    core.shows(LOST)
    sign_ins.user = User(name="eva", role=Role.VIEWER)

    assert marks(follow_the_alerts_link()) == 0


def test_the_alerts_link_waits_for_a_gateway_that_is_away(core: FakeCore) -> None:
    core.shows(session("sales", "unreachable", lost_at=ago(minutes=12)), up=False)
    app = follow_the_alerts_link()
    waiting = marks(app)

    core.shows(LOST)
    app.run()

    assert (waiting, marks(app)) == (0, 1)


def test_a_session_that_came_back_meanwhile_is_left_alone(core: FakeCore) -> None:
    core.shows(session("sales", "connected"))
    app = follow_the_alerts_link()

    core.shows(LOST)
    app.run()

    assert marks(app) == 0


def test_a_code_that_expired_is_followed_by_the_next_which_is_told_beforehand(core: FakeCore) -> None:
    core.shows(LOST)
    app = follow_the_alerts_link()
    app.button(key=HIDDEN).click().run()
    core.shows(session("sales", "waiting_for_qr", lost_at=ago(minutes=12), qr=qr()))
    core.operations.statuses["main", "sales"] = operation(step="waiting_for_scan")
    app.run()
    told = shown(app)

    core.shows(LOST)
    core.operations.statuses["main", "sales"] = ended("code_expired")
    app.run()
    app.button(key=HIDDEN).click().run()

    assert "Code 1 of 5. While this tab is visible, the next one appears automatically." in told
    assert IF_A_PASSKEY_IS_ASKED not in told
    assert core.operations.calls == ASKED * 2


def test_a_second_code_says_what_no_scan_helps_against(core: FakeCore) -> None:
    core.shows(session("sales", "waiting_for_qr", lost_at=ago(minutes=12), qr=qr()))
    for _ in range(2):
        state.attempts().next(OUTAGE)

    assert IF_A_PASSKEY_IS_ASKED in shown(open_page("session", server="main", session="sales"))


def test_after_five_codes_the_page_asks_for_a_click(core: FakeCore) -> None:
    core.shows(LOST)
    core.operations.statuses["main", "sales"] = ended("code_expired")
    for _ in range(5):
        state.attempts().next(OUTAGE)

    app = follow_the_alerts_link()
    text, marked = shown(app), marks(app)
    app.button(key="repair-main-sales").click().run()

    assert marked == 0
    assert state.attempts().count(OUTAGE) == 1
    assert "Code 5 of 5. For another one, press the button." in text
    assert core.operations.calls == ASKED


@pytest.mark.parametrize("is_old", [False, True], ids=["just now", "a while ago"])
def test_an_expired_code_is_followed_or_asked_for_never_both(core: FakeCore, is_old: bool) -> None:
    expired = ended("code_expired")
    if is_old:
        at = ago(minutes=10)
        outcome = expired.outcome.model_copy(update={"at": at}) if expired.outcome else None
        expired = expired.model_copy(update={"outcome": outcome, "finished_at": at})
    core.shows(LOST)
    core.operations.statuses["main", "sales"] = expired
    state.attempts().next(OUTAGE)

    app = open_page("session", server="main", session="sales")

    text = shown(app)
    assert ("appears automatically" in text) is not is_old
    assert ("Request a new one." in text) is is_old
    assert marks(app) == (0 if is_old else 1)


def test_the_next_outage_has_its_own_five_codes(core: FakeCore) -> None:
    core.shows(session("sales", lost_at=ago(seconds=5)))
    for _ in range(5):
        state.attempts().next(OUTAGE)

    assert marks(follow_the_alerts_link()) == 1
