"""The page of one session."""

from __future__ import annotations

import base64
from html import escape

import pytest
from page_world import (
    NOW,
    FakeCore,
    FakeSignIns,
    ago,
    ended,
    open_page,
    operation,
    qr,
    session,
    shown,
)
from streamlit.testing.v1 import AppTest

from core.handoffs import Handoffs
from core.models import EndToEnd, HistoryEntry
from dashboard.theme.qr import qr_svg
from dashboard.words import CODE_MAY_BE_REPLACED, CODE_STILL_WAITED_FOR, NO_END_TO_END


def open_sales(**more: str) -> AppTest:
    return open_page("session", server="main", session="sales", **more)


def drawn_code(app: AppTest) -> str:
    source = shown(app).split('src="data:image/svg+xml;base64,')[1].split('"')[0]
    return base64.b64decode(source).decode()


def keys(app: AppTest) -> set[str | None]:
    return {button.key for button in app.button}


def test_the_live_code_is_drawn_with_the_seconds_that_it_has_left(core: FakeCore) -> None:
    core.shows(session("sales", "waiting_for_qr", qr=qr("2@live", age_seconds=18)))

    app = open_sales()

    assert drawn_code(app) == qr_svg("2@live")
    assert "Code expires in 42 s" in shown(app)


def test_a_later_code_has_twenty_seconds(core: FakeCore) -> None:
    core.shows(session("sales", "waiting_for_qr", qr=qr(age_seconds=18, life_seconds=20)))

    assert "Code expires in 2 s" in shown(open_sales())


def test_a_code_is_good_for_no_longer_than_the_attempt_which_is_then_told_once(core: FakeCore) -> None:
    core.shows(session("sales", "waiting_for_qr", qr=qr(age_seconds=18)))
    core.operations.statuses["main", "sales"] = operation(step="waiting_for_scan", step_until=ago(seconds=-9))

    text = shown(open_sales())

    assert "Code expires in 10 s" in text
    assert "The gateway ends this attempt" not in text


def test_a_used_up_code_is_said_to_be_scanned_or_about_to_be_renewed(core: FakeCore) -> None:
    core.shows(session("sales", "waiting_for_qr", qr=qr(age_seconds=61)))

    assert "Scanned? WhatsApp may be loading the chats." in shown(open_sales())


def test_no_code_is_drawn_in_any_other_verdict(core: FakeCore) -> None:
    core.shows(session("sales", "starting", qr=qr()))

    assert "<img" not in shown(open_sales())


def test_progress_is_told_in_words_with_its_seconds(core: FakeCore) -> None:
    core.shows(session("sales", "starting"))
    core.operations.statuses["main", "sales"] = operation(step="waiting_for_browser")

    text = shown(open_sales())

    assert "The browser on the gateway is starting, 8 s" in text
    assert "Started by ana" in text


def test_what_nobody_asked_for_can_be_stopped_to_re_pair(core: FakeCore) -> None:
    core.shows(session("sales", "unresponsive"))
    core.operations.statuses["main", "sales"] = operation(
        kind="restart", actor="self-healing", by_itself=True, step="waiting_after_close"
    )
    app = open_sales()

    app.button(key="take-over-main-sales").click().run()

    assert "Started by self-healing" in shown(app)
    assert core.operations.calls == [("pair", "main", "sales", {"actor": "ana"})]


def test_what_somebody_asked_for_goes_on(core: FakeCore) -> None:
    core.shows(session("sales", "starting"))
    core.operations.statuses["main", "sales"] = operation(step="waiting_for_browser")

    assert "take-over-main-sales" not in {button.key for button in open_sales().button}


def test_a_wait_is_counted_down(core: FakeCore) -> None:
    core.shows(session("sales"))
    core.operations.statuses["main", "sales"] = operation(
        step="waiting_after_close", step_until=ago(seconds=-29.5)
    )

    assert "at most 30 s left" in shown(open_sales())


def test_a_pairing_code_is_shown_in_two_groups_with_how_to_enter_it(core: FakeCore) -> None:
    core.shows(session("sales", "waiting_for_code"))
    core.operations.statuses["main", "sales"] = operation(
        mode="code", step="waiting_for_code_entry", pairing_code="K7WM2QXA", step_until=ago(seconds=-40.5)
    )

    text = shown(open_sales())

    assert ">K7WM</span>" in text
    assert ">2QXA</span>" in text
    assert "Tap Link with phone number instead." in text
    assert "Code expires in 41 s" in text


