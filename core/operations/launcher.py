"""Carry out operations: one at a time for each session, across all processes, in threads of this one.

The work is written into the store step by step, so that another tab and another process see it. After a crash
nothing is resumed from these notes: the gateway's state is read again.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from pathlib import Path

from core.exceptions import StoreError, VersionConflictError
from core.locks import ProcessLock
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
from core.store import History

log = logging.getLogger(__name__)

LET_GO_SECONDS = 1.0
"""How long an operation may take to let go of its session after its end."""
GIVE_WAY_SECONDS = 3.0
"""How long one that runs by itself may take to step back; in the middle of a call it takes longer."""
STOP_SECONDS = 1.0
POLL_SECONDS = 0.01


class Launcher:
    """Begins operations, and knows what runs and how the newest ended."""

    def __init__(
        self, context: OperationContext, history: History, *, lock_directory: Path, holder: str
    ) -> None:
        self._context = context
        self._history = history
        self._lock_directory = lock_directory
        self._holder = holder
        self._beginning: dict[str, threading.Lock] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._unstored: dict[str, OperationStatus] = {}
        """How operations of this process ended that the disk did not take."""

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
        """Have a procedure carried out in a thread, or tell what somebody else is doing to the session."""
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
        lock = self._lock(server, session)
        # Of two clicks here the second finds what the first has begun. A click on another session does not
        # wait, for it may take seconds until somebody gives way.
        with self._beginning.setdefault(key(server, session), threading.Lock()):
            self._unstored.pop(key(server, session), None)
            try:
                return self._attach(status, lock) or self._launch(status, procedure, lock)
            except StoreError as error:
                log.warning("operation_not_begun kind=%s session=%s error=%s", kind, session, error)
                return self._refuse(status, "failed", error.explanation)

    def status(self, server: str, session: str) -> OperationStatus | None:
        """Tell what runs on a session or how the newest operation ended; reads the store's cache."""
        status = read_status(self._context.store, server, session)
        unstored = self._unstored.get(key(server, session))
        if unstored is not None and (status is None or status.started_at <= unstored.started_at):
            return unstored
        if status is not None and status.finished_at is None and not self._is_alive(server, session):
            # It may have ended and said so since it was read.
            status = read_status(self._context.store, server, session)
            if status is not None and status.finished_at is None:
                return status.model_copy(update={"interrupted": True, "pairing_code": None})
        return status

    def outcome(self, begun: OperationStatus) -> Outcome:
        """Wait for the end of what `begin` returned, unless that is something else of another process."""
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
        """Drop the result of an operation that is not running any more, once its reader has seen it."""
        self._unstored.pop(key(server, session), None)
        record = self._context.store.read(SUBJECT, key(server, session))
        status = self.status(server, session)
        if record is not None and (status is None or not status.is_running):
            with suppress(VersionConflictError):
                self._context.store.update(SUBJECT, record.key, None, expected_version=record.version)

    def stop(self) -> None:
        """End what runs here; its record says that it was stopped."""
        self._context.stop.set()
        deadline = self._context.monotonic() + STOP_SECONDS
        for thread in list(self._threads.values()):
            thread.join(timeout=max(0.0, deadline - self._context.monotonic()))

    def _attach(self, status: OperationStatus, lock: ProcessLock) -> OperationStatus | None:
        """Take the session's lock, or tell what somebody else is doing to the session."""
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
            # One that has just ended lets go, or one that has just begun writes down what it is.
            if self._context.monotonic() >= deadline:
                return self._refuse(status, "busy_elsewhere")
            self._context.stop.wait(POLL_SECONDS)
        return None

    def _refuse(
        self, status: OperationStatus, code: str, explanation: Message | None = None
    ) -> OperationStatus:
        refused = ended(status, code, explanation, at=self._context.now())
        if not status.by_itself:
            # What nobody asked for must not hide what somebody has under way.
            self._unstored[key(status.server, status.session)] = refused
        return refused

    def _launch(self, status: OperationStatus, procedure: Procedure, lock: ProcessLock) -> OperationStatus:
        try:
            write_status(self._context.store, status)
            run = OperationRun(self._context, status)
            thread = threading.Thread(
                target=self._work, args=(run, procedure, lock), name=f"operation-{run.session}", daemon=True
            )
            self._threads[key(status.server, status.session)] = thread
            thread.start()
        except BaseException:
            lock.release()
            raise
        return status

    def _work(self, run: OperationRun, procedure: Procedure, lock: ProcessLock) -> None:
        explanation = None
        try:
            code, explanation = run.carry_out(procedure)
        except Exception:
            log.exception("operation_failed kind=%s session=%s", run.status.kind, run.session)
            code = "failed"
        try:
            self._finish(run.status, code, explanation)
        finally:
            lock.release()

    def _finish(self, status: OperationStatus, code: str, explanation: Message | None) -> None:
        after = ended(status, code, explanation, at=self._context.now())
        # The status last: whoever reads that it has ended finds it in the history, and the lock free at once.
        try:
            if after.outcome is not None:
                self._history.append(history_entry(after, after.outcome))
        except StoreError as error:
            log.warning("operation_not_in_history session=%s error=%s", after.session, error)
        try:
            write_status(self._context.store, after)
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

    def _lock(self, server: str, session: str) -> ProcessLock:
        # A dot is in no name: "a-b" of "c" and "b" of "c-a" are two sessions.
        return ProcessLock(self._lock_directory / f"operation-{server}.{session}.lock")

    def _is_alive(self, server: str, session: str) -> bool:
        thread = self._threads.get(key(server, session))
        if thread is not None and thread.is_alive():
            return True
        lock = self._lock(server, session)
        if not lock.try_acquire():
            return True
        lock.release()
        return False
