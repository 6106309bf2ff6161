"""File-based store: one small TinyDB file per subject, which operators can read and back up."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tinydb import TinyDB, where

from core.disk import Stamp, read_stamp, read_stamped
from core.locks import ProcessLock
from core.messages import Message
from core.store.migration import Subject
from core.store.protocol import Record, check_subject, is_subject, version_conflict
from core.store.schema import DELETIONS, RECORDS, BrokenFileError, decode
from core.store.storage import BROKEN, LockedStorage


class FileStore:
    """Store records in `directory`; safe for any number of threads and processes.

    Writers are serialized by a lock. Readers need none: files are only replaced atomically, and read again
    only if their stamp has changed.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._paths: dict[str, Path] = {}
        self._locks: dict[str, ProcessLock] = {}
        self._cache: dict[str, tuple[Stamp, dict[str, Record]]] = {}

    @property
    def notices(self) -> tuple[Message, ...]:
        """Notices about unreadable files that any process set aside, until the operator deletes them."""
        return tuple(
            Message.of("store.set_aside", file=aside.name.partition(BROKEN)[0], path=str(aside))
            for aside in sorted(self._directory.glob(f"*.json{BROKEN}*"))
        )

    def is_set_aside(self, subject: str) -> bool:
        """Return whether an unreadable file of the subject was set aside and still exists."""
        return any(self._directory.glob(f"{self._path(subject).name}{BROKEN}*"))

    def read(self, subject: str, key: str) -> Record | None:
        """Return a record, or None; the value is a copy."""
        return copy.deepcopy(self._records(subject).get(key))

    def read_all(self, subject: str) -> dict[str, Record]:
        """Return all records of the subject by key."""
        return copy.deepcopy(self._records(subject))

    def update(
        self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
    ) -> Record | None:
        """Write a record if it has the expected version; see `Store.update`."""
        with self._open(subject) as database:
            present = _records_of(database.storage.read()).get(key)
            if expected_version != (present.version if present else 0):
                raise version_conflict(subject, key)
            if value is None:
                if present:
                    _delete(database, [present])
                return None
            return _save(database, key, value, present)

    def add(self, subject: str, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Add records in one write to disk; see `Store.add`."""
        with self._open(subject) as database:
            present = _records_of(database.storage.read())
            version = _highest_deleted(database) + 1
            rows = [
                {"key": key, "version": version, "value": copy.deepcopy(dict(value))}
                for key, value in values.items()
                if key not in present
            ]
            if rows:
                database.table(RECORDS).insert_multiple(rows)

    def remove(self, subject: str, keys: Collection[str]) -> None:
        """Delete records in two writes to disk; see `Store.remove`."""
        with self._open(subject) as database:
            present = _records_of(database.storage.read())
            if gone := [present[key] for key in keys if key in present]:
                _delete(database, gone)

    def revision(self, subject: str) -> str:
        """Return a value that changes with every write to the subject; costs one stat."""
        stamp = read_stamp(self._path(subject))
        return "-".join(map(str, stamp)) if stamp else ""

    def subjects(self) -> list[str]:
        """Return the names of the subjects with a file."""
        return sorted(path.stem for path in self._directory.glob("*.json") if is_subject(path.stem))

    def dump(self, subject: str) -> Subject:
        """Return everything of a subject."""
        with self._open(subject) as database:
            records = _records_of(database.storage.read())
            return Subject(list(records.values()), _highest_deleted(database))

    def load(self, subject: str, content: Subject) -> None:
        """Write a subject that does not exist yet."""
        rows = {
            str(number): {"key": record.key, "version": record.version, "value": record.value}
            for number, record in enumerate(content.records, start=1)
        }
        deleted = {"1": {"highest_version": content.deleted_version}} if content.deleted_version else {}
        with self._open(subject) as database:
            database.storage.write({RECORDS: rows, DELETIONS: deleted})

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _records(self, subject: str) -> dict[str, Record]:
        path = self._path(subject)
        stamp = read_stamp(path)
        cached = self._cache.get(subject)
        if cached and cached[0] == stamp:
            return cached[1]
        found = read_stamped(path)
        if found is None:
            return {}
        try:
            records = _records_of(decode(found[1], path))
        except BrokenFileError:
            # Opening it under its lock reads it again, and sets it aside if it is still broken.
            with self._open(subject) as database:
                return _records_of(database.storage.read())
        self._cache[subject] = found[0], records
        return records

    def _open(self, subject: str) -> TinyDB:
        path = self._path(subject)
        lock = self._locks.get(subject)
        if lock is None:
            # setdefault: concurrent threads must share one lock object.
            lock = self._locks.setdefault(subject, ProcessLock(path.with_name(f"{path.name}.lock")))
        return TinyDB(path, lock, storage=LockedStorage)

    def _path(self, subject: str) -> Path:
        path = self._paths.get(subject)
        if path is None:
            check_subject(subject)
            path = self._paths[subject] = self._directory / f"{subject}.json"
        return path


def _records_of(tables: Mapping[str, Any] | None) -> dict[str, Record]:
    rows: Mapping[str, Any] = (tables or {}).get(RECORDS, {})
    return {row["key"]: Record(row["key"], row["version"], row["value"]) for row in rows.values()}


def _save(database: TinyDB, key: str, value: Mapping[str, Any], present: Record | None) -> Record:
    table = database.table(RECORDS)
    # A single TinyDB call in each branch, since each call writes to disk; `upsert` would write twice.
    if present:
        record = Record(key, present.version + 1, copy.deepcopy(dict(value)))
        table.update({"version": record.version, "value": record.value}, where("key") == key)
    else:
        record = Record(key, _highest_deleted(database) + 1, copy.deepcopy(dict(value)))
        table.insert({"key": key, "version": record.version, "value": record.value})
    return record


def _delete(database: TinyDB, gone: Collection[Record]) -> None:
    # Write the version first: a crash in between then leaves the records, but never reuses a version. A
    # writer that still holds a deleted record's version must not match a new record under the same key.
    highest = max(record.version for record in gone)
    deletions = database.table(DELETIONS)
    if not len(deletions):
        deletions.insert({"highest_version": highest})
    elif highest > _highest_deleted(database):
        deletions.update({"highest_version": highest})
    database.table(RECORDS).remove(where("key").one_of([record.key for record in gone]))


def _highest_deleted(database: TinyDB) -> int:
    return max((row["highest_version"] for row in database.table(DELETIONS)), default=0)
