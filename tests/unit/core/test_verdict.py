from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.gateways.registry import kind_of
from core.models import Observation, Problem, Reason, SessionSnapshot, SessionState, Verdict
from core.settings.values import Timeouts
from core.verdict import Circumstances, advance, judge, stale_after_seconds, with_staleness

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STALE = timedelta(seconds=35)
TIMES = kind_of().session_times


def session(**fields: Any) -> SessionSnapshot:
    known = {"server": "main", "session": "sales", "enabled": True, "verdict": Verdict.UNKNOWN, "since": T0}
    return SessionSnapshot(**(known | fields))


def at(seconds: float = 0, **fields: Any) -> Circumstances:
    return Circumstances(now=T0 + timedelta(seconds=seconds), stale_after=STALE, times=TIMES, **fields)


def seen(seconds: float = 0, **fields: Any) -> Observation:
    moment = T0 + timedelta(seconds=seconds)
    return Observation(started_at=moment, observed_at=moment, **fields)


def problem(kind: str) -> Problem:
    return Problem(kind=kind, message="it failed", at=T0)


@pytest.mark.parametrize(
    ("observation", "verdict", "reason"),
    [
        pytest.param(
            {"state": SessionState.CONNECTED, "page_answers": True},
            Verdict.CONNECTED,
            Reason.NONE,
            id="connected and page answers",
        ),
        pytest.param(
            {"state": SessionState.CONNECTED, "page_answers": False},
            Verdict.UNRESPONSIVE,
            Reason.BROWSER_DEAD,
            id="connected but the page says no",
        ),
        pytest.param(
            {"state": SessionState.CONNECTED, "page_timed_out": True},
            Verdict.UNRESPONSIVE,
            Reason.PAGE_NOT_ANSWERING,
            id="connected but the page is frozen",
        ),
        pytest.param(
            {"state": SessionState.CONNECTED}, Verdict.STARTING, Reason.NONE, id="connected, not proved yet"
        ),
        pytest.param(
            {"state": SessionState.QRCODE}, Verdict.WAITING_FOR_QR, Reason.NONE, id="waiting for a scan"
        ),
        pytest.param(
            {"state": SessionState.PHONECODE}, Verdict.WAITING_FOR_CODE, Reason.NONE, id="waiting for a code"
        ),
        pytest.param(
            {"state": SessionState.INITIALIZING}, Verdict.STARTING, Reason.NONE, id="browser starting"
        ),
        pytest.param(
            {"state": SessionState.CLOSED, "has_session_object": False},
            Verdict.DISCONNECTED,
            Reason.NEVER_STARTED,
            id="never started",
        ),
        pytest.param(
            {"state": SessionState.UNKNOWN}, Verdict.UNKNOWN, Reason.UNREADABLE_ANSWER, id="unknown word"
        ),
        pytest.param(
            {"problem": problem("ConnectError")},
            Verdict.UNREACHABLE,
            Reason.GATEWAY_UNREACHABLE,
            id="connection refused",
        ),
        pytest.param(
            {"problem": problem("RequestTimeoutError")},
            Verdict.UNREACHABLE,
            Reason.GATEWAY_TIMEOUT,
            id="no answer in time",
        ),
        pytest.param(
            {"problem": problem("AuthenticationError")},
            Verdict.UNAUTHORIZED,
            Reason.TOKEN_REJECTED,
            id="token rejected",
        ),
        pytest.param(
            {"problem": problem("SecretKeyRejectedError")},
            Verdict.UNAUTHORIZED,
            Reason.SECRET_REJECTED,
            id="secret rejected",
        ),
        pytest.param(
            {"problem": problem("ResponseError")},
            Verdict.UNKNOWN,
            Reason.UNREADABLE_ANSWER,
            id="HTML instead of JSON",
        ),
        pytest.param(
            {"problem": problem("ServerFailureError")},
            Verdict.UNKNOWN,
            Reason.UNREADABLE_ANSWER,
            id="500",
        ),
    ],
)
def test_an_observation_of_a_fresh_session_leads_to_one_verdict(
    observation: dict[str, Any], verdict: Verdict, reason: Reason
) -> None:
    after = advance(session(), seen(**observation), at())

    assert (after.verdict, after.reason) == (verdict, reason)


def test_a_timeout_while_the_gateway_is_healthy_says_nothing_about_the_gateway() -> None:
    after = advance(session(), seen(problem=problem("RequestTimeoutError")), at(gateway_up=True))

    assert after.verdict == Verdict.UNKNOWN


def test_a_paused_session_is_paused_whatever_was_seen() -> None:
    after = advance(session(enabled=False), seen(state=SessionState.CONNECTED, page_answers=True), at())

    assert after.verdict == Verdict.PAUSED


