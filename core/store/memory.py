"""A store in memory, for what only one call needs to keep."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Collection, Mapping
from typing import Any

from core.messages import Message
from core.store.protocol import Record, version_conflict


class MemoryStore:
    """`Store` without a disk; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, dict[str, Record]] = {}
        self._version = 0
        self._revisions: dict[str, int] = {}

    @property
    def notices(self) -> tuple[Message, ...]:
        """Return nothing: memory holds nothing unreadable."""
        return ()

    def is_set_aside(self, subject: str) -> bool:  # noqa: ARG002
        """Return False: memory holds nothing unreadable."""
        return False

    def read(self, subject: str, key: str) -> Record | None:
        """Return a record, or None."""
        with self._lock:
            return copy.deepcopy(self._records.get(subject, {}).get(key))

    def read_all(self, subject: str) -> dict[str, Record]:
        """Return all records of the subject by key."""
        with self._lock:
            return copy.deepcopy(self._records.get(subject, {}))

    def update(
        self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
    ) -> Record | None:
        """Write a record if it has the expected version; see `Store.update`."""
        with self._lock:
            present = self._records.get(subject, {}).get(key)
            if expected_version != (present.version if present else 0):
                raise version_conflict(subject, key)
            self._write(subject, {key: value})
            return copy.deepcopy(self._records[subject].get(key))

    def add(self, subject: str, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Add records by key; existing records stay unchanged."""
        with self._lock:
            present = self._records.get(subject, {})
            self._write(subject, {key: value for key, value in values.items() if key not in present})

    def remove(self, subject: str, keys: Collection[str]) -> None:
        """Delete records of any version."""
        with self._lock:
            present = self._records.get(subject, {})
            self._write(subject, {key: None for key in keys if key in present})

    def revision(self, subject: str) -> str:
        """Return a value that changes with every write; "" if nothing was stored."""
        with self._lock:
            return str(self._revisions.get(subject, ""))

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _write(self, subject: str, values: Mapping[str, Mapping[str, Any] | None]) -> None:
        if not values:
            return
        records = self._records.setdefault(subject, {})
        self._revisions[subject] = self._revisions.get(subject, 0) + 1
        for key, value in values.items():
            if value is None:
                records.pop(key, None)
                continue
            # Numbers are never reused, not even after a deletion.
            self._version += 1
            # Through JSON, as the other stores do.
            records[key] = Record(key, self._version, json.loads(json.dumps(dict(value))))
