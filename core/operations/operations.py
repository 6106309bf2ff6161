"""What an operator can do to a session: one at a time for each session, across all processes.

Every call returns at once; the work goes on in a thread of this process and is written into the store step
by step, so that another tab and another process see it. After a crash nothing is resumed from these notes:
the gateway's state is read again.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import Monotonic, Now
from core.clock import monotonic as real_monotonic
from core.clock import now as real_now
from core.contract.waits import Waits
from core.exceptions import StoreError, VersionConflictError, WppconnectError
from core.locks import ProcessLock
from core.models import Pause, Reason
from core.monitor.monitor import ClientFactory, Monitor
from core.operation_status import SELF_HEALING, Kind, OperationStatus, Step
from core.operations import code_pairing, procedures
from core.operations.operation_run import OperationRun, Procedure, Tools
from core.operations.record import (
    SUBJECT,
    ask_to_give_way,
    ended,
    history_entry,
    key,
    read_facts,
    read_status,
    write_status,
)
from core.settings import pausing
from core.settings.source import SettingsSource
from core.store import History, Store

log = logging.getLogger(__name__)

BLAME = timedelta(minutes=2)
"""How long after an operator's close or logout a lost session is put down to it."""

LET_GO_SECONDS = 1.0
"""How long an operation may take to let go of its session after its end."""
GIVE_WAY_SECONDS = 3.0
"""How long one that runs by itself may take to step back; in the middle of a call it takes longer."""
STOP_SECONDS = 1.0
POLL_SECONDS = 0.01


