"""A store in memory that fails as a test wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.exceptions import StoreError
from core.store.memory import MemoryStore as WorkingStore
from core.store.protocol import Record


class MemoryStore(WorkingStore):
    """The product's store in memory; it counts, and a test chooses its faults."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = self.writes = 0
        """How often a record was read, and something was written."""
        self.read_error: StoreError | None = None
        self.is_full = False
        """As on a full disk, nothing is updated."""

    def read(self, subject: str, key: str) -> Record | None:
        """Read a record."""
        self.reads += 1
        if self.read_error is not None:
            raise self.read_error
        return super().read(subject, key)

    def update(
        self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
    ) -> Record | None:
        """Write or remove a record that nobody else has changed."""
        if self.is_full:
            raise StoreError(f"cannot write {subject}.json: no space left on device; free space on that disk")
        return super().update(subject, key, value, expected_version=expected_version)

    def put(self, subject: str, key: str, value: Mapping[str, Any], *, version: int) -> None:
        """Have a record stand there, whatever it says."""
        with self._lock:
            self._version = version - 1
            self._write(subject, {key: value})

    def _write(self, subject: str, values: Mapping[str, Mapping[str, Any] | None]) -> None:
        self.writes += bool(values)
        super()._write(subject, values)
