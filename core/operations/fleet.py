"""Bulk actions: plan them for each session or gateway, and start sessions one at a time per gateway.

Each start launches a browser on the gateway (contract, section 8, T7), as self-healing does. A bulk start
waits for a running self-healing attempt and holds off others until the gateway's last session is done.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.clock import Now, now
from core.exceptions import StoreError
from core.models import Reason, SessionSnapshot, Snapshot, Verdict
from core.operation_status import OperationStatus
from core.reasons import gateway_fault
from core.settings.values import Settings

log = logging.getLogger(__name__)

Target = tuple[str, str]
"""A gateway and its session; the gateway itself if the session is empty."""
POLL_SECONDS = 0.25
FIRST_PAUSE_SECONDS = 5.0
MOST_FAILURES = 3
"""Consecutive failures after which no further session of the gateway is started."""

IN_VAIN = frozenset({"start_failed", "stuck", "timed_out", "unreachable", "asked_to_wait", "failed"})
"""Outcomes that count as failures: a pause follows."""


class Action(StrEnum):
    """Bulk actions. Logging out is not one of them, since each session then needs a scan."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    ACKNOWLEDGE = "acknowledge"


class Skip(StrEnum):
    """Why an action skips a session."""

    GONE = "gone"
    CONNECTED = "connected"
    UNDER_WAY = "under_way"
    NEEDS_PHONE = "needs_phone"
    NEEDS_RESTART = "needs_restart"
    NOT_ANSWERING = "not_answering"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    PAUSED = "paused"
    GATEWAY_PAUSED = "gateway_paused"
    CHECKED = "checked"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True)
class Plan:
    """The sessions that an action changes, and those that it skips."""

    action: Action
    will: tuple[Target, ...]
    skipped: tuple[tuple[Target, Skip], ...]


@dataclass(frozen=True)
class Item:
    """One session of a bulk start."""

    target: Target
    outcome: str = ""
    """A key of `OUTCOMES`, "gave_up" or "not_begun"; "" until it is done."""
    running: bool = False


@dataclass(frozen=True)
class Progress:
    """Progress of a bulk start."""

    actor: str
    began: datetime
    items: tuple[Item, ...]
    running: bool = True
    stopping: bool = False


class Turn(Protocol):
    """Exclusive right of self-healing or a bulk start to launch browsers on a gateway."""

    @property
    def is_lost(self) -> bool:
        """Whether another process may have the turn, although it was not released."""

    def try_acquire(self) -> bool:
        """Take the turn if it is free; return whether it was taken."""

    def release(self) -> None:
        """Release the turn; do nothing if it is not held."""