def test_a_session_that_starts_for_more_than_four_minutes_is_stuck() -> None:
    starting = advance(session(), seen(state=SessionState.INITIALIZING), at())

    after = advance(starting, seen(241, state=SessionState.INITIALIZING), at(241))

    assert (after.verdict, after.reason) == (Verdict.STUCK, Reason.START_TOO_SLOW)
    assert after.since == T0 + timedelta(seconds=241)


def test_leaving_connected_begins_an_outage_that_wandering_verdicts_do_not_restart() -> None:
    connected = advance(session(), seen(state=SessionState.CONNECTED, page_answers=True), at())

    lost = advance(connected, seen(10, state=SessionState.CLOSED, has_session_object=False), at(10))
    waiting = advance(lost, seen(20, state=SessionState.QRCODE, qr_payload="2@a"), at(20))
    back = advance(waiting, seen(40, state=SessionState.CONNECTED, page_answers=True), at(40))

    assert lost.lost_at == waiting.lost_at == T0 + timedelta(seconds=10)
    assert lost.lost_reason == waiting.lost_reason == Reason.CLOSED_ON_GATEWAY
    assert (back.lost_at, back.outage_seconds) == (None, 30.0)
    assert back.last_connected == T0 + timedelta(seconds=40)
    assert (waiting.connected_since, back.connected_since) == (T0, T0 + timedelta(seconds=40))


def test_a_phone_unlinked_between_the_two_questions_of_a_probe_is_the_reason() -> None:
    connected = advance(session(), seen(state=SessionState.CONNECTED, page_answers=True), at())

    lost = advance(connected, seen(1, state=SessionState.CONNECTED, page_answers=False), at(1))
    soon = advance(lost, seen(3, state=SessionState.CLOSED), at(3))
    late = advance(lost, seen(60, state=SessionState.CLOSED), at(60))

    assert lost.lost_reason == Reason.BROWSER_DEAD
    assert (soon.lost_reason, soon.lost_at) == (Reason.CLOSED_ON_GATEWAY, lost.lost_at)
    assert late.lost_reason == Reason.BROWSER_DEAD


def test_a_session_lost_after_an_operators_logout_is_put_down_to_it() -> None:
    connected = advance(session(), seen(state=SessionState.CONNECTED, page_answers=True), at())

    lost = advance(
        connected,
        seen(1, state=SessionState.CLOSED),
        at(1, closed_by=lambda: Reason.LOGGED_OUT_BY_OPERATOR),
    )

    assert lost.lost_reason == Reason.LOGGED_OUT_BY_OPERATOR


@pytest.mark.parametrize("state", [SessionState.CLOSED, SessionState.INITIALIZING])
def test_a_session_lost_just_after_a_gateway_restart_is_put_down_to_it(state: SessionState) -> None:
    connected = advance(session(), seen(state=SessionState.CONNECTED, page_answers=True), at())

    lost = advance(connected, seen(9, state=state), at(9, gateway_restarted_at=T0 + timedelta(seconds=5)))

    assert lost.lost_reason == Reason.GATEWAY_RESTARTED


def test_an_unused_code_is_named_as_the_reason_and_stays_named() -> None:
    waiting = advance(session(), seen(state=SessionState.QRCODE, qr_payload="2@a"), at())

    closed = advance(waiting, seen(60, state=SessionState.CLOSED, has_session_object=True), at(60))
    later = advance(closed, seen(65, state=SessionState.CLOSED, has_session_object=True), at(65))

    assert closed.reason == later.reason == Reason.CODE_EXPIRED


def test_a_qr_code_is_live_only_while_the_gateway_says_qrcode() -> None:
    first = advance(session(), seen(state=SessionState.QRCODE, qr_payload="2@a"), at())
    same = advance(first, seen(5, state=SessionState.QRCODE, qr_payload="2@a"), at(5))
    rotated = advance(same, seen(60, state=SessionState.QRCODE, qr_payload="2@b"), at(60))
    assert [one.qr.life_seconds for one in (first, rotated) if one.qr] == [60, 20]
    closed = advance(rotated, seen(80, state=SessionState.CLOSED, qr_payload="2@b"), at(80))

    assert first.qr is not None
    assert rotated.qr is not None
    assert same.qr == first.qr
    assert (first.qr.generation, rotated.qr.generation) == (1, 2)
    assert rotated.qr.first_seen == T0 + timedelta(seconds=60)
    assert closed.qr is None


def test_a_qr_payload_never_shows_in_a_repr() -> None:
    waiting = advance(session(), seen(state=SessionState.QRCODE, qr_payload="2@secret"), at())

    assert "2@secret" not in repr(waiting)
    assert "2@secret" not in repr(seen(state=SessionState.QRCODE, qr_payload="2@secret"))


