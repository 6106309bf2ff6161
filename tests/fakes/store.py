"""A store in memory."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Collection, Mapping
from typing import Any

from core.exceptions import StoreError, VersionConflictError
from core.store.protocol import Record


class MemoryStore:
    """The store's protocol on a dict; threads may share it, and a test chooses its faults."""

    def __init__(self) -> None:
        self.reads = self.writes = 0
        """How often a record was read, and something was written."""
        self.read_error: StoreError | None = None
        self.is_full = False
        """As on a full disk, nothing is updated."""
        self._lock = threading.Lock()
        self._records: dict[str, dict[str, Record]] = {}
        self._version = 0
        self._revisions: dict[str, int] = {}

    def is_set_aside(self, subject: str) -> bool:
        """Nothing of it can be unreadable."""
        return False

    def read(self, subject: str, key: str) -> Record | None:
        """Read a record."""
        with self._lock:
            self.reads += 1
            if self.read_error is not None:
                raise self.read_error
            return copy.deepcopy(self._records.get(subject, {}).get(key))

    def read_all(self, subject: str) -> dict[str, Record]:
        """Read the records of a subject."""
        with self._lock:
            return copy.deepcopy(self._records.get(subject, {}))

    def update(
        self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
    ) -> Record | None:
        """Write or remove a record that nobody else has changed."""
        if self.is_full:
            raise StoreError(f"cannot write {subject}.json: no space left on device; free space on that disk")
        with self._lock:
            present = self._records.get(subject, {}).get(key)
            if (present.version if present else 0) != expected_version:
                raise VersionConflictError(f"{subject} {key} was changed", operation="write a record")
            return self._write(subject, {key: value})[0]

    def add(self, subject: str, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the records that are not there yet."""
        with self._lock:
            present = self._records.get(subject, {})
            self._write(subject, {key: value for key, value in values.items() if key not in present})

    def remove(self, subject: str, keys: Collection[str]) -> None:
        """Remove records."""
        with self._lock:
            present = self._records.get(subject, {})
            self._write(subject, {key: None for key in keys if key in present})

    def revision(self, subject: str) -> str:
        """Return what changes with each change of a subject."""
        with self._lock:
            return str(self._revisions.get(subject, ""))

    def close(self) -> None:
        """Nothing stays open."""

    def put(self, subject: str, key: str, value: Mapping[str, Any], *, version: int) -> None:
        """Have a record stand there, whatever it says."""
        with self._lock:
            self._version = version - 1
            self._write(subject, {key: value})

    def _write(self, subject: str, values: Mapping[str, Mapping[str, Any] | None]) -> list[Record | None]:
        if not values:
            return []
        records = self._records.setdefault(subject, {})
        self.writes += 1
        self._revisions[subject] = self._revisions.get(subject, 0) + 1
        for key, value in values.items():
            if value is None:
                records.pop(key, None)
                continue
            self._version += 1
            # Through JSON, as a store in files does.
            records[key] = Record(key, self._version, json.loads(json.dumps(dict(value))))
        return [copy.deepcopy(records.get(key)) for key in values]
