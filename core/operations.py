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
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

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
from core.models import HistoryEntry, Outcome, Reason, SessionSnapshot
from core.monitor import ClientFactory, Monitor
from core.operation_status import OUTCOMES, Facts, Kind, OperationStatus, Step
from core.settings_store import SettingsSource
from core.store import History, Store, modify
from core.waits import Waits

log = logging.getLogger(__name__)

SUBJECT = "operations"
BLAME = timedelta(minutes=2)
"""How long after an operator's close or logout a lost session is put down to it."""


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
        self.settings = settings
        self.store = store
        self.history = history
        self.monitor = monitor
        self.client = client
        self.waits = waits or Waits()
        self.now = now
        self._holder = holder
        self._lock_directory = lock_directory
        self._stop = threading.Event()
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

        def log_out(run: _Run) -> str:
            code = procedures.log_out(run)
            if code == "logged_out":
                set_enabled(self.settings, server, session, enabled=False, actor=actor)
            return code

        return self._begin(Kind.LOGOUT, server, session, actor, log_out)

    def status(self, server: str, session: str) -> OperationStatus | None:
        """Tell what runs on a session or how the newest operation ended; reads the store's cache."""
        record = self.store.read(SUBJECT, _key(server, session))
        if record is None:
            return None
        status = OperationStatus.model_validate(record.value)
        if status.finished_at is None and not self._is_alive(status):
            return status.model_copy(update={"interrupted": True, "pairing_code": None})
        return status

    def forget(self, server: str, session: str) -> None:
        """Drop the result of a finished operation, once its reader has seen it."""
        record = self.store.read(SUBJECT, _key(server, session))
        if record is not None and OperationStatus.model_validate(record.value).finished_at is not None:
            with suppress(VersionConflictError):
                self.store.update(SUBJECT, record.key, None, expected_version=record.version)

    def closed_by(self, server: str, session: str) -> Reason | None:
        """Tell whether an operator closed or logged out this session just now."""
        status = self.status(server, session)
        if status is None or self.now() - (status.finished_at or self.now()) > BLAME:
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
        self._stop.set()
        for thread in list(self._threads.values()):
            thread.join(timeout=1.0)

    def _begin(
        self,
        kind: Kind,
        server: str,
        session: str,
        actor: str,
        procedure: Callable[[_Run], str],
        *,
        mode: str = "qr",
    ) -> OperationStatus:
        with self._mutex:
            lock = ProcessLock(self._lock_path(server, session))
            if not lock.try_acquire():
                running = self.status(server, session)
                if running is not None:
                    return running
                lock.acquire(1.0)
            now = self.now()
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
            self.write(status)
            run = _Run(self, status, self._stop)
            thread = threading.Thread(
                target=self._work, args=(run, procedure, lock), name=f"operation-{session}", daemon=True
            )
            self._threads[_key(server, session)] = thread
            thread.start()
            return status

    def _work(self, run: _Run, procedure: Callable[[_Run], str], lock: ProcessLock) -> None:
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

    def _carry_out(self, run: _Run, procedure: Callable[[_Run], str]) -> tuple[str, str | None]:
        try:
            with closing(run.open()):
                code = procedure(run)
                if code in ("connected", "already_connected"):
                    run.remember(closed_at=None, failed_close_at=None, free_at=None)
                return code, None
        except _StoppedError:
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

    def _finish(self, run: _Run, code: str, message: str | None) -> None:
        ok, sentence = OUTCOMES[code]
        outcome = Outcome(ok=ok, code=code, message=message or sentence, at=self.now())
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
        self.write(status)
        took = (outcome.at - status.started_at).total_seconds()
        self.history.append(
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

    def write(self, status: OperationStatus) -> None:
        """Store a status for other tabs and processes."""
        modify(
            self.store,
            SUBJECT,
            _key(status.server, status.session),
            lambda _before: status.model_dump(mode="json"),
        )

    def _lock_path(self, server: str, session: str) -> Path:
        return self._lock_directory / f"operation-{server}-{session}.lock"

    def _is_alive(self, status: OperationStatus) -> bool:
        thread = self._threads.get(_key(status.server, status.session))
        if thread is not None and thread.is_alive():
            return True
        probe = ProcessLock(self._lock_path(status.server, status.session))
        if not probe.try_acquire():
            return True
        probe.release()
        return False


class _StoppedError(Exception):
    """This process is stopping."""


class _Run:
    """One operation at work: what its procedure may use."""

    def __init__(self, operations: Operations, status: OperationStatus, stop: threading.Event) -> None:
        self._operations = operations
        self._stop = stop
        self._not_before = status.started_at
        self._deadline = status.started_at + timedelta(seconds=operations.waits.whole_operation)
        self.status = status
        self.session = status.session
        self.waits = operations.waits
        self.now = operations.now
        record = operations.store.read(SUBJECT, self._facts_key)
        self.facts = Facts.model_validate(record.value) if record else Facts()

    @property
    def _facts_key(self) -> str:
        return f"{_key(self.status.server, self.session)}/facts"

    def open(self) -> Any:
        """Make the session probed and the gateway reachable for this run."""
        status, operations = self.status, self._operations
        settings = operations.settings.current()
        server = settings.server(status.server)
        configured = server.session(self.session) if server else None
        if server is None or configured is None:
            raise WppconnectError(
                f"session {self.session!r} is not configured on server {status.server!r}: "
                "add it in the settings"
            )
        if not configured.enabled:
            set_enabled(operations.settings, server.name, self.session, enabled=True, actor=status.actor)
        self.webhook = configured.webhook
        self.client = operations.client(server, settings)
        return self.client

    @property
    def gateway_started_at(self) -> datetime | None:
        """When the gateway's process started, as far as its health check tells."""
        server = self._operations.monitor.snapshot().server(self.status.server)
        if server is None or server.uptime_seconds is None:
            return None
        return server.published_at - timedelta(seconds=server.uptime_seconds)

    def step(self, step: Step, *, until: datetime | None = None) -> None:
        """Write down what is being done, and until when it is waited for."""
        if (step, until) == (self.status.step, self.status.step_until):
            return
        update: dict[str, object] = {"step": step, "step_until": until}
        if step != self.status.step:
            update["step_since"] = self.now()
        self.status = self.status.model_copy(update=update)
        self._operations.write(self.status)

    def show_code(self, code: str | None, *, until: datetime | None = None) -> None:
        """Keep a live pairing code where every tab can show it, or drop it."""
        self.status = self.status.model_copy(
            update={
                "pairing_code": code,
                "step": Step.WAITING_FOR_CODE_ENTRY,
                "step_since": self.now(),
                "step_until": until,
            }
        )
        self._operations.write(self.status)

    def remember(self, **facts: object) -> None:
        """Keep facts for later operations."""
        self.facts = self.facts.model_copy(update=facts)
        modify(
            self._operations.store,
            SUBJECT,
            self._facts_key,
            lambda _before: self.facts.model_dump(mode="json"),
        )

    def acted(self) -> None:
        """Believe only what is seen from now on."""
        self._not_before = self.now()

    def look(self) -> SessionSnapshot:
        """Hand out what the monitor saw after the latest action."""
        if self.now() > self._deadline:
            raise RequestTimeoutError("the operation took too long", operation="wait for the session")

        def is_fresh(seen: SessionSnapshot) -> bool:
            return (
                seen.enabled
                and seen.probe_started_at is not None
                and seen.probe_started_at >= self._not_before
            )

        return self._wait(is_fresh, self.waits.fresh_answer) or self._give_up()

    def await_change(self, seen: SessionSnapshot, *, until: datetime) -> SessionSnapshot | None:
        """Wait until the session is in another verdict or state than `seen`; None when time is up."""
        seconds = (min(until, self._deadline) - self.now()).total_seconds()
        return self._wait(lambda new: (new.verdict, new.state) != (seen.verdict, seen.state), seconds)

    def wait_until(self, moment: datetime) -> None:
        """Wait for a moment, unless this process stops."""
        if self._stop.wait(max(0.0, (moment - self.now()).total_seconds())):
            raise _StoppedError

    def _wait(self, condition: Callable[[SessionSnapshot], bool], seconds: float) -> SessionSnapshot | None:
        found = self._operations.monitor.wait_for(
            self.status.server, self.session, condition, timeout_seconds=seconds, stop=self._stop
        )
        if found is None and self._stop.is_set():
            raise _StoppedError
        return found

    def _give_up(self) -> SessionSnapshot:
        raise RequestTimeoutError("nobody probed the session in time", operation="wait for the session")


def set_enabled(source: SettingsSource, server: str, session: str, *, enabled: bool, actor: str) -> None:
    """Pause or resume a session in the saved settings, on top of what anybody else saves meanwhile."""
    while True:
        revision = source.current().revision
        change = source.saved().with_session(server, session, enabled=enabled)
        try:
            source.save(change, expected_revision=revision, actor=actor)
        except VersionConflictError:
            continue
        return


def _key(server: str, session: str) -> str:
    return f"{server}/{session}"
