"""Interfaces of the store's engines."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.exceptions import VersionConflictError
from core.messages import Message
from core.models import HistoryEntry

MODIFY_DEADLINE_SECONDS = 10.0

_SUBJECT = re.compile(r"[a-z][a-z_]*(\.[A-Za-z0-9_-]+)?")
"""A word, with an owner as suffix (such as a server) where one file would hold the records of all owners."""


@dataclass(frozen=True)
class Record:
    """A stored value and its version, which the next update must name."""

    key: str
    version: int
    value: dict[str, Any]

    def __repr__(self) -> str:
        """Return a representation without the value, which may hold a token or a pairing code."""
        return f"Record(key={self.key!r}, version={self.version})"


class Store(Protocol):
    """Small records by subject and key, shared between our processes. All methods may raise StoreError."""

    @property
    def notices(self) -> tuple[Message, ...]:
        """What the operator should know: unreadable data that is not in use, a database that is away."""

    def is_set_aside(self, subject: str) -> bool:
        """Return whether unreadable data of this subject was set aside."""

    def read(self, subject: str, key: str) -> Record | None:
        """Return a record, or None; the value is a copy."""

    def read_all(self, subject: str) -> dict[str, Record]:
        """Return all records of the subject by key."""

    def update(
        self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
    ) -> Record | None:
        """Write a record if it has the expected version; on return it is on disk.

        `expected_version` 0: the record must not exist. `value` None: delete it and return None. Raise
        VersionConflictError if the version differs. Version numbers of a key are never reused.
        """

    def add(self, subject: str, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Add records by key in one write; existing records stay unchanged."""

    def remove(self, subject: str, keys: Collection[str]) -> None:
        """Delete records of any version in one write; keys without a record are ignored."""

    def revision(self, subject: str) -> str:
        """Return a value that changes with every write to the subject; "" if nothing was stored. Cheap."""

    def close(self) -> None:
        """Release connections; a later call opens them again."""


class HistoryLog(Protocol):
    """Events with their actors, appended by our processes. All methods may raise StoreError."""

    def append(self, *entries: HistoryEntry) -> None:
        """Append the entries; on return they are on disk."""

    def read(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        server: str | None = None,
        session: str | None = None,
        kinds: Collection[str] | None = None,
        actor: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> list[HistoryEntry]:
        """Return the entries from `since` to `until`, both included, oldest first by default.

        `limit` applies to the chosen order. Unreadable entries are omitted.
        """

    def latest(
        self, server: str | None, session: str | None, kind: str, *, since: datetime | None = None
    ) -> HistoryEntry | None:
        """Return the newest entry of a kind for exactly this server and session, back to the day of `since`.

        Within a UTC day, the entry appended last counts as newest.
        """

    def follow(self, since: datetime, *, kinds: Collection[str]) -> Callable[[], Iterator[HistoryEntry]]:
        """Return a function that yields the entries added since its last call, in the order of writing.

        Its first call yields all entries from the day of `since` on. Not thread-safe.
        """


def is_subject(name: str) -> bool:
    """Return whether a name has the form of our subjects, which is also a file's name."""
    return _SUBJECT.fullmatch(name) is not None


def check_subject(subject: str) -> None:
    """Raise ValueError unless a name has the form of our subjects."""
    if not is_subject(subject):
        raise ValueError(f"subject {subject!r} is no file name of ours")


def version_conflict(subject: str, key: str) -> VersionConflictError:
    """Return the error of an update that names another version than the stored one."""
    return VersionConflictError(
        f"{subject}: {key!r} was changed meanwhile by somebody else; read it again",
        operation=f"save {subject}",
    )


def modify(
    store: Store,
    subject: str,
    key: str,
    change: Callable[[dict[str, Any] | None], Mapping[str, Any] | None],
) -> Record | None:
    """Read, change and write a record; repeat after a concurrent write.

    `change` receives the current value or None and returns the new one, or None to delete the record; it may
    be called several times. An unchanged value is not written. Raise VersionConflictError if conflicts
    persist for ten seconds.
    """
    deadline = time.monotonic() + MODIFY_DEADLINE_SECONDS
    while True:
        record = store.read(subject, key)
        present = record.value if record else None
        value = change(copy.deepcopy(present))
        if value == present:
            return record
        try:
            return store.update(subject, key, value, expected_version=record.version if record else 0)
        except VersionConflictError:
            if time.monotonic() >= deadline:
                raise
