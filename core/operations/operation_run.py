"""A running operation: the methods that its procedure uses, and the statuses it stores."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from core.clock import Monotonic, Now
from core.exceptions import (
    AuthenticationError,
    ConnectError,
    RequestTimeoutError,
    RetryLaterError,
    SecretKeyRejectedError,
    StoreError,
    WppconnectError,
)
from core.gateways.protocol import Gateway, Waits
from core.linking_events import LinkingEvents, read_events
from core.locks import Lock
from core.logs import register_secret
from core.messages import Message
from core.models import SessionSnapshot
from core.monitor.monitor import ClientFactory, Monitor
from core.operation_status import Kind, OperationStatus, Step
from core.operations.record import is_asked_to_give_way, read_facts, write_facts, write_status
from core.settings.pausing import resume
from core.settings.source import SettingsSource
from core.store import Store

log = logging.getLogger(__name__)

T = TypeVar("T")

_TAKE_DOWN = frozenset({Step.CLOSING, Step.LOGGING_OUT})
_BRING_UP = frozenset({Step.STARTING, Step.WAITING_FOR_BROWSER, Step.WAITING_FOR_SCAN})


@dataclass(frozen=True)
class OperationContext:
    """Dependencies that all operations of this process share."""

    settings: SettingsSource
    store: Store
    monitor: Monitor
    client: ClientFactory
    waits: Waits
    now: Now
    monotonic: Monotonic
    stop: threading.Event


class StoppedError(Exception):
    """The process is stopping, or it lost a lock that the operation needs."""


class GivesWayError(Exception):
    """A user's operation or pause takes precedence over self-healing on this session."""


