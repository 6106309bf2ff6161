"""TinyDB storage of one store file: locked while it is open, replaced atomically by each write."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from pathlib import Path

from tinydb.storages import Storage

from core.disk import disk_error, read_stamped, replace_file, sync_directory
from core.locks import DEFAULT_TIMEOUT_SECONDS, ProcessLock
from core.store.schema import BrokenFileError, Tables, decode, encode

_log = logging.getLogger(__name__)

SETTLING_SECONDS = 0.1
"""Delay before an unreadable file is read again: it may be in the middle of being written in place."""

BROKEN = ".broken-"
"""Infix between the name of a file that was set aside and the time (UTC)."""


class LockedStorage(Storage):
    """Holds the file's lock from opening to closing; writes are on disk when they return."""

    def __init__(self, path: Path, lock: ProcessLock) -> None:
        self._path = path
        self._lock = lock
        lock.acquire(DEFAULT_TIMEOUT_SECONDS)
        try:
            self._tables = self._load()
        except BaseException:
            lock.release()
            raise

    def read(self) -> Tables | None:
        """Return the file's content at opening, or as written since; None if there is no file."""
        return self._tables

    def write(self, data: Tables) -> None:
        """Replace the file and wait until it is on disk."""
        replace_file(self._path, encode(data), durable=True)
        self._tables = data

    def close(self) -> None:
        """Release the lock."""
        self._lock.release()

    def _load(self, *, is_settled: bool = False) -> Tables | None:
        # Read from disk, not from a cache: decisions under the lock must be based on the last write.
        found = read_stamped(self._path)
        if found is None:
            return None
        try:
            return decode(found[1], self._path)
        except BrokenFileError as error:
            if not is_settled:
                # A backup that is being copied over the file is incomplete for a moment.
                time.sleep(SETTLING_SECONDS)
                return self._load(is_settled=True)
            self._set_aside(str(error))
            return None

    def _set_aside(self, reason: str) -> None:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        aside = self._path.with_name(f"{self._path.name}{BROKEN}{moment}")
        try:
            self._path.rename(aside)
            sync_directory(aside.parent)
        except OSError as error:
            raise disk_error("set aside the unreadable file", self._path, error) from None
        _log.warning("store_file_set_aside file=%s aside=%s reason=%r", self._path, aside.name, reason)
