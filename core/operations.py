"""What an operator can do to a session: one at a time for each session, across all processes.

Every call returns at once; the work goes on in a thread of this process and is written into the store step
by step, so that another tab and another process see it. After a crash nothing is resumed from these notes:
the gateway's state is read again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

from core import procedures
from core.clock import Now
from core.clock import now as real_now
from core.exceptions import (
    AuthenticationError,
    ConnectError,
    RequestTimeoutError,
    SecretKeyRejectedError,
    VersionConflictError,
    WppconnectError,
)
from core.locks import ProcessLock
from core.models import HistoryEntry, Outcome, Reason
from core.monitor import ClientFactory, Monitor
from core.operation_run import SUBJECT, OperationRun, StoppedError, Tools, key, set_enabled, write_status
from core.operation_status import OUTCOMES, Kind, OperationStatus, Step
from core.settings_store import SettingsSource
from core.store import History, Store
from core.waits import Waits

log = logging.getLogger(__name__)

BLAME = timedelta(minutes=2)
"""How long after an operator's close or logout a lost session is put down to it."""


Procedure = Callable[[OperationRun], str]
"""Brings a session where an operator wants it; returns a word of `OUTCOMES`."""


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
    ) -> None:
        self._tools = Tools(settings, store, monitor, client, waits or Waits(), now, threading.Event())
        self._history = history
        self._holder = holder
        self._lock_directory = lock_directory
        self._mutex = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}

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
        if phone:
            number = "".join(character for character in phone if character.isdigit())
            return self._begin(
                Kind.PAIR,
                server,
                session,
                actor,
                lambda run: procedures.pair_by_code(run, number, wipe_webhook=wipe_webhook),
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
            if code == "logged_out":
                set_enabled(self._tools.settings, server, session, enabled=False, actor=actor)
            return code

        return self._begin(Kind.LOGOUT, server, session, actor, log_out)

    def status(self, server: str, session: str) -> OperationStatus | None:
        """Tell what runs on a session or how the newest operation ended; reads the store's cache."""
        record = self._tools.store.read(SUBJECT, key(server, session))
        if record is None:
            return None
        status = OperationStatus.model_validate(record.value)
        if status.finished_at is None and not self._is_alive(status):
            return status.model_copy(update={"interrupted": True, "pairing_code": None})
        return status

    def forget(self, server: str, session: str) -> None:
        """Drop the result of a finished operation, once its reader has seen it."""
        record = self._tools.store.read(SUBJECT, key(server, session))
        if record is not None and OperationStatus.model_validate(record.value).finished_at is not None:
            with suppress(VersionConflictError):
                self._tools.store.update(SUBJECT, record.key, None, expected_version=record.version)

    def closed_by(self, server: str, session: str) -> Reason | None:
        """Tell whether an operator closed or logged out this session just now."""
        status = self.status(server, session)
        if status is None or self._tools.now() - (status.finished_at or self._tools.now()) > BLAME:
            return None
        match status.kind:
            case Kind.LOGOUT:
                return Reason.LOGGED_OUT_BY_OPERATOR
            case Kind.CLOSE | Kind.RESTART:
                return Reason.CLOSED_BY_OPERATOR
            case _:
                return None

    def stop(self) -> None:
        """End what runs here; its record says that it was stopped."""
        self._tools.stop.set()
        for thread in list(self._threads.values()):
            thread.join(timeout=1.0)

    def _begin(
        self,
        kind: Kind,
        server: str,
        session: str,
        actor: str,
        procedure: Procedure,
        *,
        mode: str = "qr",
    ) -> OperationStatus:
        with self._mutex:
            lock = ProcessLock(self._lock_path(server, session))
            if not lock.try_acquire():
                running = self.status(server, session)
                if running is not None and running.is_running:
                    return running
                # The one before has ended and is about to let go.
                lock.acquire(1.0)
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
            )
            write_status(self._tools.store, status)
            run = OperationRun(self._tools, status)
            thread = threading.Thread(
                target=self._work, args=(run, procedure, lock), name=f"operation-{session}", daemon=True
            )
            self._threads[key(server, session)] = thread
            thread.start()
            return status

    def _work(self, run: OperationRun, procedure: Procedure, lock: ProcessLock) -> None:
        message = None
        try:
            code, message = self._carry_out(run, procedure)
        except Exception:
            log.exception("operation_failed kind=%s session=%s", run.status.kind, run.session)
            code = "failed"
        try:
            self._finish(run, code, message)
        except WppconnectError as error:
            log.warning("operation_not_recorded session=%s error=%s", run.session, error)
        finally:
            lock.release()

    def _carry_out(self, run: OperationRun, procedure: Procedure) -> tuple[str, str | None]:
        try:
            with closing(run.open()):
                code = procedure(run)
                if code in ("connected", "already_connected"):
                    run.remember(closed_at=None, failed_close_at=None, free_at=None)
                return code, None
        except StoppedError:
            return "stopped", None
        except SecretKeyRejectedError:
            return "secret_rejected", None
        except AuthenticationError:
            return "unauthorized", None
        except ConnectError:
            return "unreachable", None
        except RequestTimeoutError:
            return "timed_out", None
        except WppconnectError as error:
            return "failed", str(error)

    def _finish(self, run: OperationRun, code: str, message: str | None) -> None:
        ok, sentence = OUTCOMES[code]
        outcome = Outcome(ok=ok, code=code, message=message or sentence, at=self._tools.now())
        status = run.status.model_copy(
            update={
                "step": Step.DONE,
                "step_since": outcome.at,
                "step_until": None,
                "pairing_code": None,
                "finished_at": outcome.at,
                "outcome": outcome,
            }
        )
        write_status(self._tools.store, status)
        took = (outcome.at - status.started_at).total_seconds()
        self._history.append(
            HistoryEntry(
                at=outcome.at,
                kind="operation",
                server=status.server,
                session=status.session,
                actor=status.actor,
                data={
                    "operation": status.kind,
                    "mode": status.mode,
                    "outcome": code,
                    "ok": ok,
                    "seconds": round(took, 3),
                },
            )
        )
        log.info(
            "operation_done kind=%s server=%s session=%s actor=%s outcome=%s seconds=%.1f",
            status.kind,
            status.server,
            status.session,
            status.actor,
            code,
            took,
        )

    def _lock_path(self, server: str, session: str) -> Path:
        return self._lock_directory / f"operation-{server}-{session}.lock"

    def _is_alive(self, status: OperationStatus) -> bool:
        thread = self._threads.get(key(status.server, status.session))
        if thread is not None and thread.is_alive():
            return True
        probe = ProcessLock(self._lock_path(status.server, status.session))
        if not probe.try_acquire():
            return True
        probe.release()
        return False
