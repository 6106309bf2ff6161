"""Records in PostgreSQL."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from core.exceptions import StoreError
from core.messages import Message
from core.store.migration import Subject
from core.store.postgresql.database import IS_OURS, SERVER, Database, Rows
from core.store.protocol import Record, check_subject, version_conflict

REVISIONS_SECONDS = 0.25
"""Revisions are polled far more often than they change, so one query serves all subjects for so long."""

_LOCKED = f"""
INSERT INTO wppconnect_subjects AS present (subject, revision, deleted_version, deleted_revision)
SELECT %(subject)s, 0, 0, 0 WHERE {IS_OURS}
ON CONFLICT (subject) DO UPDATE SET revision = present.revision;
"""
"""Lock the subject until the end of the transaction, so that its revisions are committed in their order."""

_NEXT = f"""
next AS (
    SELECT revision + 1 AS revision, deleted_version + 1 AS version FROM wppconnect_subjects
    WHERE subject = %(subject)s AND {IS_OURS}
)"""  # noqa: S608
_COUNTED = """
counted AS (
    UPDATE wppconnect_subjects SET revision = revision + 1
    WHERE subject = %(subject)s AND EXISTS (SELECT FROM written)
)"""
_ADD = f"""{_LOCKED}
WITH {_NEXT}, written AS (
    INSERT INTO wppconnect_records (subject, key, version, revision, value)
    SELECT %(subject)s, added.key, next.version, next.revision, added.value::json
    FROM next, unnest(%(keys)s::text[], %(values)s::text[]) AS added (key, value)
    ON CONFLICT DO NOTHING RETURNING version
), {_COUNTED}
SELECT version FROM written"""  # noqa: S608
_REPLACE = f"""{_LOCKED}
WITH {_NEXT}, written AS (
    UPDATE wppconnect_records AS present
    SET version = present.version + 1, revision = next.revision, value = %(value)s::json
    FROM next
    WHERE subject = %(subject)s AND key = %(key)s AND present.version = %(expected)s
    RETURNING present.version
), {_COUNTED}
SELECT version FROM written"""  # noqa: S608
_DELETE = f"""{_LOCKED}
WITH {_NEXT}, written AS (
    DELETE FROM wppconnect_records AS present USING next
    WHERE subject = %(subject)s AND key = ANY(%(keys)s::text[])
    AND (%(expected)s::bigint IS NULL OR present.version = %(expected)s)
    RETURNING present.version
), counted AS (
    UPDATE wppconnect_subjects
    SET revision = revision + 1, deleted_revision = revision + 1,
        deleted_version = greatest(deleted_version, (SELECT max(version) FROM written))
    WHERE subject = %(subject)s AND EXISTS (SELECT FROM written)
)
SELECT version FROM written"""  # noqa: S608
_READ = f"""
WITH known AS (
    SELECT {SERVER} AS server, CASE WHEN {SERVER} = %(server)s THEN %(known)s::bigint ELSE 0 END AS revision
)
SELECT known.server, subject.revision,
    known.revision = 0 OR subject.deleted_revision > known.revision OR subject.revision < known.revision,
    record.key, record.version, record.value
FROM known LEFT JOIN wppconnect_subjects AS subject
    ON subject.subject = %(subject)s AND subject.revision <> known.revision
LEFT JOIN wppconnect_records AS record ON record.subject = subject.subject AND (
    record.revision > known.revision
    OR subject.deleted_revision > known.revision OR subject.revision < known.revision
)"""  # noqa: S608
_REVISIONS = f"SELECT {SERVER}, subject, revision FROM wppconnect_subjects WHERE revision > 0"  # noqa: S608

_DELETED = "SELECT deleted_version FROM wppconnect_subjects WHERE subject = %(subject)s"
_LOAD = f"""{_LOCKED}
UPDATE wppconnect_subjects SET revision = revision + 1, deleted_version = %(deleted)s
WHERE subject = %(subject)s AND {IS_OURS};
INSERT INTO wppconnect_records (subject, key, version, revision, value)
SELECT subject, added.key, added.version, revision, added.value::json
FROM wppconnect_subjects, unnest(%(keys)s::text[], %(versions)s::bigint[], %(values)s::text[])
    AS added (key, version, value)
WHERE subject = %(subject)s AND {IS_OURS}
RETURNING 1"""  # noqa: S608
_CLEAR = f"""
DELETE FROM wppconnect_history WHERE {IS_OURS};
DELETE FROM wppconnect_records WHERE {IS_OURS};
DELETE FROM wppconnect_snapshots WHERE {IS_OURS};
DELETE FROM wppconnect_subjects WHERE {IS_OURS} RETURNING 1"""  # noqa: S608


@dataclass(frozen=True)
class _Known:
    """A subject's records as of a revision of a server; that of another server counts anew."""

    server: str
    revision: int
    records: Mapping[str, Record]