def test_a_slow_page_keeps_its_last_proof_until_that_is_stale() -> None:
    proved = advance(session(), seen(state=SessionState.CONNECTED, page_answers=True), at())

    open_question = advance(proved, seen(10, state=SessionState.CONNECTED), at(10))
    too_old = advance(open_question, seen(40, state=SessionState.CONNECTED), at(40))

    assert open_question.verdict == Verdict.CONNECTED
    assert (too_old.verdict, too_old.reason) == (Verdict.UNKNOWN, Reason.STALE)


def test_a_frozen_page_stays_unresponsive_until_it_answers() -> None:
    frozen = advance(session(), seen(state=SessionState.CONNECTED, page_timed_out=True), at())

    asked_again = advance(frozen, seen(300, state=SessionState.CONNECTED), at(300))
    thawed = advance(asked_again, seen(310, state=SessionState.CONNECTED, page_answers=True), at(310))

    assert asked_again.verdict == Verdict.UNRESPONSIVE
    assert thawed.verdict == Verdict.CONNECTED


def test_an_observation_without_successor_turns_unknown() -> None:
    closed = advance(session(), seen(state=SessionState.CLOSED), at())

    assert judge(closed, at(36))[0] == Verdict.UNKNOWN


def test_a_reader_sees_a_session_that_nobody_probes_any_more_as_unknown() -> None:
    connected = advance(session(), seen(state=SessionState.CONNECTED, page_answers=True), at())

    fresh = with_staleness(connected, T0 + timedelta(seconds=35), STALE)
    stale = with_staleness(connected, T0 + timedelta(seconds=36), STALE)

    assert fresh.verdict == Verdict.CONNECTED
    assert (stale.verdict, stale.reason, stale.since) == (Verdict.UNKNOWN, Reason.STALE, T0 + STALE)


def test_a_page_that_waits_for_other_slow_pages_counts_longer() -> None:
    connected = advance(session(), seen(state=SessionState.CONNECTED, page_answers=True), at())
    waiting = advance(connected, seen(30, state=SessionState.CONNECTED, page_round_seconds=40), at(30))

    assert judge(waiting, at(60))[0] == Verdict.CONNECTED
    assert judge(waiting.model_copy(update={"observed_at": T0 + timedelta(seconds=76)}), at(76)) == (
        Verdict.UNKNOWN,
        Reason.STALE,
    )
    assert with_staleness(waiting, T0 + timedelta(seconds=75), STALE) is waiting
    assert with_staleness(waiting, T0 + timedelta(seconds=76), STALE).verdict == Verdict.UNKNOWN


def test_stale_is_three_intervals_and_the_timeouts() -> None:
    assert stale_after_seconds(5.0, Timeouts()) == 35.0


def test_pausing_ends_an_outage_because_it_is_no_longer_measured() -> None:
    connected = advance(session(), seen(state=SessionState.CONNECTED, page_answers=True), at())
    lost = advance(connected, seen(10, state=SessionState.CLOSED), at(10))

    paused = advance(lost.model_copy(update={"enabled": False}), seen(20), at(20))

    assert (paused.verdict, paused.lost_at) == (Verdict.PAUSED, None)


def test_a_session_known_from_the_history_alone_is_not_shown_as_connected() -> None:
    remembered = session(verdict=Verdict.CONNECTED, observed_at=None)

    assert with_staleness(remembered, T0, STALE).verdict == Verdict.UNKNOWN


def test_a_proof_from_before_the_clock_was_set_back_is_stale() -> None:
    connected = advance(session(), seen(state=SessionState.CONNECTED, page_answers=True), at())

    shown = with_staleness(connected, T0 - timedelta(seconds=36), STALE)

    assert (shown.verdict, shown.since) == (Verdict.UNKNOWN, T0 - timedelta(seconds=36))


def test_what_holds_as_published_comes_back_as_the_same_object() -> None:
    connected = advance(session(), seen(state=SessionState.CONNECTED, page_answers=True), at())

    assert with_staleness(connected, T0, STALE) is connected


def test_an_unused_code_is_not_put_down_to_an_operators_close_before_it() -> None:
    waiting = advance(session(), seen(state=SessionState.QRCODE, qr_payload="2@a"), at())

    closed = advance(
        waiting, seen(60, state=SessionState.CLOSED), at(60, closed_by=lambda: Reason.CLOSED_BY_OPERATOR)
    )

    assert closed.reason == Reason.CODE_EXPIRED


def test_that_a_session_has_no_browser_is_known_until_the_gateway_forgets_it() -> None:
    answers = [
        seen(0, state=SessionState.INITIALIZING, has_session_object=True, has_browser=False),
        seen(5, state=SessionState.QRCODE, has_session_object=True),
        seen(10, state=SessionState.CLOSED, has_session_object=False),
    ]
    known, has_browser = session(), []
    for number, answer in enumerate(answers):
        known = advance(known, answer, at(5 * number))
        has_browser.append(known.has_browser)

    assert has_browser == [False, False, None]
