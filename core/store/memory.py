"""A store in memory, for what only one call needs to keep."""

from __future__ import annotations

import copy
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
        self._writes = 0

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
            records = self._records.setdefault(subject, {})
            present = records.get(key)
            if expected_version != (present.version if present else 0):
                raise version_conflict(subject, key)
            if value is None:
                records.pop(key, None)
                self._writes += 1
                return None
            return copy.deepcopy(self._put(records, key, value))

    def add(self, subject: str, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Add records by key; existing records stay unchanged."""
        with self._lock:
            records = self._records.setdefault(subject, {})
            for key, value in values.items():
                if key not in records:
                    self._put(records, key, value)

    def remove(self, subject: str, keys: Collection[str]) -> None:
        """Delete records of any version."""
        with self._lock:
            for key in keys:
                self._records.get(subject, {}).pop(key, None)
            self._writes += 1

    def revision(self, subject: str) -> str:
        """Return a value that changes with every write; "" if nothing was stored."""
        with self._lock:
            return str(self._writes) if self._records.get(subject) else ""

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _put(self, records: dict[str, Record], key: str, value: Mapping[str, Any]) -> Record:
        # Numbers are never reused, not even after a deletion.
        self._writes += 1
        records[key] = record = Record(key, self._writes, copy.deepcopy(dict(value)))
        return record
