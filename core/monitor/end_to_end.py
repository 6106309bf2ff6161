"""The optional end-to-end check: does WhatsApp still answer through a session's page?

Nothing in the gateway's usual answers shows that. The check has WhatsApp look up a number, over the same
connection as messages; while the page has lost that connection it keeps the question, and no answer comes
(contract, sections 4 and 8, H7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from core.client import GatewayClient
from core.clock import Now
from core.exceptions import (
    NotOfferedError,
    RequestRejectedError,
    RequestTimeoutError,
    ServerFailureError,
    WppconnectError,
)
from core.models import EndToEnd, Frozen

NUMBER_DIGITS = 14
"""More digits are taken for another kind of identity (contract, section 4)."""

RETRY_SECONDS = 60.0
"""Until a check that failed is made again; twice as long after each further failure."""

SETTLING_SECONDS = 30.0
"""Until a session that has just connected is checked: it is busy loading its chats."""


class Result(StrEnum):
    """What came of one check."""

    PASSED = "passed"
    FAILED = "failed"
    """No answer in time, or the page failed to get one."""
    NOT_OFFERED = "not_offered"
    """This release of the gateway, or the engine that runs the session, does not know the question."""
    NO_NUMBER = "no_number"
    """The gateway tells no telephone number of the account (`...@lid`), so no number can be asked about."""
    INCONCLUSIVE = "inconclusive"
    """It never got as far as WhatsApp: that the page or the gateway does not answer is seen elsewhere."""


class Checked(Frozen):
    """One check of one session."""

    result: Result
    started_at: datetime
    ended_at: datetime


def check(client: GatewayClient, session: str, *, now: Now) -> Checked:
    """Check one session; the phone number is forgotten with the end of this call."""
    started_at = now()
    return Checked(result=_ask(client, session), started_at=started_at, ended_at=now())


def nobodys_number(own: str) -> str | None:
    """Make a number that belongs to nobody out of one's own; None where the own one is too long for that.

    Asked about the own number itself, newer pages answer from their contacts. A number that goes on after a
    complete one is no other subscriber's in any country, so nobody else is asked about.
    """
    return own.ljust(NUMBER_DIGITS, "0") if 0 < len(own) < NUMBER_DIGITS else None


def count(before: EndToEnd, seen: Checked) -> EndToEnd:
    """Take a check in."""
    match seen.result:
        case Result.PASSED:
            return EndToEnd(checked_at=seen.ended_at, passed_at=seen.ended_at, is_possible=True)
        case Result.FAILED:
            failures = before.failures + 1
            return before.model_copy(
                update={"checked_at": seen.ended_at, "failures": failures, "is_possible": True}
            )
        case Result.NOT_OFFERED:
            return before.model_copy(update={"checked_at": None, "failures": 0})
        case Result.NO_NUMBER:
            return before.model_copy(update={"checked_at": None, "failures": 0, "is_possible": False})
        case Result.INCONCLUSIVE:
            return before


class CheckTimes:
    """When which session of one gateway is checked: one at a time, spread over the period."""

    def __init__(self, ages_seconds: Mapping[str, float | None], period_seconds: float, start: float) -> None:
        """Begin; `ages_seconds` tells of each session how long ago it was checked, None if it never was."""
        self._period = period_seconds
        self._connected: set[str] = set()
        self._lost: set[str] = set()
        self._due: dict[str, float] = {}
        for position, (name, age) in enumerate(ages_seconds.items()):
            wait = position / len(ages_seconds) * period_seconds
            if age is not None:
                wait = min(max(0.0, period_seconds - age), period_seconds)
            self._due[name] = start + wait

    def next(self, connected: Iterable[str], now: float) -> str | None:
        """Name the session to check now, of those that can be; None when none is due."""
        self._follow(set(connected), now)
        due = ((moment, name) for name, moment in self._due.items() if name in self._connected)
        moment, name = min(due, key=lambda one: one[0], default=(now, None))
        if name is None or moment > now:
            return None
        self._due[name] = now + self._period
        return name

    def ended(self, name: str, result: Result, failures: int, now: float) -> None:
        """Plan the next check of a session."""
        wait = self._period
        if result == Result.FAILED:
            wait = min(wait, RETRY_SECONDS * 2.0 ** min(failures - 1, 10))
        elif result == Result.INCONCLUSIVE:
            wait = min(wait, RETRY_SECONDS)
        self._due[name] = now + wait

    def _follow(self, connected: set[str], now: float) -> None:
        for name in connected & self._lost:
            self._due[name] = min(self._due[name], now + min(SETTLING_SECONDS, self._period))
        self._lost = (self._lost | self._connected) - connected
        self._connected = connected & self._due.keys()


def ages_seconds(known: Mapping[str, EndToEnd | None], now: datetime) -> dict[str, float | None]:
    """Tell how long ago each session was checked; one that failed is to be checked again at once."""
    return {name: _age(one, now) for name, one in known.items()}


def _age(known: EndToEnd | None, now: datetime) -> float | None:
    if known is None or known.checked_at is None:
        return None
    return float("inf") if known.failures else (now - known.checked_at) / timedelta(seconds=1)


def _ask(client: GatewayClient, session: str) -> Result:
    try:
        own = client.read_own_number(session)
        number = nobodys_number(own) if own is not None else None
    except WppconnectError as error:
        return _offered(error)
    if number is None:
        return Result.NO_NUMBER
    try:
        # Whether the answer is yes or no does not matter: that there is one proves that WhatsApp was asked.
        client.check_number(session, number)
    except RequestTimeoutError:
        return Result.FAILED
    except ServerFailureError as error:
        # The gateway says in JSON that the page failed; any other 5xx is of a proxy in front of it.
        return Result.FAILED if error.status_code == 500 and error.server_message else Result.INCONCLUSIVE
    except WppconnectError as error:
        return _offered(error)
    return Result.PASSED


def _offered(error: WppconnectError) -> Result:
    # A 404 in JSON is another error: the session is not connected.
    is_missing = isinstance(error, RequestRejectedError) and error.status_code == 404
    is_missing |= isinstance(error, NotOfferedError)
    return Result.NOT_OFFERED if is_missing else Result.INCONCLUSIVE