@pytest.mark.parametrize(
    ("seconds", "left", "sentence"),
    [
        pytest.param(10, 49.5, "Code expires in 50 s", id="in its time"),
        pytest.param(190, None, CODE_STILL_WAITED_FOR, id="while the gateway waits for it"),
        pytest.param(200, 40, CODE_MAY_BE_REPLACED, id="once WhatsApp may have replaced it"),
    ],
)
def test_a_pairing_code_is_trusted_for_as_long_as_it_may_live(
    core: FakeCore, seconds: int, left: float | None, sentence: str
) -> None:
    core.shows(session("sales", "waiting_for_code"))
    core.operations.statuses["main", "sales"] = operation(
        mode="code",
        step="waiting_for_code_entry",
        step_since=ago(seconds=seconds),
        pairing_code="K7WM2QXA",
        code_life_seconds=195,
        step_until=None if left is None else ago(seconds=-left),
    )

    text = shown(open_sales())

    others = {"Code expires in 50 s", CODE_STILL_WAITED_FOR, CODE_MAY_BE_REPLACED} - {sentence}
    assert sentence in text
    assert [one for one in others if one in text] == []


def test_an_account_without_a_number_is_said_to_be_unchecked(core: FakeCore) -> None:
    core.shows(session("sales", "connected", end_to_end=EndToEnd(is_possible=False)))

    assert escape(NO_END_TO_END) in shown(open_sales())


def test_success_names_the_session_and_tells_how_long_the_outage_lasted(core: FakeCore) -> None:
    core.shows(session("sales", "connected", since=ago(seconds=3), outage_seconds=754.0))

    text = shown(open_sales())

    assert "sales is connected" in text
    assert "The outage lasted 12 min." in text


def test_a_session_connected_for_long_is_not_celebrated(core: FakeCore) -> None:
    core.shows(session("sales", "connected", since=ago(hours=3), outage_seconds=754.0))

    text = shown(open_sales())

    assert "sales is connected" not in text
    assert "No action is needed." in text


def test_an_expired_code_offers_a_new_one(core: FakeCore) -> None:
    core.shows(session("sales"))
    core.operations.statuses["main", "sales"] = ended("code_expired")

    app = open_sales()

    assert app.button(key="repair-main-sales").label == "Show a new code for sales"
    assert "No phone was linked before the code expired." in shown(app)


def test_an_interrupted_operation_is_told_and_can_be_begun_again(core: FakeCore) -> None:
    core.shows(session("sales"))
    core.operations.statuses["main", "sales"] = operation(interrupted=True)

    app = open_sales()

    assert "was interrupted" in shown(app)
    assert "repair-main-sales" in keys(app)


def test_a_watched_session_that_is_not_connected_is_looked_at_more_often(core: FakeCore) -> None:
    core.shows(session("sales"))

    open_sales()

    assert ("main", "sales") in core.monitor.watched


@pytest.mark.parametrize("verdict", ["connected", "paused"])
def test_no_extra_attention_is_asked_for_when_nothing_is_awaited(core: FakeCore, verdict: str) -> None:
    core.shows(session("sales", verdict))

    open_sales()

    assert core.monitor.watched == []


def test_what_happened_lately_is_told_with_who_did_it(core: FakeCore) -> None:
    core.shows(session("sales"))
    sales = {"server": "main", "session": "sales"}
    expired = {"to": "disconnected", "reason": "code_expired"}
    closed = {"operation": "close", "outcome": "closed"}
    core.history.append(
        HistoryEntry(at=ago(minutes=12), kind="transition", data={**expired}, **sales),
        HistoryEntry(at=NOW, kind="operation", actor="rui", data={**closed}, **sales),
    )

    text = shown(open_sales())

    assert "Disconnected: A code was shown, and no phone was linked in time." in text
    assert "Close: The session was closed." in text
    assert "(rui)" in text


def test_a_session_that_does_not_exist_is_said_to_be_missing(core: FakeCore) -> None:
    core.shows(session("support"))

    app = open_sales()

    assert "There is no session sales on main." in shown(app)
    assert not app.exception


