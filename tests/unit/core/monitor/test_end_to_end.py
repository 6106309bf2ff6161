"""The end-to-end check: what is asked, how the answers count, and whose turn it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from watched_gateway import FakeClient, Probing, probing

from core.exceptions import (
    AuthenticationError,
    ConnectError,
    NotOfferedError,
    RequestRejectedError,
    RequestTimeoutError,
    ResponseError,
    ServerFailureError,
    SessionDisconnectedError,
    WppconnectError,
)
from core.gateways.protocol import EndToEndResult
from core.gateways.wppconnect.end_to_end import nobodys_number
from core.models import EndToEnd, Reason, SessionState, Verdict
from core.monitor.end_to_end import Checked, CheckTimes, ages_seconds, check, count
from tests.fakes import FakeClock

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PERIOD = 900.0
OWN = "5511900000000"


def checked(result: EndToEndResult) -> Checked:
    return Checked(result=result, started_at=T0, ended_at=T0 + timedelta(seconds=1))


def page_failed(status: int = 500, words: str = "Error on check number status") -> ServerFailureError:
    return ServerFailureError("it failed", status_code=status, server_message=words)


def route_missing() -> RequestRejectedError:
    return RequestRejectedError("it refused", status_code=404)


@pytest.mark.parametrize(
    ("own", "asked"),
    [
        pytest.param("5511900000000", "55119000000000", id="one digit more"),
        pytest.param("4512345678", "45123456780000", id="four digits more"),
        pytest.param("55119000000001", None, id="no room"),
        pytest.param("", None, id="none"),
    ],
)
def test_what_is_asked_about_is_nobodys_number(own: str, asked: str | None) -> None:
    assert nobodys_number(own) == asked


def test_the_own_number_itself_is_not_asked_about() -> None:
    client = FakeClient("sales")

    check(client, "sales", now=FakeClock())

    assert client.numbers_checked == [nobodys_number(client.own_number or "")]


@pytest.mark.parametrize(
    ("own_error", "check_error", "result"),
    [
        pytest.param(None, None, EndToEndResult.PASSED, id="an answer"),
        pytest.param(None, RequestTimeoutError("late"), EndToEndResult.FAILED, id="no answer in time"),
        pytest.param(None, page_failed(), EndToEndResult.FAILED, id="the page failed"),
        pytest.param(None, page_failed(502), EndToEndResult.INCONCLUSIVE, id="502 of a proxy"),
        pytest.param(None, page_failed(500, ""), EndToEndResult.INCONCLUSIVE, id="500 without words"),
        pytest.param(None, route_missing(), EndToEndResult.NOT_OFFERED, id="no such route"),
        pytest.param(route_missing(), None, EndToEndResult.NOT_OFFERED, id="no route for the number"),
        pytest.param(
            None,
            NotOfferedError("no", status_code=501),
            EndToEndResult.NOT_OFFERED,
            id="not by its engine",
        ),
        pytest.param(
            None,
            SessionDisconnectedError("closed", status_code=404),
            EndToEndResult.INCONCLUSIVE,
            id="the page does not answer",
        ),
        pytest.param(RequestTimeoutError("late"), None, EndToEndResult.INCONCLUSIVE, id="the page is frozen"),
        pytest.param(None, ConnectError("refused"), EndToEndResult.INCONCLUSIVE, id="the gateway is gone"),
        pytest.param(None, ResponseError("HTML"), EndToEndResult.INCONCLUSIVE, id="unreadable"),
        pytest.param(
            AuthenticationError("no", status_code=401), None, EndToEndResult.INCONCLUSIVE, id="token refused"
        ),
    ],
)
def test_what_an_answer_means(
    own_error: WppconnectError | None, check_error: WppconnectError | None, result: EndToEndResult
) -> None:
    client = FakeClient("sales")
    client.own_number_error, client.number_check_error = own_error, check_error

    assert check(client, "sales", now=FakeClock()).result == result


def test_a_session_without_a_number_cannot_be_checked() -> None:
    client = FakeClient("sales")
    client.own_number = None

    found = check(client, "sales", now=FakeClock())

    assert found.result == EndToEndResult.NO_NUMBER
    assert client.numbers_checked == []
    assert count(EndToEnd(failures=1), found) == EndToEnd(is_possible=False)


def test_failures_in_a_row_are_counted() -> None:
    passed = count(EndToEnd(), checked(EndToEndResult.PASSED))

    twice = count(count(passed, checked(EndToEndResult.FAILED)), checked(EndToEndResult.FAILED))
    again = count(twice, checked(EndToEndResult.PASSED))

    assert (passed.failures, twice.failures, again.failures) == (0, 2, 0)
    assert twice.passed_at == passed.passed_at == T0 + timedelta(seconds=1)


def test_what_is_not_known_changes_nothing() -> None:
    failed = count(EndToEnd(), checked(EndToEndResult.FAILED))

    assert count(failed, checked(EndToEndResult.INCONCLUSIVE)) == failed
    assert count(failed, checked(EndToEndResult.NOT_OFFERED)).failures == 0


def turns(times: CheckTimes, names: list[str], seconds: float, *, takes: float = 1.0) -> dict[str, float]:
    """Let time pass in seconds, and tell when each was first checked."""
    first: dict[str, float] = {}
    for now in range(int(seconds)):
        name = times.next(names, now)
        if name is not None:
            first.setdefault(name, now)
            times.ended(name, EndToEndResult.PASSED, 0, now + takes)
    return first


def test_first_checks_are_spread_over_the_period() -> None:
    names = [f"s{number}" for number in range(10)]

    first = turns(CheckTimes(dict.fromkeys(names), PERIOD, 0.0), names, PERIOD)

    assert [first[name] for name in names] == [90.0 * position for position in range(10)]


def test_a_restart_of_the_prober_keeps_the_rhythm() -> None:
    known = {"old": 1000.0, "recent": 100.0, "failed": float("inf"), "ahead of its time": -50.0}

    first = turns(CheckTimes(known, PERIOD, 0.0), list(known), PERIOD + 5)

    assert first == {"old": 0, "failed": 1, "recent": 800, "ahead of its time": 900}


def test_a_failed_check_is_repeated_soon_and_then_ever_later() -> None:
    times, now, waits = CheckTimes({"sales": None}, PERIOD, 0.0), 0.0, []
    for failures in range(1, 8):
        times.ended("sales", EndToEndResult.FAILED, failures, now)
        due = next(second for second in range(2000) if times.next(["sales"], now + second))
        waits.append(due)

    assert waits == [60, 120, 240, 480, 900, 900, 900]


def test_a_session_that_has_just_connected_is_checked_when_it_has_settled() -> None:
    times = CheckTimes({"sales": 0.0}, PERIOD, 0.0)
    before = times.next(["sales"], 1.0)

    lost = times.next([], 10.0)
    back = times.next(["sales"], 20.0)
    early, settled = times.next(["sales"], 49.0), times.next(["sales"], 50.0)

    assert [before, lost, back, early, settled] == [None, None, None, None, "sales"]


def test_sessions_whose_page_does_not_answer_are_left_out() -> None:
    times = CheckTimes({"sales": None, "support": None}, PERIOD, 0.0)

    assert times.next(["support"], PERIOD) == "support"
    assert times.next([], 2 * PERIOD) is None


def test_a_failure_is_overdue_after_a_restart() -> None:
    known = {
        "passed": EndToEnd(checked_at=T0, passed_at=T0),
        "failed": EndToEnd(checked_at=T0, failures=1),
        "new": EndToEnd(),
        "never": None,
    }

    assert ages_seconds(known, T0 + timedelta(minutes=1)) == {
        "passed": 60.0,
        "failed": float("inf"),
        "new": None,
        "never": None,
    }


def checking(directory: Path, *sessions: str, minutes: float = 15) -> Probing:
    return probing(directory, *sessions, end_to_end_minutes=minutes)


def test_without_the_setting_nothing_is_asked(tmp_path: Path) -> None:
    main = checking(tmp_path, "sales", minutes=0)

    main.advance(1000, tick=1.0)

    assert main.client.calls["own number sales"] == 0
    assert main.session().end_to_end is None


def test_each_session_is_checked_once_a_period(tmp_path: Path) -> None:
    main = checking(tmp_path, "sales", "support")

    main.advance(4 * PERIOD + 60, tick=1.0)

    assert main.client.calls["number check sales"] == 5
    assert main.client.calls["number check support"] in (4, 5)
    assert main.session().end_to_end is not None
    assert main.published().end_to_end_offered is True


def test_one_lost_question_is_no_outage_and_two_are(tmp_path: Path) -> None:
    main = checking(tmp_path, "sales")
    main.advance(30, tick=1.0)
    main.client.number_check_error = RequestTimeoutError("WhatsApp does not answer")

    main.advance(PERIOD, tick=1.0)
    once = main.session()
    main.advance(90, tick=1.0)
    twice = main.session()

    assert (once.verdict, once.end_to_end and once.end_to_end.failures) == (Verdict.CONNECTED, 1)
    assert (twice.verdict, twice.reason) == (Verdict.UNRESPONSIVE, Reason.WHATSAPP_NOT_ANSWERING)
    assert twice.lost_reason == Reason.WHATSAPP_NOT_ANSWERING


def test_it_is_connected_again_when_whatsapp_answers(tmp_path: Path) -> None:
    main = checking(tmp_path, "sales")
    main.client.number_check_error = RequestTimeoutError("WhatsApp does not answer")
    main.advance(120, tick=1.0)
    lost = main.session()

    main.client.number_check_error = None
    main.advance(300, tick=1.0)

    assert lost.verdict == Verdict.UNRESPONSIVE
    assert main.session().verdict == Verdict.CONNECTED
    assert main.transitions()[-2:] == [("connected", "unresponsive"), ("unresponsive", "connected")]


def test_a_gateway_without_the_route_is_never_down(tmp_path: Path) -> None:
    main = checking(tmp_path, "sales")
    main.client.number_check_error = route_missing()

    main.advance(3 * PERIOD, tick=1.0)

    assert main.session().verdict == Verdict.CONNECTED
    assert main.published().end_to_end_offered is False


def test_a_failure_says_nothing_about_the_next_connection(tmp_path: Path) -> None:
    main = checking(tmp_path, "sales")
    main.client.number_check_error = RequestTimeoutError("WhatsApp does not answer")
    main.advance(120, tick=1.0)
    main.client.number_check_error = None

    main.client.pages["sales"].state = SessionState.CLOSED
    main.advance(10)
    closed = main.session()
    main.client.pages["sales"].state = SessionState.CONNECTED
    main.advance(10)
    opened = main.session()
    main.advance(60, tick=1.0)

    assert closed.verdict == Verdict.DISCONNECTED
    assert (opened.verdict, opened.end_to_end) == (Verdict.CONNECTED, EndToEnd())
    assert main.session().end_to_end != EndToEnd()


def test_checks_that_hang_leave_the_interval_of_healthy_sessions_alone(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(20)]
    main = checking(tmp_path, *names, minutes=5)
    main.client.number_check_error = RequestTimeoutError("WhatsApp does not answer")
    main.client.number_check_seconds = 15.0
    main.advance(60)

    main.client.calls.clear()
    main.advance(60)

    assert {main.client.calls[f"status {name}"] for name in names} <= {11, 12}
    assert sum(main.client.calls[f"number check {name}"] for name in names) in (4, 5)


def test_what_was_found_is_known_after_a_restart(tmp_path: Path) -> None:
    main = checking(tmp_path, "sales")
    main.advance(30, tick=1.0)
    known = main.session().end_to_end

    main.begin("tests[2]")
    main.advance(30, tick=1.0)

    assert main.session().end_to_end == known
    assert main.client.calls["number check sales"] == 1


def test_switched_off_nothing_is_left_of_it(tmp_path: Path) -> None:
    main = checking(tmp_path, "sales")
    main.client.number_check_error = RequestTimeoutError("WhatsApp does not answer")
    main.advance(120, tick=1.0)

    main.server = main.server.model_copy(update={"end_to_end_minutes": 0})
    main.begin("tests[2]")
    main.advance(10)

    assert main.session().end_to_end is None
    assert main.session().verdict == Verdict.CONNECTED
    assert main.published().end_to_end_offered is None