class OperationRun:
    """A running operation, in its own thread."""

    def __init__(self, context: OperationContext, status: OperationStatus, lock: Lock) -> None:
        self._context = context
        self._lock = lock
        self._needed = [lock]
        self._must_go_on = False
        """Whether the operation took the session down, and has not started it since."""
        self._not_before = status.started_at
        # Not the wall clock, which may be set back meanwhile.
        self._deadline = context.monotonic() + context.waits.whole_operation
        self.status = status
        self.session = status.session
        self.waits = context.waits
        self.now = context.now
        self.facts = read_facts(context.store, status.server, status.session)

    def carry_out(self, procedure: Procedure) -> tuple[str, Message | None]:
        """Run a procedure; return the outcome's code, and an explanation if there is one."""
        try:
            with closing(self._open()):
                code = procedure(self)
                if code in ("connected", "already_connected"):
                    self.remember(closed_at=None, failed_close_at=None, free_at=None)
                return code, None
        except StoppedError:
            return "stopped", None
        except GivesWayError:
            return "gave_way", None
        except SecretKeyRejectedError:
            return "secret_rejected", None
        except AuthenticationError:
            return "unauthorized", None
        except ConnectError as error:
            return "unreachable", error.explanation
        except RequestTimeoutError:
            return "timed_out", None
        except RetryLaterError as error:
            return "asked_to_wait", error.explanation
        except WppconnectError as error:
            return "failed", error.explanation

    @property
    def by_itself(self) -> bool:
        """Whether self-healing started the operation."""
        return self.status.by_itself

    @property
    def gateway_started_at(self) -> datetime | None:
        """Start time of the gateway's process; None if its health check has not reported it."""
        server = self._context.monitor.snapshot().server(self.status.server)
        return server.started_at if server is not None else None

    def need(self, lock: Lock) -> None:
        """End the operation when this lock is lost, as when the session's own is."""
        self._needed.append(lock)

    def linking_events(self) -> LinkingEvents:
        """Return the latest webhook events about linking a phone. Reads the store's cache."""
        try:
            return read_events(self._context.store, self.status.server, self.session)
        except StoreError as error:
            log.debug("linking_events_not_read session=%s error=%s", self.session, error)
            return LinkingEvents()

    def step(self, step: Step, *, until: datetime | None = None) -> None:
        """Store the current step, and until when it waits; end the operation if a lock was lost."""
        if (step, until) != (self.status.step, self.status.step_until):
            update: dict[str, object] = {"step": step, "step_until": until}
            if step != self.status.step:
                update["step_since"] = self.now()
            self._note(self.status.model_copy(update=update))
        # Last: the database may have been away for as long as the write took.
        self._check_locks()
        if step in _TAKE_DOWN:
            self._must_go_on = True
        elif step in _BRING_UP:
            self._must_go_on = False

    def show_code(
        self, code: str | None, *, until: datetime | None = None, life_seconds: float | None = None
    ) -> None:
        """Store a live pairing code for all tabs to show; None removes it."""
        if code is not None:
            register_secret(code)
        self._note(
            self.status.model_copy(
                update={
                    "pairing_code": code,
                    "code_life_seconds": life_seconds,
                    "step": Step.WAITING_FOR_CODE_ENTRY,
                    "step_since": self.now(),
                    "step_until": until,
                }
            )
        )

    def remember(self, **facts: object) -> None:
        """Store facts for later operations."""
        self.facts = self.facts.model_copy(update=facts)
        self._try_to_store(lambda: write_facts(self._context.store, self.status, self.facts, self._lock))

    def acted(self) -> None:
        """Ignore probes that started before now: the operation has just changed the session."""
        self._not_before = self.now()

    def snapshot(self) -> SessionSnapshot | None:
        """Return the monitor's snapshot of the session, of any age."""
        return self._context.monitor.snapshot().session(self.status.server, self.session)

    def look(self) -> SessionSnapshot:
        """Return a snapshot from a probe that started after the latest action.

        Raises RequestTimeoutError if there is none in time.
        """
        if self._left_seconds() <= 0:
            raise RequestTimeoutError("the operation took too long", operation="wait for the session")
        self._follow_code()

        def is_fresh(seen: SessionSnapshot) -> bool:
            return (
                seen.enabled
                and seen.probe_started_at is not None
                and seen.probe_started_at >= self._not_before
            )

        now = self.snapshot()
        if now is None or not is_fresh(now):
            self._hint()
        return self._wait(is_fresh, self.waits.fresh_answer) or self._give_up()

    def await_change(self, seen: SessionSnapshot, *, until: datetime) -> SessionSnapshot | None:
        """Return the session once its verdict or state differs from `seen`; None on timeout."""
        seconds = min((until - self.now()).total_seconds(), self._left_seconds())
        return self._wait(lambda new: (new.verdict, new.state) != (seen.verdict, seen.state), seconds)

    def wait_until(self, moment: datetime) -> None:
        """Wait until the given time, at most for the operation's remaining time."""
        seconds = min((moment - self.now()).total_seconds(), self._left_seconds())
        if self.by_itself:
            self._wait(lambda _seen: False, seconds)
        elif self._context.stop.wait(max(0.0, seconds)):
            raise StoppedError

    def run_in_thread(self, call: Callable[[], T]) -> ThreadCall[T]:
        """Run a call in a thread of its own; closing the client ends it."""
        return ThreadCall(call)

    def _open(self) -> Gateway:
        """Open a client for this run; resume a paused session first, unless the operation removes it."""
        status, context = self.status, self._context
        settings = context.settings.current()
        server = settings.server(status.server)
        configured = server.session(self.session) if server else None
        if server is None or configured is None:
            raise WppconnectError(
                f"session {self.session!r} is not configured on server {status.server!r}: "
                "add it in the settings"
            )
        if not configured.enabled and self.by_itself:
            raise GivesWayError  # A user has just paused it.
        if not configured.enabled and status.kind is not Kind.REMOVE:
            resume(context.settings, [(server.name, self.session)], actor=status.actor, now=context.now())
        self.webhook = configured.webhook
        self.gateway = context.client(server, settings)
        return self.gateway

    def _follow_code(self) -> None:
        """Show the newest pairing code from the webhook, if WhatsApp has replaced the shown one."""
        shown = self.status
        if shown.pairing_code is None:
            return
        newest = self.linking_events().code_since(shown.step_since)
        if newest is not None and newest != shown.pairing_code:
            self.show_code(newest, until=shown.step_until, life_seconds=shown.code_life_seconds)

    def _note(self, status: OperationStatus) -> None:
        self.status = status
        self._try_to_store(lambda: write_status(self._context.store, status, self._lock))

    def _check_locks(self) -> None:
        # A session that was taken down has to be started again, whoever holds its lock.
        if not self._must_go_on and any(lock.is_lost for lock in self._needed):
            log.warning("operation_lost_its_lock session=%s step=%s", self.session, self.status.step)
            raise StoppedError

    def _try_to_store(self, write: Callable[[], None]) -> None:
        # A failing disk must not stop the procedure: a session that was closed has to be started again.
        try:
            write()
        except StoreError as error:
            log.warning("operation_note_not_stored session=%s error=%s", self.session, error)

    def _hint(self) -> None:
        try:
            self._context.monitor.hint(self.status.server, self.session)
        except StoreError as error:
            # Optional: `wait_for` has the session probed every second anyway.
            log.debug("hint_not_given session=%s error=%s", self.session, error)

    def _left_seconds(self) -> float:
        return self._deadline - self._context.monotonic()

    def _wait(self, condition: Callable[[SessionSnapshot], bool], seconds: float) -> SessionSnapshot | None:
        def is_met(seen: SessionSnapshot) -> bool:
            self._check_locks()
            if self.by_itself and is_asked_to_give_way(self._context.store, self.status):
                raise GivesWayError
            return condition(seen)

        found = self._context.monitor.wait_for(
            self.status.server, self.session, is_met, timeout_seconds=seconds, stop=self._context.stop
        )
        if found is None and self._context.stop.is_set():
            raise StoppedError
        return found

    def _give_up(self) -> SessionSnapshot:
        raise RequestTimeoutError("nobody probed the session in time", operation="wait for the session")


Procedure = Callable[[OperationRun], str]
"""Brings a session to the requested state; returns a key of `OUTCOMES`."""


class ThreadCall(Generic[T]):
    """A call in its own thread, since its response may never come."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._answers: list[T] = []
        self._error: WppconnectError | None = None

        def run() -> None:
            try:
                self._answers.append(call())
            except WppconnectError as error:
                self._error = error
            except Exception:
                log.exception("call_aside_failed")
                self._error = WppconnectError("the call failed; the log of this program tells why")

        self._thread = threading.Thread(target=run, name="operation-aside", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether the call has ended."""
        return not self._thread.is_alive()

    def result(self) -> T:
        """Wait for the result and return it; raise the call's error."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._answers[0]
