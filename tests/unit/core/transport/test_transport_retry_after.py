"""429, and 503 with Retry-After: the gateway is left alone for as long as it says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from gateway_calls import get

from core.exceptions import ConnectError, RetryLaterError
from core.transport import Answer, CallLimiter, CallSlot, Transport
from core.transport.retry_after import LONGEST_SECONDS, USUAL_SECONDS, retry_after_seconds
from tests.loopback import Loopback, answering, http_answer

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LIMITED = http_answer(b"", status="429 Too Many Requests", headers="Retry-After: 30\r\n")


class Elapsed:
    """Seconds that pass only when told."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param("30", 30.0, id="seconds"),
        pytest.param(" 7 ", 7.0, id="with blanks"),
        pytest.param("0", 0.0, id="at once"),
        pytest.param("Sun, 01 Mar 2026 12:00:20 GMT", 20.0, id="a date"),
        pytest.param("Sunday, 01-Mar-26 12:00:20 GMT", 20.0, id="a date of RFC 850"),
        pytest.param("Sun, 01 Mar 2026 11:00:00 GMT", 0.0, id="a date that is over"),
        pytest.param("Sun, 01 Mar 2026 14:00:00 GMT", LONGEST_SECONDS, id="a date far away"),
        pytest.param("86400", LONGEST_SECONDS, id="a day"),
        pytest.param("9" * 5000, LONGEST_SECONDS, id="thousands of digits"),
        pytest.param(None, USUAL_SECONDS, id="missing"),
        pytest.param("", USUAL_SECONDS, id="empty"),
        pytest.param("-5", USUAL_SECONDS, id="negative"),
        pytest.param("1.5", USUAL_SECONDS, id="a fraction"),
        pytest.param("soon", USUAL_SECONDS, id="a word"),
        pytest.param("٣", USUAL_SECONDS, id="other digits"),
    ],
)
def test_the_header_is_seconds_or_a_date(header: str | None, seconds: float) -> None:
    assert retry_after_seconds(header, NOON) == seconds


def transport_of(url: str, limiter: CallLimiter) -> Transport:
    return Transport(url, connect_timeout_seconds=1, proxy=None, user_agent="tests", slot=CallSlot(limiter))


def ask(transport: Transport, scope: str) -> Answer:
    return transport.request("GET", "/", path={}, operation="ask", timeout_seconds=5, scope=scope)


def test_all_clients_of_the_gateway_leave_it_alone_until_then() -> None:
    elapsed = Elapsed()
    limiter = CallLimiter(monotonic=elapsed)
    with Loopback(answering(LIMITED, http_answer())) as server:
        here, there = transport_of(server.url, limiter), transport_of(server.url, limiter)
        with pytest.raises(RetryLaterError) as first:
            get(here)
        elapsed.seconds += 29
        with pytest.raises(RetryLaterError) as second:
            get(there)
        asked = len(server.requests)
        elapsed.seconds += 1
        answer = get(here)
        here.close()
        there.close()

    assert (first.value.explanation.id, first.value.retry_after_seconds) == (
        "transport.too_many_requests",
        30,
    )
    assert (second.value.explanation.id, second.value.retry_after_seconds) == ("transport.left_alone", 1)
    assert (asked, answer.status_code) == (1, 200)


@pytest.mark.parametrize(
    ("limited", "free"),
    [
        pytest.param("manager", "", id="the limit of some routes"),
        pytest.param("", "manager", id="the other routes' limit"),
    ],
)
def test_routes_may_have_a_limit_of_their_own(limited: str, free: str) -> None:
    with Loopback(answering(LIMITED, http_answer())) as server:
        transport = transport_of(server.url, CallLimiter())
        with pytest.raises(RetryLaterError):
            ask(transport, limited)

        assert ask(transport, free).status_code == 200
        with pytest.raises(RetryLaterError):
            ask(transport, limited)
        transport.close()


def test_503_is_obeyed_where_it_says_until_when() -> None:
    busy = http_answer(b"", status="503 Service Unavailable", headers="retry-after: 5\r\n")
    with Loopback(answering(busy)) as server:
        transport = transport_of(server.url, CallLimiter())
        with pytest.raises(RetryLaterError) as caught:
            get(transport)
        transport.close()

    assert caught.value.explanation.id == "transport.busy"
    assert not isinstance(caught.value, ConnectError)


def test_503_without_it_is_an_answer_like_others() -> None:
    with Loopback(answering(http_answer(b"", status="503 Service Unavailable"))) as server:
        transport = transport_of(server.url, CallLimiter())
        assert get(transport).status_code == 503
        transport.close()
