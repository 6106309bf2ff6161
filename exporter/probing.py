"""`/probe`: ask a gateway now, through whoever probes it anyway.

The process that holds the gateway's lease is told to look at once, and its answer is awaited: no more calls
are in flight than the gateway is allowed, a frozen page delays nobody else, and `/metrics` cannot contradict.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from core import verdict
from core.clock import Monotonic, Now
from core.clock import monotonic as real_monotonic
from core.clock import now as real_now
from core.models import Reason, SessionSnapshot, SessionState, Snapshot, Verdict

POLL_SECONDS = 0.05
OFFSET_SECONDS = 0.5
"""What an answer needs to reach Prometheus before its scrape time-out."""
USUAL_SECONDS = 10.0
LONGEST_SECONDS = 60.0


@dataclass(frozen=True)
class ProbeResult:
    """What a probe found out."""

    session: SessionSnapshot
    is_answered: bool
    """The gateway, or the lack of it, was seen within the time."""
    seconds: float

    @property
    def is_success(self) -> bool | None:
        """Tell whether the session is connected by this very probe; None of a paused one."""
        if self.session.verdict is Verdict.PAUSED:
            return None
        return self.is_answered and self.session.verdict is Verdict.CONNECTED


@dataclass
class _Ask:
    """One probe that is under way, and everybody who waits for it."""

    asked_at: datetime
    answer: asyncio.Future[SessionSnapshot] = field(repr=False)
    askers: int = 0


class Prober:
    """Belongs to one event loop; `hint` must return at once."""

    def __init__(
        self,
        *,
        read_snapshot: Callable[[], Snapshot],
        hint: Callable[[str, str], None],
        now: Now = real_now,
        monotonic: Monotonic = real_monotonic,
    ) -> None:
        self._read_snapshot = read_snapshot
        self._hint = hint
        self._now = now
        self._monotonic = monotonic
        self._asks: dict[tuple[str, str], _Ask] = {}
        self._poller: asyncio.Task[None] | None = None

    async def probe(self, server: str, session: str, *, seconds: float) -> ProbeResult | None:
        """Probe a session within so many seconds; None when it is not configured.

        Who asks while another one waits for the same session shares that probe.
        """
        began = self._monotonic()
        key = (server, session)
        latest = self._read_snapshot().session(*key)
        if latest is None:
            return None
        if latest.verdict is Verdict.PAUSED:
            return ProbeResult(latest, is_answered=True, seconds=0.0)
        ask = self._asks.get(key) or self._begin(key)
        ask.askers += 1
        try:
            async with asyncio.timeout(seconds):
                found = await asyncio.shield(ask.answer)
            return ProbeResult(found, is_answered=True, seconds=self._monotonic() - began)
        except TimeoutError:
            late = _unproved(self._read_snapshot().session(*key) or latest, ask.asked_at, self._now())
            return ProbeResult(late, is_answered=False, seconds=self._monotonic() - began)
        finally:
            ask.askers -= 1
            if not ask.askers and self._asks.get(key) is ask:
                del self._asks[key]

    def _begin(self, key: tuple[str, str]) -> _Ask:
        ask = _Ask(self._now(), asyncio.get_running_loop().create_future())
        self._asks[key] = ask
        self._hint(*key)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        return ask

    async def _poll(self) -> None:
        while self._asks:
            await asyncio.sleep(POLL_SECONDS)
            try:
                snapshot = self._read_snapshot()
            except Exception as error:  # noqa: BLE001 - handed on to everybody who waits
                for ask in self._asks.values():
                    ask.answer.set_exception(error)
                self._asks.clear()
                return
            for key, ask in list(self._asks.items()):
                found = snapshot.session(*key)
                if found is not None and _is_answer(found, ask.asked_at):
                    del self._asks[key]
                    ask.answer.set_result(found)


def budget_seconds(header: str | None) -> float:
    """Read X-Prometheus-Scrape-Timeout-Seconds, and keep some time back for the way."""
    try:
        timeout = float(header or "")
    except ValueError:
        timeout = USUAL_SECONDS
    if not (math.isfinite(timeout) and timeout > 0):
        timeout = USUAL_SECONDS
    offset = min(OFFSET_SECONDS, timeout / 2)
    return min(timeout - offset, LONGEST_SECONDS)


def _is_answer(session: SessionSnapshot, asked_at: datetime) -> bool:
    """Tell whether a session was looked at since, and its page, too, unless that is known to be dead."""
    if session.verdict is Verdict.PAUSED:
        return True
    started, checked = session.probe_started_at, session.page_checked_at
    if started is None or started < asked_at:
        return False
    if session.state is not SessionState.CONNECTED or session.verdict is Verdict.UNRESPONSIVE:
        return True
    return session.problem is not None or (checked is not None and checked >= asked_at)


def _unproved(session: SessionSnapshot, asked_at: datetime, now: datetime) -> SessionSnapshot:
    """Show a session of which nothing new became known in time."""
    if session.probe_started_at is not None and session.probe_started_at >= asked_at:
        return verdict.conclude(session, Verdict.UNKNOWN, Reason.PAGE_NOT_ANSWERING, now)
    return verdict.conclude(session, Verdict.UNKNOWN, Reason.GATEWAY_TIMEOUT, now)
