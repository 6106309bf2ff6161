"""What the sync agent tells the others: that it is alive, and how the targets stand since when."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

from pydantic import AwareDatetime

from core.clock import Now, now
from core.disk import make_private_directory, read_stamped, replace_file
from core.exceptions import StoreError
from core.models import Frozen
from core.store import Store, modify
from core.sync.plan import Plan
from core.sync.targets import Receives

_log = logging.getLogger(__name__)

SUBJECT = "sync"
BULLETIN = "bulletin"
HEARTBEAT_FILE = "agent.json"
HEARTBEAT_SECONDS = 2.0
STALE_SECONDS = 15.0
"""Without a sign for so long the agent counts as not running."""


class Heartbeat(Frozen):
    """The agent's sign of life."""

    at: AwareDatetime
    program: str
    """Program name and process, for example "wppconnect-ops sync agent[4711]"."""
    checked_at: AwareDatetime | None = None
    """When it last looked at the files."""
    problem: str = ""
    """Why it could not look lately, for an operator; "" when it could."""


class KnownBackup(Frozen):
    """A backup as the page lists it."""

    id: str
    at: AwareDatetime
    actor: str
    kind: str
    files: tuple[str, ...]
    changes_values: bool
    """A key or secret goes back with the files."""


class SyncStatus(Frozen):
    """What the agent last saw; kept in the store, written when it changes."""

    plan: Plan | None = None
    """With the values in force: what is not settled in it is drift."""
    since: dict[str, AwareDatetime] = {}  # noqa: RUF012 - a model's default is copied
    """By target or container: since when it has not been in sync."""
    problem: str = ""
    """Why it cannot look, for example mistakes in the sync file."""
    folders: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    kinds: tuple[Receives, ...] = ()
    """What can be generated: every API key and secret key that some target receives."""
    backups: tuple[KnownBackup, ...] = ()


class AgentStatus:
    """Where the agent tells, and the others read."""

    def __init__(self, store: Store, data_directory: Path, *, clock: Now = now) -> None:
        self._store = store
        self._file = data_directory / "sync" / HEARTBEAT_FILE
        self._clock = clock

    def beat(self, heartbeat: Heartbeat) -> None:
        """Show a sign of life; only one agent does so at a time."""
        make_private_directory(self._file.parent)
        replace_file(self._file, heartbeat.model_dump_json().encode(), durable=False)

    def heartbeat(self) -> Heartbeat | None:
        """Return the agent's latest sign of life while it counts; None: no agent is running."""
        try:
            found = read_stamped(self._file)
            beat = Heartbeat.model_validate_json(found[1]) if found else None
        except (StoreError, ValueError) as error:
            _log.warning("sync_heartbeat_unreadable error=%s", type(error).__name__)
            return None
        if beat is None or abs(self._clock() - beat.at) > timedelta(seconds=STALE_SECONDS):
            return None
        return beat

    def publish(self, bulletin: SyncStatus) -> None:
        """Show what the agent saw; writes only what changed."""
        value = bulletin.model_dump(mode="json")
        modify(self._store, SUBJECT, BULLETIN, lambda _before: value)

    def read(self) -> SyncStatus | None:
        """Return what the agent last saw; None when there is nothing that this release can read."""
        record = self._store.read(SUBJECT, BULLETIN)
        try:
            return SyncStatus.model_validate(record.value) if record else None
        except ValueError:
            return None
