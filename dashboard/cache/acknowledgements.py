"""Acknowledgements that end with their outage: once it is over, a new alert notifies again.

They are stored, so that a restart of the page keeps them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from core.alertmanager.api import Alertmanager
from core.clock import Now, now
from core.exceptions import AlertmanagerError, StoreError
from core.models import HistoryEntry, Snapshot, Verdict
from core.reasons import gateway_fault
from core.settings.values import AlertmanagerSettings
from core.store import Store, modify

log = logging.getLogger(__name__)

SUBJECT = "acknowledgements"
POLL_SECONDS = 2.0
Target = tuple[str, str]
"""A gateway and its session; the gateway itself if the session is empty."""


@dataclass(frozen=True)
class Acknowledgement:
    """An acknowledgement that ends with its outage; `ended_at` is set once it has."""

    target: Target
    silence: str
    ended_at: datetime | None = None


def note_acknowledgement(store: Store, target: Target, silence: str) -> None:
    """Store that a silence ends with its outage. Raises StoreError."""
    _write(store, Acknowledgement(target, silence))


def read_acknowledgement(store: Store, target: Target) -> Acknowledgement | None:
    """Return the latest such acknowledgement of a session or gateway, or None. Raises StoreError."""
    record = store.read(SUBJECT, "/".join(target))
    return _read("/".join(target), record.value) if record is not None else None


class AcknowledgementWatch:
    """End acknowledgements in a background thread; pages only read the result."""

    def __init__(
        self,
        store: Store,
        record: Callable[[HistoryEntry], None],
        *,
        read_snapshot: Callable[[], Snapshot],
        read_settings: Callable[[], AlertmanagerSettings | None],
        clock: Now = now,
    ) -> None:
        self._store = store
        self._record = record
        self._read_snapshot = read_snapshot
        self._read_settings = read_settings
        self._clock = clock
        self._stop = threading.Event()
        self._problem = ""

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="acknowledgements", daemon=True).start()

    def stop(self) -> None:
        """Stop the thread."""
        self._stop.set()

    def end_those_of_connected(self) -> None:
        """End every acknowledgement whose outage is over; failures are logged and retried."""
        try:
            self._end_those_of_connected()
            self._problem = ""
        except (AlertmanagerError, StoreError) as error:
            if str(error) != self._problem:
                self._problem = str(error)
                log.warning("acknowledgement_not_ended error=%s", error)

    def _run(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            try:
                self.end_those_of_connected()
            except Exception:
                log.exception("acknowledgements_not_watched")

    def _end_those_of_connected(self) -> None:
        kept = [_read(key, record.value) for key, record in self._store.read_all(SUBJECT).items()]
        open_ones = [one for one in kept if one is not None and one.ended_at is None]
        if not open_ones:
            return
        snapshot, settings = self._read_snapshot(), self._read_settings()
        for one in open_ones:
            if settings is None or not _is_over(one.target, snapshot):
                continue
            with closing(Alertmanager(settings)) as asked:
                is_in_force = any(silence.id == one.silence for silence in asked.silences())
                if is_in_force:
                    asked.expire(one.silence)
            at = self._clock()
            # A silence that a user ended or that expired needs no history entry.
            _write(self._store, Acknowledgement(one.target, one.silence, at))
            if is_in_force:
                self._tell(one.target, at)

    def _tell(self, target: Target, at: datetime) -> None:
        data: dict[str, str | int | float | bool | None] = {"event": "unacknowledged", "reason": "connected"}
        server, session = target
        self._record(HistoryEntry(at=at, kind="alert", server=server, session=session or None, data=data))


def _is_over(target: Target, snapshot: Snapshot) -> bool:
    server, name = target
    if not name:
        gateway = snapshot.server(server)
        return gateway is not None and gateway.up is True and gateway_fault(gateway) is None
    session = snapshot.session(server, name)
    return session is not None and session.verdict is Verdict.CONNECTED


def _read(key: str, value: dict[str, object]) -> Acknowledgement | None:
    server, _, session = key.partition("/")
    silence, ended_at = value.get("silence"), value.get("ended_at")
    if not isinstance(silence, str):
        return None
    moment = datetime.fromisoformat(ended_at) if isinstance(ended_at, str) else None
    return Acknowledgement((server, session), silence, moment)


def _write(store: Store, one: Acknowledgement) -> None:
    ended_at = one.ended_at.isoformat() if one.ended_at is not None else None
    value = {"silence": one.silence, "ended_at": ended_at}
    modify(store, SUBJECT, "/".join(one.target), lambda _before: value)
