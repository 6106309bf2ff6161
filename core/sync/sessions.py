"""A gateway's sessions while its container is replaced: connected before, and connected again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Monotonic, Now
from core.clock import monotonic as real_monotonic
from core.clock import now as real_now
from core.messages import Message
from core.models import WAITS_FOR_A_PHONE, Reason, SessionSnapshot, Verdict
from core.monitor.monitor import Monitor
from core.sync.progress import Report, StepEvent, StepState

POLL_SECONDS = 0.25
JUST_NOW = timedelta(minutes=15)
LOST_WITH_THE_GATEWAY = frozenset(
    [
        Reason.GATEWAY_UNREACHABLE,
        Reason.GATEWAY_RESTARTED,
        Reason.GATEWAY_TIMEOUT,
        Reason.TOKEN_REJECTED,
        Reason.SECRET_REJECTED,
    ]
)
"""Also the refusals: a new key is in force here before the gateway runs with it."""
StartSession = Callable[[str, str], None]
"""Asks for one session of one server to be started; returns at once."""


@dataclass(frozen=True)
class SessionTimeouts:
    """Seconds."""

    whole: float = 240.0
    """A gateway that starts many browsers at once is slow."""
    before_start: float = 20.0
    """How long a closed session is left to the gateway, which usually starts it at boot by itself."""
    between_starts: float = 60.0
    """How long one started session may take before the next is started."""
    first_look: float = 10.0


class GatewaySessions:
    """What the monitor knows of gateways' sessions."""

    def __init__(
        self,
        monitor: Monitor,
        start: StartSession,
        *,
        timeouts: SessionTimeouts | None = None,
        now: Now = real_now,
        monotonic: Monotonic = real_monotonic,
    ) -> None:
        self._monitor = monitor
        self._start = start
        self._timeouts = timeouts or SessionTimeouts()
        self._now = now
        self._monotonic = monotonic

    def connected(self, server: str, stop: threading.Event) -> tuple[str, ...]:
        """Name the sessions that are connected now, or were until the gateway was changed just now.

        The monitor is given the time to look at each once: it may have begun just now.
        """
        deadline = self._monotonic() + self._timeouts.first_look
        while True:
            found = self._monitor.snapshot().server(server)
            sessions = found.sessions if found else ()
            is_blind = any(one.enabled and one.observed_at is None for one in sessions)
            if not is_blind or self._monotonic() >= deadline or stop.is_set():
                return tuple(one.session for one in sessions if self._counts(one))
            stop.wait(POLL_SECONDS)

    def lost(
        self,
        server: str,
        sessions: Sequence[str],
        *,
        since: datetime,
        report: Report,
        stop: threading.Event,
    ) -> tuple[str, ...]:
        """Wait until sessions were seen connected since a moment; return those that were not in time."""
        wait = _Wait(self, server, since, report)
        for name in sessions:
            report(StepEvent(step="wait_sessions", subject=f"{server}/{name}"))
        left = list(sessions)
        deadline = self._monotonic() + self._timeouts.whole
        while left and self._monotonic() < deadline and not stop.is_set():
            left = [name for name in left if not wait.is_back(name)]
            wait.help(left)
            if all(name in wait.hopeless for name in left):
                break
            stop.wait(POLL_SECONDS)
        gone = "containers.session_not_awaited" if stop.is_set() else "containers.session_not_in_time"
        for name in left:
            wait.tell(name, StepState.FAILED, Message.of(wait.hopeless.get(name, gone)))
        return tuple(left)

    def _counts(self, current: SessionSnapshot) -> bool:
        if current.verdict is Verdict.CONNECTED:
            return True
        lost_at, why = current.lost_at, current.lost_reason
        if current.maintenance_until is not None and current.ever_connected:
            # Nothing is an outage in maintenance, which is when gateways are recreated.
            lost_at, why = current.since, current.reason
        return lost_at is not None and why in LOST_WITH_THE_GATEWAY and self._now() - lost_at <= JUST_NOW


class _Wait:
    """One wait for a gateway's sessions."""

    def __init__(self, owner: GatewaySessions, server: str, since: datetime, report: Report) -> None:
        self._owner = owner
        self._server = server
        self._since = since
        self._report = report
        self._closed_since: dict[str, float] = {}
        self._started: dict[str, float] = {}
        self.hopeless: dict[str, str] = {}
        """Sessions that do not come back by themselves, and the id of why."""

    def is_back(self, name: str) -> bool:
        """Look at one session; report it when it is connected."""
        self._owner._monitor.watch(self._server, name)
        current = self._current(name)
        if current is None or current.verdict is not Verdict.CONNECTED:
            if current is not None and current.verdict in WAITS_FOR_A_PHONE:
                self.hopeless[name] = "containers.session_needs_phone"
            else:
                self.hopeless.pop(name, None)
            return False
        self.tell(name, StepState.DONE)
        return True

    def help(self, left: Sequence[str]) -> None:
        """Start closed sessions that the gateway does not start by itself, one browser at a time."""
        now = self._owner._monotonic()
        for name in left:
            current = self._current(name)
            if current is None or current.verdict is not Verdict.DISCONNECTED:
                self._closed_since.pop(name, None)
            else:
                self._closed_since.setdefault(name, now)
        timeouts = self._owner._timeouts
        if any(now - self._started[name] < timeouts.between_starts for name in left if name in self._started):
            return
        for name in left:
            closed_for = now - self._closed_since.get(name, now)
            if name not in self._started and closed_for >= timeouts.before_start:
                self._started[name] = now
                self._owner._start(self._server, name)
                return

    def tell(self, name: str, state: StepState, note: Message | None = None) -> None:
        """Report how the wait for a session ended."""
        self._report(
            StepEvent(step="wait_sessions", subject=f"{self._server}/{name}", state=state, note=note)
        )

    def _current(self, name: str) -> SessionSnapshot | None:
        """What was seen of a session since the new container runs."""
        current = self._owner._monitor.snapshot().session(self._server, name)
        fresh = (
            current is not None
            and current.probe_started_at is not None
            and current.probe_started_at >= self._since
        )
        return current if fresh else None
