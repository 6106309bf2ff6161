"""An environment, and a store of one record whose faults a test can choose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.exceptions import StoreError, VersionConflictError
from core.settings.environment import CoreEnvironment, load_environment
from core.settings.source import SettingsSource
from core.store import Record

URL = "http://127.0.0.1:21465"
ENVIRONMENT = load_environment(
    {"WPPCONNECT_URL": URL, "WPPCONNECT_SECRET_KEY": "k3y-of-env", "WPPCONNECT_SESSIONS": "sales,support"}
)
NOW = datetime(2026, 11, 23, 20, 28, 21, tzinfo=UTC)
CONFLICT_END = "after you opened them. Nothing of yours was saved: load them again and repeat your change."


class MemoryStore:
    """A store of one record whose faults a test can choose."""

    def __init__(self) -> None:
        self.record: Record | None = None
        self.writes = 0
        self.reads = 0
        self.fault: StoreError | None = None

    def is_set_aside(self, subject: str) -> bool:
        """Nothing of it can be unreadable."""
        return False

    def read(self, subject: str, key: str) -> Record | None:
        """Read the record."""
        assert (subject, key) == ("settings", "saved")
        self.reads += 1
        if self.fault:
            raise self.fault
        return self.record

    def read_all(self, subject: str) -> dict[str, Record]:
        """Read everything."""
        return {"saved": self.record} if self.record else {}

    def update(
        self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
    ) -> Record | None:
        """Write the record as a store in files does: through JSON."""
        if expected_version != (self.record.version if self.record else 0):
            raise VersionConflictError("changed meanwhile")
        self.put(expected_version + 1, json.loads(json.dumps(value)))
        return self.record

    def revision(self, subject: str) -> str:
        """Count the writes."""
        return str(self.writes or "")

    def put(self, version: int, value: dict[str, Any]) -> None:
        """Write whatever a test wants to stand there."""
        self.record = Record("saved", version, value)
        self.writes += 1


def make_source(store: Any, environment: CoreEnvironment = ENVIRONMENT) -> SettingsSource:
    """One process's view of the settings."""
    return SettingsSource(environment, store, clock=lambda: NOW)