class Operations:
    """Start, restart, pair, close and log out sessions."""

    def __init__(
        self,
        *,
        settings: SettingsSource,
        store: Store,
        history: History,
        monitor: Monitor,
        client: ClientFactory,
        lock_directory: Path,
        holder: str,
        waits: Waits | None = None,
        now: Now = real_now,
        monotonic: Monotonic = real_monotonic,
    ) -> None:
        self._tools = Tools(
            settings, store, monitor, client, waits or Waits(), now, monotonic, threading.Event()
        )
        self._history = history
        self._holder = holder
        self._lock_directory = lock_directory
        self._beginning: dict[str, threading.Lock] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._unstored: dict[str, OperationStatus] = {}
        """How operations of this process ended that the disk did not take."""

    def start(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Start a session; one that then asks for a phone is reported as such."""
        return self._begin(
            Kind.START, server, session, actor, lambda run: procedures.bring_up(run, procedures.Goal())
        )

    def restart(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Close a session and start it again; its pairing is kept."""
        goal = procedures.Goal(restart=True)
        return self._begin(Kind.RESTART, server, session, actor, lambda run: procedures.bring_up(run, goal))

    def pair(
        self,
        server: str,
        session: str,
        *,
        actor: str,
        phone: str | None = None,
        wipe_webhook: bool = False,
    ) -> OperationStatus:
        """Bring a session to a live QR code, or with `phone` (digits) to a pairing code, until connected."""
        number = "".join(character for character in phone or "" if character.isdigit())
        if number:
            return self._begin(
                Kind.PAIR,
                server,
                session,
                actor,
                lambda run: code_pairing.pair_by_code(run, number, wipe_webhook=wipe_webhook),
                mode="code",
            )
        goal = procedures.Goal(show_code=True, wipe_webhook=wipe_webhook)
        return self._begin(Kind.PAIR, server, session, actor, lambda run: procedures.bring_up(run, goal))

    def close(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Close a session; its pairing is kept."""
        return self._begin(Kind.CLOSE, server, session, actor, procedures.close)

    def logout(self, server: str, session: str, *, actor: str) -> OperationStatus:
        """Unlink the phone and pause the session; irreversible without a new scan."""

        def log_out(run: OperationRun) -> str:
            code = procedures.log_out(run)
            if code != "logged_out":
                return code
            try:
                paused = Pause(by=actor, since=self._tools.now())
                pausing.pause(self._tools.settings, [(server, session)], paused)
            except WppconnectError as error:
                # The phone is unlinked all the same: that must not look like a failure.
                log.warning("session_not_paused server=%s session=%s error=%s", server, session, error)
                return "logged_out_not_paused"
            return code

        return self._begin(Kind.LOGOUT, server, session, actor, log_out)

    def heal(self, server: str, session: str, *, is_closed: bool = False) -> OperationStatus:
        """Close and start a session because nobody else does; refused while somebody is at it."""

        def heal(run: OperationRun) -> str:
            turn = self.turn(server)
            if not turn.try_acquire():
                return "not_needed"  # A start of several began in this moment; another look comes after it.
            try:
                return procedures.heal(run, is_closed=is_closed)
            finally:
                turn.release()

        return self._begin(Kind.RESTART, server, session, SELF_HEALING, heal, by_itself=True)

    def turn(self, server: str) -> ProcessLock:
        """Return what self-healing and a start of several hold, so that one at a time launches browsers."""
        return ProcessLock(self._lock_directory / f"launches-{server}.lock")

    def is_taken(self, server: str) -> bool:
        """Tell whether either of the two is at work on a gateway now."""
        turn = self.turn(server)
        if not turn.try_acquire():
            return True
        turn.release()
        return False

    def status(self, server: str, session: str) -> OperationStatus | None:
        """Tell what runs on a session or how the newest operation ended; reads the store's cache."""
        status = read_status(self._tools.store, server, session)
        unstored = self._unstored.get(key(server, session))
        if unstored is not None and (status is None or status.started_at <= unstored.started_at):
            return unstored
        if status is not None and status.finished_at is None and not self._is_alive(server, session):
            # It may have ended and said so since it was read.
            status = read_status(self._tools.store, server, session)
            if status is not None and status.finished_at is None:
                return status.model_copy(update={"interrupted": True, "pairing_code": None})
        return status

    def code_obstacle(self, server: str, session: str) -> str | None:
        """Tell why no pairing code can be had now, as a word of `OUTCOMES`; None: it may be asked for."""
        snapshot = self._tools.monitor.snapshot()
        gateway, seen = snapshot.server(server), snapshot.session(server, session)
        configured = self._tools.settings.current().server(server)
        known = configured.session(session) if configured else None
        if gateway is None or seen is None or known is None:
            return "failed"
        facts = read_facts(self._tools.store, server, session)
        return code_pairing.code_obstacle(seen, facts, gateway, known.webhook)

    def forget(self, server: str, session: str) -> None:
        """Drop the result of an operation that is not running any more, once its reader has seen it."""
        self._unstored.pop(key(server, session), None)
        record = self._tools.store.read(SUBJECT, key(server, session))
        status = self.status(server, session)
        if record is not None and (status is None or not status.is_running):
            with suppress(VersionConflictError):
                self._tools.store.update(SUBJECT, record.key, None, expected_version=record.version)

    def closed_by(self, server: str, session: str) -> Reason | None:
        """Tell whether an operator closed or logged out this session just now."""
        try:
            status = self.status(server, session)
            facts = read_facts(self._tools.store, server, session)
        except StoreError as error:
            log.warning("operations_unreadable server=%s session=%s error=%s", server, session, error)
            return None
        if status is not None and status.is_running and status.step in _TAKES_IT_DOWN:
            return Reason.CLOSED_BY_SELF_HEALING if status.by_itself else _TAKES_IT_DOWN[status.step]
        if self._is_recent(facts.logged_out_at):
            return Reason.LOGGED_OUT_BY_OPERATOR
        if self._is_recent(facts.closed_at) or self._is_recent(facts.failed_close_at):
            return Reason.CLOSED_BY_SELF_HEALING if facts.closed_by_itself else Reason.CLOSED_BY_OPERATOR
        return None

    def stop(self) -> None:
        """End what runs here; its record says that it was stopped."""
        self._tools.stop.set()
        deadline = self._tools.monotonic() + STOP_SECONDS
        for thread in list(self._threads.values()):
            thread.join(timeout=max(0.0, deadline - self._tools.monotonic()))

    def _begin(
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
        now = self._tools.now()
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
                return self._refuse(status, "failed", error.message)

    def _attach(self, status: OperationStatus, lock: ProcessLock) -> OperationStatus | None:
        """Take the session's lock, or tell what somebody else is doing to the session."""
        now = self._tools.monotonic()
        deadline, patience, is_asked = now + LET_GO_SECONDS, now + GIVE_WAY_SECONDS, False
        while not lock.try_acquire():
            running = self.status(status.server, status.session)
            if running is not None and running.is_running:
                if status.by_itself:
                    return self._refuse(status, "busy_elsewhere")
                if not running.by_itself or self._tools.monotonic() >= patience:
                    return running
                if not is_asked:
                    ask_to_give_way(self._tools.store, status.server, status.session, status.started_at)
                deadline, is_asked = self._tools.monotonic() + LET_GO_SECONDS, True
            # One that has just ended lets go, or one that has just begun writes down what it is.
            if self._tools.monotonic() >= deadline:
                return self._refuse(status, "busy_elsewhere")
            self._tools.stop.wait(POLL_SECONDS)
        return None

    def _refuse(self, status: OperationStatus, code: str, message: str | None = None) -> OperationStatus:
        refused = ended(status, code, message, at=self._tools.now())
        if not status.by_itself:
            # What nobody asked for must not hide what somebody has under way.
            self._unstored[key(status.server, status.session)] = refused
        return refused

    def _launch(self, status: OperationStatus, procedure: Procedure, lock: ProcessLock) -> OperationStatus:
        try:
            write_status(self._tools.store, status)
            run = OperationRun(self._tools, status)
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
        message = None
        try:
            code, message = run.carry_out(procedure)
        except Exception:
            log.exception("operation_failed kind=%s session=%s", run.status.kind, run.session)
            code = "failed"
        try:
            self._finish(run.status, code, message)
        finally:
            lock.release()

    def _finish(self, status: OperationStatus, code: str, message: str | None) -> None:
        after = ended(status, code, message, at=self._tools.now())
        # The status last: whoever reads that it has ended finds it in the history, and the lock free at once.
        try:
            if after.outcome is not None:
                self._history.append(history_entry(after, after.outcome))
        except StoreError as error:
            log.warning("operation_not_in_history session=%s error=%s", after.session, error)
        try:
            write_status(self._tools.store, after)
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
            (self._tools.now() - after.started_at).total_seconds(),
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

    def _is_recent(self, moment: datetime | None) -> bool:
        return moment is not None and abs(self._tools.now() - moment) <= BLAME


_TAKES_IT_DOWN = {Step.CLOSING: Reason.CLOSED_BY_OPERATOR, Step.LOGGING_OUT: Reason.LOGGED_OUT_BY_OPERATOR}
"""What a probe sees between an action and its being remembered."""
