"""The operations of a process: what is begun runs until a test ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from core.exceptions import StoreError
from core.models import Outcome
from core.monitor.healer import Restarts
from core.operation_status import SELF_HEALING, Kind, OperationStatus
from core.operations.record import ended
from tests.fakes.clock import FakeClock

Target = tuple[str, str]


class FakeTurn:
    """The turn to launch browsers on a gateway, which a test may take."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.error: StoreError | None = None
        self.is_lost = False
        """Whether something else has it, which is not known to its holder."""
        self.tries = 0

    @property
    def is_taken(self) -> bool:
        """Return whether something holds it."""
        return self._lock.locked()

    def try_acquire(self) -> bool:
        """Take it, unless it is taken."""
        if self.error is not None:
            raise self.error
        self.tries += 1
        return self._lock.acquire(blocking=False)

    def release(self) -> None:
        """Release it, if it is taken and was not lost."""
        if self.is_lost:
            self.is_lost = False
        elif self._lock.locked():
            self._lock.release()


class FakeOperations:
    """Operations that are recorded and end when a test says how; threads may share them."""

    def __init__(
        self, *ends: str, clock: Callable[[], datetime] | None = None, outcomes: dict[str, str] | None = None
    ) -> None:
        self.clock = clock or FakeClock()
        self.ends = list(ends)
        """The outcomes of the next operations, each of which ends before it is read."""
        self.outcomes = outcomes or {}
        """The outcomes of operations that end at once, by session."""
        self.calls: list[tuple[str, str, str, dict[str, Any]]] = []
        """Each call: its kind, server, session and other arguments."""
        self.statuses: dict[Target, OperationStatus] = {}
        self.most_at_once: dict[str, int] = {}
        """How many operations ran at once on a server."""
        self.error: Exception | None = None
        """Raised by every operation; one of the store also by each look at a status."""
        self.unreadable: set[str] = set()
        """Sessions whose status cannot be read."""
        self.obstacle: str | None = None
        self.is_taken = False
        """Whether something else launches browsers, so that self-healing has to wait."""
        self._turns: dict[str, FakeTurn] = {}
        self._lock = threading.Lock()

    def __getattr__(self, kind: str) -> Callable[..., OperationStatus]:
        if kind not in ("restart", "pair", "close", "logout"):
            raise AttributeError(kind)
        return lambda server, session, **how: self._call(kind, server, session, how)

    def start(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Start a session."""
        return self._call(Kind.START, server, session, {"actor": actor})

    def remove(self, server: str, session: str, *, actor: str) -> Outcome:
        """Remove a session. Waits for the outcome."""
        self.outcomes.setdefault(session, "removed")
        self._call(Kind.REMOVE, server, session, {"actor": actor})
        outcome = self.statuses[server, session].outcome
        assert outcome is not None
        return outcome

    @property
    def targets(self) -> list[Target]:
        """Return the server and session of each call."""
        return [(server, session) for _kind, server, session, _how in self.calls]

    def status(self, server: str, session: str) -> OperationStatus | None:
        """Return the status of the last operation on a session."""
        if isinstance(self.error, StoreError):
            raise self.error
        if session in self.unreadable:
            raise StoreError("the disk fails")
        return self.statuses.get((server, session))

    def forget(self, server: str, session: str) -> None:
        """Forget the last operation on a session."""
        self.statuses.pop((server, session), None)

    def turn(self, server: str) -> FakeTurn:
        """Return the turn to launch browsers on a gateway."""
        return self._turns.setdefault(server, FakeTurn())

    def code_obstacle(self, server: str, session: str) -> str | None:
        """Return why a pairing code cannot be had."""
        return self.obstacle

    def begin(
        self, session: str, *, server: str = "main", kind: str = Kind.RESTART, **fields: Any
    ) -> OperationStatus:
        """Begin an operation, as any process does."""
        now = self.clock()
        known: dict[str, Any] = {
            "actor": "ana",
            "holder": "tests[1]",
            "started_at": now,
            "step_since": now,
        } | fields
        status = OperationStatus(server=server, session=session, kind=Kind(kind), **known)
        self.statuses[server, session] = status
        running = sum(one.server == server and one.is_running for one in self.statuses.values())
        self.most_at_once[server] = max(running, self.most_at_once.get(server, 0))
        return status

    def end(self, session: str, code: str = "connected", *, server: str = "main") -> None:
        """End what runs on a session, or let its process die."""
        running = self.statuses[server, session]
        if code == "interrupted":
            over = running.model_copy(update={"interrupted": True})
        else:
            over = ended(running, code, at=self.clock())
        self.statuses[server, session] = over

    def restarts(self) -> Restarts:
        """Return what self-healing is given."""
        return Restarts(
            heal=self.heal,
            status=self.status,
            is_taken=lambda _server: self.is_taken,
            in_background=lambda call: call(),
        )

    def heal(self, server: str, session: str, is_closed: bool) -> None:
        """Restart a session for self-healing."""
        self._call(Kind.RESTART, server, session, {"actor": SELF_HEALING, "is_closed": is_closed})

    def _call(self, kind: str, server: str, session: str, how: dict[str, Any]) -> OperationStatus:
        with self._lock:
            if self.error is not None:
                raise self.error
            self.calls.append((kind, server, session, how))
            code = self.ends.pop(0) if self.ends else self.outcomes.get(session)
            status = self.statuses.get((server, session))
            if status is None or not status.is_running:
                actor = how["actor"]
                by_itself = actor == SELF_HEALING
                status = self.begin(session, server=server, kind=kind, actor=actor, by_itself=by_itself)
            if code is not None:
                self.end(session, code, server=server)
            return status
