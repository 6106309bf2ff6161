"""Run operations in threads of this process, one at a time per session across all processes.

Each step is written to the store, so that other tabs and processes can show it. After a crash nothing is
resumed from these records: the gateway's state is read again.
"""

from __future__ import annotations

import logging
import threading

from core.exceptions import StoreError, VersionConflictError
from core.locks import Lock, Locks
from core.messages import Message
from core.models import Outcome
from core.operation_status import Kind, OperationStatus
from core.operations.operation_run import OperationContext, OperationRun, Procedure
from core.operations.record import (
    SUBJECT,
    ask_to_give_way,
    ended,
    history_entry,
    key,
    outcome_of,
    read_status,
    write_status,
)
from core.store import HistoryLog

log = logging.getLogger(__name__)

LET_GO_SECONDS = 1.0
"""How long to wait for an operation to release its lock after its end, or to write its first status."""
GIVE_WAY_SECONDS = 3.0
"""How long to wait for self-healing to yield the session; a call in flight can take longer."""
STOP_SECONDS = 1.0
POLL_SECONDS = 0.01


class Launcher:
    """Starts operations and reports running and finished ones."""

    def __init__(self, context: OperationContext, history: HistoryLog, *, locks: Locks, holder: str) -> None:
        self._context = context
        self._history = history
        self._locks = locks
        self._holder = holder
        self._beginning: dict[str, threading.Lock] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._unstored: dict[str, OperationStatus] = {}
        """Final statuses of this process's operations that could not be, or must not be, stored."""

    def begin(
        self,
        kind: Kind,
        server: str,
        session: str,
        actor: str,
        procedure: Procedure,
        *,
        mode: str = "qr",
        by_itself: bool = False,
    ) -> OperationStatus:
        """Run a procedure in a thread; return its status, or that of the operation already running."""
        now = self._context.now()
        status = OperationStatus(
            server=server,
            session=session,
            kind=kind,
            actor=actor,
            holder=self._holder,
            started_at=now,
            step_since=now,
            mode=mode,
            by_itself=by_itself,
        )
        lock = self._locks.lock(_lock(server, session))
        # Per session: the second of two clicks finds the operation of the first, and a click on another
        # session need not wait the seconds that yielding may take.
        with self._beginning.setdefault(key(server, session), threading.Lock()):
            self._unstored.pop(key(server, session), None)
            try:
                return self._attach(status, lock) or self._launch(status, procedure, lock)
            except StoreError as error:
                log.warning("operation_not_begun kind=%s session=%s error=%s", kind, session, error)
                return self._refuse(status, "failed", error.explanation)

    def status(self, server: str, session: str) -> OperationStatus | None:
        """Return the status of the session's running or newest operation. Reads the store's cache."""
        status = read_status(self._context.store, server, session)
        unstored = self._unstored.get(key(server, session))
        if unstored is not None and (status is None or status.started_at <= unstored.started_at):
            return unstored
        if status is not None and status.finished_at is None and not self._is_alive(server, session):
            # It may have ended and written its final status since the read.
            status = read_status(self._context.store, server, session)
            if status is not None and status.finished_at is None:
                return status.model_copy(update={"interrupted": True, "pairing_code": None})
        return status

    def outcome(self, begun: OperationStatus) -> Outcome:
        """Return the outcome of what `begin` returned; wait for it only if this process runs it.

        An unfinished operation of another process gives "busy_elsewhere".
        """
        where = key(begun.server, begun.session)
        thread = self._threads.get(where)
        if begun.holder == self._holder and thread is not None:
            thread.join()
        status = self.status(begun.server, begun.session)
        is_same = status is not None and (status.kind, status.started_at) == (begun.kind, begun.started_at)
        if status is None or status.outcome is None or not is_same:
            return outcome_of("busy_elsewhere", at=self._context.now())
        return status.outcome

    def forget(self, server: str, session: str) -> None:
        """Delete the status of a finished operation after it was shown, unless the store fails."""
        self._unstored.pop(key(server, session), None)
        try:
            record = self._context.store.read(SUBJECT, key(server, session))
            status = self.status(server, session)
            if record is not None and (status is None or not status.is_running):
                self._context.store.update(SUBJECT, record.key, None, expected_version=record.version)
        except VersionConflictError:
            return
        except StoreError as error:
            log.warning("operation_not_forgotten session=%s error=%s", session, error)

    def stop(self) -> None:
        """Stop this process's operations; their outcome is "stopped"."""
        self._context.stop.set()
        deadline = self._context.monotonic() + STOP_SECONDS
        for thread in list(self._threads.values()):
            thread.join(timeout=max(0.0, deadline - self._context.monotonic()))

    def _attach(self, status: OperationStatus, lock: Lock) -> OperationStatus | None:
        """Acquire the session's lock and return None, or return the status of the one that holds it."""
        now = self._context.monotonic()
        deadline, patience, is_asked = now + LET_GO_SECONDS, now + GIVE_WAY_SECONDS, False
        while not lock.try_acquire():
            running = self.status(status.server, status.session)
            if running is not None and running.is_running:
                if status.by_itself:
                    return self._refuse(status, "busy_elsewhere")
                if not running.by_itself or self._context.monotonic() >= patience:
                    return running
                if not is_asked:
                    ask_to_give_way(self._context.store, status.server, status.session, status.started_at)
                deadline, is_asked = self._context.monotonic() + LET_GO_SECONDS, True
            # An operation that has just ended still releases its lock; one that has just started still
            # writes its status.
            if self._context.monotonic() >= deadline:
                return self._refuse(status, "busy_elsewhere")
            self._context.stop.wait(POLL_SECONDS)
        return None

    def _refuse(
        self, status: OperationStatus, code: str, explanation: Message | None = None
    ) -> OperationStatus:
        refused = ended(status, code, explanation, at=self._context.now())
        if not status.by_itself:
            # A refused self-healing attempt must not hide the status of the user's operation.
            self._unstored[key(status.server, status.session)] = refused
        return refused

    def _launch(self, status: OperationStatus, procedure: Procedure, lock: Lock) -> OperationStatus:
        try:
            write_status(self._context.store, status, lock)
            run = OperationRun(self._context, status, lock)
            thread = threading.Thread(
                target=self._work, args=(run, procedure, lock), name=f"operation-{run.session}", daemon=True
            )
            self._threads[key(status.server, status.session)] = thread
            thread.start()
        except BaseException:
            lock.release()
            raise
        return status

    def _work(self, run: OperationRun, procedure: Procedure, lock: Lock) -> None:
        explanation = None
        try:
            code, explanation = run.carry_out(procedure)
        except Exception:
            log.exception("operation_failed kind=%s session=%s", run.status.kind, run.session)
            code = "failed"
        try:
            self._finish(run.status, code, explanation, lock)
        finally:
            lock.release()

    def _finish(self, status: OperationStatus, code: str, explanation: Message | None, lock: Lock) -> None:
        after = ended(status, code, explanation, at=self._context.now())
        # The status last: a reader that finds it finished also finds the history entry, and soon a free lock.
        try:
            if after.outcome is not None:
                self._history.append(history_entry(after, after.outcome))
        except StoreError as error:
            log.warning("operation_not_in_history session=%s error=%s", after.session, error)
        try:
            write_status(self._context.store, after, lock)
        except StoreError as error:
            log.warning("operation_not_stored session=%s error=%s", after.session, error)
            self._unstored[key(after.server, after.session)] = after
        log.info(
            "operation_done kind=%s server=%s session=%s actor=%s outcome=%s seconds=%.1f",
            after.kind,
            after.server,
            after.session,
            after.actor,
            code,
            (self._context.now() - after.started_at).total_seconds(),
        )

    def _is_alive(self, server: str, session: str) -> bool:
        thread = self._threads.get(key(server, session))
        if thread is not None and thread.is_alive():
            return True
        try:
            return self._locks.is_locked(_lock(server, session))
        except StoreError:
            return True  # Of an operation on another machine nothing else is known now.


def _lock(server: str, session: str) -> str:
    # No name contains a dot; with "-", session "a-b" of "c" and session "b" of "c-a" would share a lock.
    return f"operation-{server}.{session}"