def test_who_is_not_signed_in_sees_no_code(core: FakeCore, sign_ins: FakeSignIns) -> None:
    core.shows(session("sales", "waiting_for_qr", qr=qr()))
    sign_ins.user = None

    app = open_sales()

    assert "You are signed out." in shown(app)
    assert "ops-qr" not in shown(app)
    assert not app.button


@pytest.mark.parametrize("verdict", ["unauthorized", "unreachable", "paused", "stuck", "unknown", "starting"])
def test_every_verdict_can_be_drawn(core: FakeCore, verdict: str) -> None:
    core.shows(session("sales", verdict))

    assert not open_sales().exception


@pytest.mark.parametrize(
    ("verdict", "offered"),
    [
        ("disconnected", True),
        ("waiting_for_qr", True),
        ("stuck", False),
        ("connected", False),
        ("unreachable", False),
        ("unknown", False),
        ("unauthorized", False),
        ("paused", False),
    ],
)
def test_a_hand_off_is_offered_where_the_phone_can_help(core: FakeCore, verdict: str, offered: bool) -> None:
    core.shows(session("sales", verdict))

    keys = [button.key for button in open_sales().button]

    assert ("handoff-main-sales" in keys) is offered


def test_revoking_a_link_leaves_the_one_that_somebody_made_meanwhile(core: FakeCore) -> None:
    core.shows(session("sales"))
    core.handoffs.make("main", "sales", maker="ana", minutes=10)
    app = open_sales()
    newer, _token = core.handoffs.make("main", "sales", maker="rui", minutes=10)

    app.button(key="revoke-main-sales").click().run()

    found = core.handoffs.newest("main", "sales")
    assert found is not None
    assert (found.id, found.end) == (newer.id, None)


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ("connected", "Linked 14:00: the session is connected"),
        ("disconnected", "Linked 14:00"),
    ],
)
def test_the_maker_of_a_link_is_not_told_that_a_lost_session_is_connected(
    core: FakeCore, verdict: str, told: str
) -> None:
    core.shows(session("sales", verdict))
    _, token = core.handoffs.make("main", "sales", maker="ana", minutes=10)
    core.handoffs.open(token)
    core.handoffs.settle(lambda *_one: NOW, lambda *_one: False, lambda _maker: True)

    text = shown(open_sales())

    assert f"<span>{told}</span>" in text


def test_the_maker_of_a_link_sees_that_its_last_code_still_counts(core: FakeCore) -> None:
    core.shows(session("sales", "waiting_for_qr"))
    earlier = Handoffs(core.store, core.history.append, now=lambda: ago(minutes=10, seconds=5))
    _, token = earlier.make("main", "sales", maker="ana", minutes=10)
    earlier.open(token)

    text = shown(open_sales())

    assert "Not linked yet" in text
    assert "Expired: only the code on the screen is still valid" in text


def test_an_earlier_success_is_not_told_of_a_session_that_was_lost_again(core: FakeCore) -> None:
    core.shows(session("sales"))
    core.operations.statuses["main", "sales"] = ended("connected")

    assert "The session is connected." not in shown(open_sales())


def test_an_earlier_failure_is_not_told_once_the_session_was_connected_since(core: FakeCore) -> None:
    core.shows(session("sales", last_connected=NOW))
    failed = ended("timed_out").model_copy(update={"finished_at": ago(minutes=30)})
    core.operations.statuses["main", "sales"] = failed

    assert "It took too long." not in shown(open_sales())


def test_a_name_with_underscores_is_not_read_as_emphasis(core: FakeCore) -> None:
    core.shows(session("_sales_"))

    app = open_page("session", server="main", session="_sales_")

    assert app.button(key="repair-main-_sales_").label == r"Re-pair \_sales\_"


@pytest.mark.parametrize(("seconds", "is_doubted"), [(30, False), (90, True)], ids=str)
def test_a_browser_that_starts_slowly_is_doubted(core: FakeCore, seconds: int, is_doubted: bool) -> None:
    core.shows(session("sales", "starting", since=ago(seconds=seconds)))
    alone = shown(open_sales())
    core.operations.statuses["main", "sales"] = operation(
        step="waiting_for_browser", step_since=ago(seconds=seconds)
    )

    pairing = shown(open_sales())

    assert ["launch error" in text for text in (alone, pairing)] == [is_doubted, is_doubted]
