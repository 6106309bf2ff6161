"""What operations are given: a monitor that tells a story, a gateway that obeys, and a process of ours."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from watched_gateway import SERVER, Elapsed, FailingHistory, server_settings, settings_of

from core.exceptions import StoreError, WppconnectError
from core.gateways.protocol import Gateway, SessionStatus
from core.gateways.wppconnect.client import StartOptions
from core.gateways.wppconnect.contract.waits import WppconnectWaits
from core.gateways.wppconnect.gateway import WppconnectGateway
from core.locks import FileLocks, Locks, ProcessLock
from core.models import HistoryEntry, ServerSnapshot, SessionSnapshot, SessionState, Snapshot, Verdict
from core.monitor.recovery import first_server_snapshot, first_snapshot
from core.operation_status import Kind, OperationStatus
from core.operations.operation_run import OperationContext
from core.operations.operations import Operations
from core.settings.saved import SavedSettings
from core.settings.values import ServerSettings, Settings
from tests.fakes import FakeClock, MemoryStore
from tests.support.waiting import until

SESSION = "sales"


class FakeLock:
    """A lock that nobody else wants, until a test has it lost."""

    def __init__(self) -> None:
        self.is_lost = False

    def try_acquire(self) -> bool:
        return True

    def acquire(self, timeout_seconds: float) -> None:
        """Acquire it, always."""

    def release(self) -> None:
        """Release it."""

    def __enter__(self) -> FakeLock:
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()


class FakeLocks:
    """The locks of a process that may lose them, by name; others never hold them."""

    def __init__(self) -> None:
        self.by_name: defaultdict[str, FakeLock] = defaultdict(FakeLock)

    def lock(self, name: str) -> FakeLock:
        return self.by_name[name]

    def is_locked(self, name: str) -> bool:
        return False


class FakeSource:
    """A settings source that takes every change, or none."""

    def __init__(self, server: ServerSettings | None = None) -> None:
        self.server = server or server_settings(SESSION)
        self.revision = 1
        self.refusal: WppconnectError | None = None
        self.saves: list[tuple[int, str]] = []
        self.changes: list[SavedSettings] = []

    def current(self) -> Settings:
        return settings_of(self.server, revision=self.revision)

    def edit(
        self,
        change: Callable[[SavedSettings], SavedSettings],
        *,
        actor: str,
        told: Collection[HistoryEntry] = (),
    ) -> Settings:
        if self.refusal is not None:
            raise self.refusal
        self.saves.append((self.revision, actor))
        self.changes.append(change(SavedSettings()))
        return self.current()


class ClockedMonitor:
    """Shows what a test sets; waiting costs the fake clocks what it would cost the real ones."""

    def __init__(self, clock: FakeClock, elapsed: Elapsed, server: ServerSettings) -> None:
        self.clock, self.elapsed = clock, elapsed
        base = first_server_snapshot(server, settings_of(server), holder="tests[9]", now=clock())
        self._server: ServerSnapshot = base
        self.seen: SessionSnapshot | None = first_snapshot(SERVER, SESSION, clock())
        self.is_probing = True
        self.gate: threading.Event | None = None
        """Holds up whoever waits, in real time."""
        self.waits: list[float] = []
        self.hints: list[str] = []
        self.hint_error: StoreError | None = None

    def hint(self, server: str, session: str) -> None:
        """Take the wish for a probe at once."""
        self.hints.append(session)
        if self.hint_error is not None:
            raise self.hint_error

    def show(self, verdict: Verdict, state: SessionState | None = None, **fields: Any) -> None:
        """Have the next look see this."""
        assert self.seen is not None
        update = {"verdict": verdict, "state": state, "since": self.clock(), **fields}
        self.seen = self.seen.model_copy(update=update)

    def show_gateway(self, **fields: Any) -> None:
        self._server = self._server.model_copy(update=fields)

    def snapshot(self) -> Snapshot:
        sessions = (self.seen,) if self.seen else ()
        server = self._server.model_copy(update={"sessions": sessions})
        return Snapshot(taken_at=self.clock(), settings_revision=1, servers=(server,))

    def wait_for(
        self,
        server: str,
        session: str,
        condition: Callable[[SessionSnapshot], bool],
        *,
        timeout_seconds: float,
        stop: threading.Event,
    ) -> SessionSnapshot | None:
        self.waits.append(timeout_seconds)
        if self.gate is not None:
            until(lambda: self.gate is None or self.gate.is_set() or stop.is_set(), what="the gate")
        if stop.is_set():
            return None
        if self.seen is not None and self.is_probing:
            now = self.clock()
            self.seen = self.seen.model_copy(update={"observed_at": now, "probe_started_at": now})
        if self.seen is not None and timeout_seconds > 0 and condition(self.seen):
            return self.seen
        self.clock.advance(max(0.0, timeout_seconds))
        self.elapsed.seconds += max(0.0, timeout_seconds)
        return None


class FakeGateway(WppconnectGateway):
    """A gateway that obeys, and shows it on the monitor."""

    def __init__(self, monitor: ClockedMonitor) -> None:
        self.monitor = monitor
        self.waits = WppconnectWaits()
        self.calls: list[str] = []
        self.error: BaseException | None = None
        self.pairing_code: str | None = None
        self.after_start = (Verdict.CONNECTED, SessionState.CONNECTED)
        self.close_answers = True
        self.is_closed = False

    def _act(self, what: str, verdict: Verdict, state: SessionState) -> None:
        self.calls.append(what)
        if self.error is not None:
            raise self.error
        self.monitor.show(verdict, state, has_session_object=what == "start")

    def start_session(self, session: str, options: StartOptions | None) -> str | None:
        self._act("start", *self.after_start)
        return self.pairing_code

    def close_session(self, session: str) -> bool:
        self._act("close", Verdict.DISCONNECTED, SessionState.CLOSED)
        return self.close_answers

    def logout_session(self, session: str) -> None:
        self._act("logout", Verdict.DISCONNECTED, SessionState.CLOSED)

    def remove_session(self, session: str) -> bool:
        self.calls.append("remove")
        if self.error is not None:
            raise self.error
        return True

    def read_status(self, session: str) -> SessionStatus:
        return SessionStatus(SessionState.CLOSED, None, True, "2.10.4")

    def close(self) -> None:
        self.is_closed = True


class FakeStop(threading.Event):
    """Waiting for the end of the process takes no time, and moves the clocks."""

    def __init__(self, clock: FakeClock, elapsed: Elapsed) -> None:
        super().__init__()
        self._clock, self._elapsed = clock, elapsed
        self.waited: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout or 0.0)
        self._clock.advance(timeout or 0.0)
        self._elapsed.seconds += timeout or 0.0
        return self.is_set()


class World:
    """The parts that one or more processes of ours share."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock, self.elapsed = FakeClock(), Elapsed()
        self.store = MemoryStore()
        self.history = FailingHistory(directory / "history")
        self.source = FakeSource()
        self.monitor = ClockedMonitor(self.clock, self.elapsed, self.source.server)
        self.gateway = FakeGateway(self.monitor)
        self.processes: list[Operations] = []

    def client(self, _server: ServerSettings, _settings: Settings) -> Gateway:
        return self.gateway

    def operations(
        self,
        holder: str = "tests[1]",
        *,
        monotonic: Callable[[], float] = time.monotonic,
        locks: Locks | None = None,
    ) -> Operations:
        """The operations of one process."""
        source: Any = self.source
        monitor: Any = self.monitor
        made = Operations(
            settings=source,
            store=self.store,
            history=self.history,
            monitor=monitor,
            client=self.client,
            locks=locks or FileLocks(self.directory / "locks"),
            holder=holder,
            waits=WppconnectWaits(),
            now=self.clock,
            monotonic=monotonic,
        )
        self.processes.append(made)
        return made

    def context(self, stop: threading.Event | None = None) -> OperationContext:
        source: Any = self.source
        monitor: Any = self.monitor
        ends = stop or FakeStop(self.clock, self.elapsed)
        return OperationContext(
            source, self.store, monitor, self.client, WppconnectWaits(), self.clock, self.elapsed, ends
        )

    def stored(self, key: str = f"{SERVER}/{SESSION}") -> dict[str, Any]:
        record = self.store.read("operations", key)
        assert record is not None
        return record.value

    def stop(self) -> None:
        for one in self.processes:
            one.stop()


def await_end(operations: Operations) -> OperationStatus:
    """Wait until what runs on the session has ended."""

    def end() -> OperationStatus | None:
        status = operations.status(SERVER, SESSION)
        return status if status is not None and not status.is_running else None

    until(end, what="the end of the operation")
    found = end()
    assert found is not None
    return found


def closed(world: World) -> None:
    """Show the session closed."""
    world.monitor.show(Verdict.DISCONNECTED, SessionState.CLOSED, has_session_object=False)


def connected(world: World) -> None:
    """Show the session connected."""
    world.monitor.show(Verdict.CONNECTED, SessionState.CONNECTED, has_session_object=True)


def status_of(world: World, kind: Kind, **fields: object) -> OperationStatus:
    """Describe an operation that another process has just begun."""
    now = world.clock()
    known = {"server": SERVER, "session": SESSION, "actor": "ana", "holder": "tests[9]"}
    return OperationStatus(**known, kind=kind, started_at=now, step_since=now, **fields)


def hold_lock(world: World) -> ProcessLock:
    """Hold the session as another process does that works on it."""
    lock = ProcessLock(world.directory / "locks" / f"operation-{SERVER}.{SESSION}.lock")
    assert lock.try_acquire()
    return lock
