"""One operation at work: what its procedure may use, and what it writes down on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.client import GatewayClient
from core.clock import Now
from core.exceptions import RequestTimeoutError, VersionConflictError, WppconnectError
from core.logs import register_secret
from core.models import SessionSnapshot
from core.monitor import ClientFactory, Monitor
from core.operation_status import Facts, OperationStatus, Step
from core.settings_store import SettingsSource
from core.store import Store, modify
from core.waits import Waits

SUBJECT = "operations"
"""Where the store keeps statuses and facts."""


@dataclass(frozen=True)
class Tools:
    """What every run of this process shares."""

    settings: SettingsSource
    store: Store
    monitor: Monitor
    client: ClientFactory
    waits: Waits
    now: Now
    stop: threading.Event


class StoppedError(Exception):
    """This process is stopping."""


class OperationRun:
    """One operation at work, in a thread of its own."""

    def __init__(self, tools: Tools, status: OperationStatus) -> None:
        self._tools = tools
        self._not_before = status.started_at
        self._deadline = status.started_at + timedelta(seconds=tools.waits.whole_operation)
        self.status = status
        self.session = status.session
        self.waits = tools.waits
        self.now = tools.now
        record = tools.store.read(SUBJECT, self._facts_key)
        self.facts = Facts.model_validate(record.value) if record else Facts()

    @property
    def _facts_key(self) -> str:
        return f"{key(self.status.server, self.session)}/facts"

    def open(self) -> GatewayClient:
        """Make the session probed and the gateway reachable for this run."""
        status, tools = self.status, self._tools
        settings = tools.settings.current()
        server = settings.server(status.server)
        configured = server.session(self.session) if server else None
        if server is None or configured is None:
            raise WppconnectError(
                f"session {self.session!r} is not configured on server {status.server!r}: "
                "add it in the settings"
            )
        if not configured.enabled:
            set_enabled(tools.settings, server.name, self.session, enabled=True, actor=status.actor)
        self.webhook = configured.webhook
        self.client = tools.client(server, settings)
        return self.client

    @property
    def gateway_started_at(self) -> datetime | None:
        """When the gateway's process started, as far as its health check tells."""
        server = self._tools.monitor.snapshot().server(self.status.server)
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
        write_status(self._tools.store, self.status)

    def show_code(self, code: str | None, *, until: datetime | None = None) -> None:
        """Keep a live pairing code where every tab can show it, or drop it."""
        if code is not None:
            register_secret(code)
        self.status = self.status.model_copy(
            update={
                "pairing_code": code,
                "step": Step.WAITING_FOR_CODE_ENTRY,
                "step_since": self.now(),
                "step_until": until,
            }
        )
        write_status(self._tools.store, self.status)

    def remember(self, **facts: object) -> None:
        """Keep facts for later operations."""
        self.facts = self.facts.model_copy(update=facts)
        modify(
            self._tools.store,
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
        if self._tools.stop.wait(max(0.0, (moment - self.now()).total_seconds())):
            raise StoppedError

    def _wait(self, condition: Callable[[SessionSnapshot], bool], seconds: float) -> SessionSnapshot | None:
        found = self._tools.monitor.wait_for(
            self.status.server, self.session, condition, timeout_seconds=seconds, stop=self._tools.stop
        )
        if found is None and self._tools.stop.is_set():
            raise StoppedError
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


def write_status(store: Store, status: OperationStatus) -> None:
    """Store a status for other tabs and processes."""
    modify(store, SUBJECT, key(status.server, status.session), lambda _before: status.model_dump(mode="json"))


def key(server: str, session: str) -> str:
    """Name a session's record."""
    return f"{server}/{session}"
