"""A store in memory, and its faults."""

from __future__ import annotations

import copy
import itertools
import threading
from collections.abc import Collection, Mapping
from typing import Any

from core.exceptions import VersionConflictError
from core.store.protocol import Record


class MemoryStore:
    """The store's protocol on a dict; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, dict[str, Record]] = {}
        self._versions = itertools.count(1)
        self._revisions: dict[str, int] = {}

    def is_set_aside(self, subject: str) -> bool:
        return False

    def read(self, subject: str, key: str) -> Record | None:
        with self._lock:
            return copy.deepcopy(self._records.get(subject, {}).get(key))

    def read_all(self, subject: str) -> dict[str, Record]:
        with self._lock:
            return copy.deepcopy(self._records.get(subject, {}))

    def update(
        self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
    ) -> Record | None:
        with self._lock:
            records = self._records.setdefault(subject, {})
            present = records.get(key)
            if (present.version if present else 0) != expected_version:
                raise VersionConflictError(f"{subject} {key} was changed", operation="write a record")
            self._revisions[subject] = self._revisions.get(subject, 0) + 1
            if value is None:
                records.pop(key, None)
                return None
            records[key] = Record(key, next(self._versions), copy.deepcopy(dict(value)))
            return copy.deepcopy(records[key])

    def add(self, subject: str, values: Mapping[str, Mapping[str, Any]]) -> None:
        with self._lock:
            records = self._records.setdefault(subject, {})
            new = {key: value for key, value in values.items() if key not in records}
            for key, value in new.items():
                records[key] = Record(key, next(self._versions), copy.deepcopy(dict(value)))
            self._revisions[subject] = self._revisions.get(subject, 0) + bool(new)

    def remove(self, subject: str, keys: Collection[str]) -> None:
        with self._lock:
            gone = [self._records.get(subject, {}).pop(key, None) for key in keys]
            self._revisions[subject] = self._revisions.get(subject, 0) + any(gone)

    def revision(self, subject: str) -> str:
        with self._lock:
            return str(self._revisions[subject]) if subject in self._revisions else ""