class StartsSessions(Protocol):
    """The part of `Operations` that a bulk start uses."""

    def turn(self, server: str) -> Turn:
        """Return the gateway's turn."""

    def start(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Start a session."""

    def status(self, server: str, session: str) -> OperationStatus | None:
        """Return the status of the session's newest operation."""


def plan(
    action: Action,
    targets: Iterable[Target],
    snapshot: Snapshot,
    settings: Settings,
    *,
    acknowledged: Collection[Target] = (),
) -> Plan:
    """Return the sessions that an action would change, and the others with the reason to skip them.

    A gateway itself (empty session) can only be acknowledged.
    """
    will, skipped = [], []
    for target in targets:
        session = snapshot.session(*target)
        server = settings.server(target[0])
        skip: Skip | None = Skip.GONE
        if session is not None and server is not None:
            configured = server.session(target[1])
            is_enabled = configured is not None and configured.enabled
            skip = _skip(action, session, is_enabled=is_enabled, gateway_enabled=server.enabled)
        gateway = snapshot.server(target[0])
        if not target[1] and gateway is not None and gateway_fault(gateway):
            skip = None
        if action is Action.ACKNOWLEDGE and target in acknowledged:
            skip = Skip.ACKNOWLEDGED
        if skip is None:
            will.append(target)
        else:
            skipped.append((target, skip))
    return Plan(action, tuple(will), tuple(skipped))


def _skip(
    action: Action, session: SessionSnapshot, *, is_enabled: bool, gateway_enabled: bool
) -> Skip | None:
    match action:
        case Action.PAUSE:
            return None if is_enabled else Skip.PAUSED
        case Action.RESUME if is_enabled:
            return Skip.CHECKED if gateway_enabled else Skip.GATEWAY_PAUSED
        case Action.RESUME:
            return None
        case Action.ACKNOWLEDGE:
            return _NOT_ACKNOWLEDGED.get(session.verdict)
    if not gateway_enabled:
        return Skip.GATEWAY_PAUSED
    if not is_enabled:
        return Skip.PAUSED
    if session.verdict is Verdict.DISCONNECTED:
        needs_phone = not session.ever_connected or session.reason in _WANT_A_PHONE
        return Skip.NEEDS_PHONE if needs_phone else None
    return _NOT_STARTED.get(session.verdict, Skip.UNKNOWN)


_WANT_A_PHONE = frozenset({Reason.CODE_EXPIRED, Reason.LINK_NOT_COMPLETED, Reason.LOGGED_OUT_BY_OPERATOR})
_NOT_ACKNOWLEDGED = {Verdict.CONNECTED: Skip.CONNECTED, Verdict.PAUSED: Skip.PAUSED}
_NOT_STARTED = {
    Verdict.CONNECTED: Skip.CONNECTED,
    Verdict.STARTING: Skip.UNDER_WAY,
    Verdict.WAITING_FOR_QR: Skip.NEEDS_PHONE,
    Verdict.WAITING_FOR_CODE: Skip.NEEDS_PHONE,
    Verdict.LINKING: Skip.NEEDS_PHONE,
    Verdict.STUCK: Skip.NEEDS_RESTART,
    Verdict.UNRESPONSIVE: Skip.NEEDS_RESTART,
    Verdict.UNREACHABLE: Skip.NOT_ANSWERING,
    Verdict.UNAUTHORIZED: Skip.REFUSED,
    Verdict.PAUSED: Skip.PAUSED,
}


class FleetStart:
    """Starts several sessions, one at a time per gateway. One bulk start at a time per process."""

    def __init__(
        self, operations: StartsSessions, *, clock: Now = now, pause_seconds: float = FIRST_PAUSE_SECONDS
    ) -> None:
        self._operations = operations
        self._clock = clock
        self._pause_seconds = pause_seconds
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._progress: Progress | None = None
        self._left = 0

    def begin(self, targets: Sequence[Target], *, actor: str) -> bool:
        """Start the sessions in the background; return False if `targets` is empty or another start runs."""
        with self._lock:
            if not targets or (self._progress is not None and self._progress.running):
                return False
            self._stop = threading.Event()
            self._progress = Progress(actor, self._clock(), tuple(Item(one) for one in targets))
            by_gateway: dict[str, list[Target]] = {}
            for target in targets:
                by_gateway.setdefault(target[0], []).append(target)
            self._left = len(by_gateway)
        for gateway, wanted in by_gateway.items():
            name = f"fleet-{gateway}"
            work = (self._operations.turn(gateway), wanted, actor)
            threading.Thread(target=self._run, args=work, name=name, daemon=True).start()
        return True

    def progress(self) -> Progress | None:
        """Return the progress of the newest start; None if there is none."""
        with self._lock:
            return self._progress

    def stop(self) -> None:
        """Start no further session; starts under way continue."""
        self._stop.set()
        with self._lock:
            if self._progress is not None and self._progress.running:
                self._progress = replace(self._progress, stopping=True)

    def dismiss(self) -> None:
        """Discard the progress of a finished start."""
        with self._lock:
            if self._progress is not None and not self._progress.running:
                self._progress = None

    def _run(self, turn: Turn, targets: Sequence[Target], actor: str) -> None:
        failures = 0
        try:
            self._wait_for(turn)
            for target in targets:
                if turn.is_lost:
                    turn.release()
                    self._wait_for(turn)
                if self._stop.is_set():
                    self._set(Item(target, "not_begun"))
                elif failures >= MOST_FAILURES:
                    self._set(Item(target, "gave_up"))
                else:
                    self._set(Item(target, running=True))
                    outcome = self._start(target, actor)
                    self._set(Item(target, outcome))
                    failures = failures + 1 if outcome in IN_VAIN else 0
                    if failures:
                        self._stop.wait(self._pause_seconds * 2.0 ** (failures - 1))
        except Exception:
            log.exception("fleet_start_failed")
        finally:
            turn.release()
            self._end_one()

    def _wait_for(self, turn: Turn) -> None:
        try:
            while not turn.try_acquire() and not self._stop.wait(POLL_SECONDS):
                pass
        except StoreError as error:
            # Without the turn two browsers may start at once; that is better than not starting the sessions.
            log.warning("fleet_start_takes_no_turn error=%s", error)

    def _start(self, target: Target, actor: str) -> str:
        try:
            status: OperationStatus | None = self._operations.start(*target, actor=actor)
            # `stop` does not end this loop: a start under way is followed to its end.
            while status is not None and status.is_running:
                time.sleep(POLL_SECONDS)
                status = self._operations.status(*target)
        except StoreError as error:
            log.warning("fleet_start_not_followed server=%s session=%s error=%s", *target, error)
            return "failed"
        return status.outcome.code if status is not None and status.outcome is not None else "stopped"

    def _set(self, item: Item) -> None:
        with self._lock:
            if self._progress is not None:
                items = tuple(item if one.target == item.target else one for one in self._progress.items)
                self._progress = replace(self._progress, items=items)

    def _end_one(self) -> None:
        with self._lock:
            self._left -= 1
            if not self._left and self._progress is not None:
                self._progress = replace(self._progress, running=False)
