"""The optional end-to-end check: whether WhatsApp still answers through a session's page.

None of the gateway's usual responses shows this. The check makes WhatsApp look up a number over the same
connection as messages. A page that has lost that connection keeps the request, and no response comes
(contract, sections 4 and 8, H7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from core.clock import Now
from core.gateways.protocol import EndToEndResult, Gateway
from core.models import EndToEnd, Frozen

RETRY_SECONDS = 60.0
"""Pause before a failed check is repeated; doubles with each further failure."""

SETTLING_SECONDS = 30.0
"""Pause before a newly connected session is checked: it is busy loading its chats."""


class Checked(Frozen):
    """One check of one session."""

    result: EndToEndResult
    started_at: datetime
    ended_at: datetime


def check(gateway: Gateway, session: str, *, now: Now) -> Checked:
    """Check one session. The phone number is not kept after this call."""
    started_at = now()
    return Checked(result=gateway.check_whatsapp(session), started_at=started_at, ended_at=now())


def count(before: EndToEnd, seen: Checked) -> EndToEnd:
    """Return the counters after one more check."""
    match seen.result:
        case EndToEndResult.PASSED:
            return EndToEnd(checked_at=seen.ended_at, passed_at=seen.ended_at, is_possible=True)
        case EndToEndResult.FAILED:
            failures = before.failures + 1
            return before.model_copy(
                update={"checked_at": seen.ended_at, "failures": failures, "is_possible": True}
            )
        case EndToEndResult.NOT_OFFERED:
            return before.model_copy(update={"checked_at": None, "failures": 0})
        case EndToEndResult.NO_NUMBER:
            return before.model_copy(update={"checked_at": None, "failures": 0, "is_possible": False})
        case EndToEndResult.INCONCLUSIVE:
            return before


class CheckTimes:
    """Schedule of the checks of one gateway: one session at a time, spread over the period."""

    def __init__(self, ages_seconds: Mapping[str, float | None], period_seconds: float, start: float) -> None:
        """Schedule the first checks; `ages_seconds` holds the time since each last check, None if none."""
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
        """Return the connected session to check now; None if none is due."""
        self._follow(set(connected), now)
        due = ((moment, name) for name, moment in self._due.items() if name in self._connected)
        moment, name = min(due, key=lambda one: one[0], default=(now, None))
        if name is None or moment > now:
            return None
        self._due[name] = now + self._period
        return name

    def ended(self, name: str, result: EndToEndResult, failures: int, now: float) -> None:
        """Schedule the next check of a session."""
        wait = self._period
        if result == EndToEndResult.FAILED:
            wait = min(wait, RETRY_SECONDS * 2.0 ** min(failures - 1, 10))
        elif result == EndToEndResult.INCONCLUSIVE:
            wait = min(wait, RETRY_SECONDS)
        self._due[name] = now + wait

    def _follow(self, connected: set[str], now: float) -> None:
        for name in connected & self._lost:
            self._due[name] = min(self._due[name], now + min(SETTLING_SECONDS, self._period))
        self._lost = (self._lost | self._connected) - connected
        self._connected = connected & self._due.keys()


def ages_seconds(known: Mapping[str, EndToEnd | None], now: datetime) -> dict[str, float | None]:
    """Return the time since each session's last check; infinite after a failure, so it is due at once."""
    return {name: _age(one, now) for name, one in known.items()}


def _age(known: EndToEnd | None, now: datetime) -> float | None:
    if known is None or known.checked_at is None:
        return None
    return float("inf") if known.failures else (now - known.checked_at) / timedelta(seconds=1)