class PostgresStore:
    """Store records in a database; safe for any number of threads and processes.

    Keeps what it has read, and fetches only what has changed since. While the database is away, reads return
    what is kept. `reuse_seconds` is how long revisions are reused.
    """

    def __init__(self, database: Database, *, reuse_seconds: float = REVISIONS_SECONDS) -> None:
        self.database = database
        self._reuse_seconds = reuse_seconds
        self._known: dict[str, _Known] = {}
        self._revisions: Mapping[str, str] = {}
        self._revisions_until = 0.0

    @property
    def notices(self) -> tuple[Message, ...]:
        """Why the database cannot be used, if so."""
        problem = self.database.problem
        return (problem.explanation,) if problem else ()

    def is_set_aside(self, subject: str) -> bool:  # noqa: ARG002 - a database has no broken files
        """Return False."""
        return False

    def read(self, subject: str, key: str) -> Record | None:
        """Return a record, or None; the value is a copy."""
        return copy.deepcopy(self._records(subject).get(key))

    def read_all(self, subject: str) -> dict[str, Record]:
        """Return all records of the subject by key."""
        return copy.deepcopy(dict(self._records(subject)))

    def update(
        self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
    ) -> Record | None:
        """Write a record if it has the expected version; see `Store.update`."""
        if value is None:
            if expected_version:
                is_done = bool(self._delete(subject, [key], expected_version))
            else:
                is_done = self.read(subject, key) is None
            if not is_done:
                raise version_conflict(subject, key)
            return None
        text = _encode(value)
        if expected_version:
            parameters = {"key": key, "value": text, "expected": expected_version}
            rows = self._write(_REPLACE, subject, parameters)
        else:
            rows = self._write(_ADD, subject, {"keys": [key], "values": [text]})
        if not rows:
            raise version_conflict(subject, key)
        return Record(key, rows[0][0], json.loads(text))

    def add(self, subject: str, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Add records in one statement; see `Store.add`."""
        if values:
            texts = [_encode(value) for value in values.values()]
            self._write(_ADD, subject, {"keys": list(values), "values": texts})

    def remove(self, subject: str, keys: Collection[str]) -> None:
        """Delete records in one statement; see `Store.remove`."""
        if keys:
            self._delete(subject, keys, None)

    def revision(self, subject: str) -> str:
        """Return the number of writes to the subject; those of other processes appear a little later."""
        check_subject(subject)
        if time.monotonic() >= self._revisions_until:
            try:
                rows = self.database.read(_REVISIONS, {}, operation="read the store")
            except StoreError:
                if not self._revisions:
                    raise
            else:
                self._revisions = {name: f"{number} of {server}" for server, name, number in rows}
                self._revisions_until = time.monotonic() + self._reuse_seconds
        return self._revisions.get(subject, "")

    def subjects(self) -> list[str]:
        """Return the names of the subjects with stored data."""
        rows = self.database.read(f"{_REVISIONS} ORDER BY subject", {}, operation="read the store")
        return [name for _, name, _ in rows]

    def dump(self, subject: str) -> Subject:
        """Return everything of a subject."""
        rows = self.database.read(_DELETED, {"subject": subject}, operation=f"read {subject}")
        return Subject(list(self.read_all(subject).values()), rows[0][0] if rows else 0)

    def load(self, subject: str, content: Subject) -> None:
        """Write a subject that does not exist yet."""
        parameters = {
            "deleted": content.deleted_version,
            "keys": [record.key for record in content.records],
            "versions": [record.version for record in content.records],
            "values": [_encode(record.value) for record in content.records],
        }
        self._write(_LOAD, subject, parameters)

    def clear(self) -> None:
        """Delete all records and the history."""
        self.database.write(_CLEAR, {}, operation="clear the store")
        self._known.clear()

    def close(self) -> None:
        """Close the idle connections."""
        self.database.close()

    def _records(self, subject: str) -> Mapping[str, Record]:
        check_subject(subject)
        known = self._known.get(subject, _Known("", 0, {}))
        parameters = {"subject": subject, "server": known.server, "known": known.revision}
        try:
            rows = self.database.read(_READ, parameters, operation=f"read {subject}")
        except StoreError:
            if subject not in self._known:
                raise
            return known.records
        server, revision, is_whole = rows[0][:3]
        changed = {row[3]: Record(*row[3:]) for row in rows if row[3] is not None}
        if is_whole or revision is not None:
            records = changed if is_whole else {**known.records, **changed}
            known = _Known(server, revision or 0, records)
        self._known[subject] = known
        return known.records

    def _delete(self, subject: str, keys: Collection[str], expected: int | None) -> Rows:
        return self._write(_DELETE, subject, {"keys": list(keys), "expected": expected})

    def _write(self, statement: str, subject: str, parameters: Mapping[str, Any]) -> Rows:
        check_subject(subject)
        self._revisions_until = 0.0
        try:
            return self.database.write(
                statement, {"subject": subject, **parameters}, operation=f"save {subject}"
            )
        finally:
            self._revisions_until = 0.0


def _encode(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), allow_nan=False)
