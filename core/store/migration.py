"""Copy a store and its history from one engine to the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple, Protocol

from core.models import HistoryEntry
from core.store.protocol import HistoryLog, Record

BATCH = 5_000
"""History entries in one write."""


class Subject(NamedTuple):
    """Everything of a subject: its records, and the highest version of a deleted one."""

    records: list[Record]
    deleted_version: int


class Portable(Protocol):
    """A store whose subjects can be copied whole, with their versions."""

    def subjects(self) -> list[str]:
        """Return the names of the subjects with stored data."""

    def dump(self, subject: str) -> Subject:
        """Return everything of a subject."""

    def load(self, subject: str, content: Subject) -> None:
        """Write a subject that does not exist yet."""


class Copied(NamedTuple):
    """How much was copied."""

    records: int
    entries: int


def is_empty(store: Portable, history: HistoryLog) -> bool:
    """Return whether nothing is stored."""
    return not store.subjects() and not history.read(limit=1)


def copy(store: Portable, history: HistoryLog, to_store: Portable, to_history: HistoryLog) -> Copied:
    """Copy everything into an empty store and history. Nothing may write meanwhile. Raises StoreError."""
    records = entries = 0
    for subject in store.subjects():
        content = store.dump(subject)
        to_store.load(subject, content)
        records += len(content.records)
    for batch in _batches(history):
        to_history.append(*batch)
        entries += len(batch)
    return Copied(records, entries)


def _batches(history: HistoryLog) -> Iterator[list[HistoryEntry]]:
    for oldest, newest in zip(history.read(limit=1), history.read(limit=1, newest_first=True), strict=True):
        day = datetime.combine(oldest.at.astimezone(UTC).date(), time(), UTC)
        while day <= newest.at:
            following = day + timedelta(days=1)
            entries = history.read(since=day, until=following - timedelta(microseconds=1))
            for start in range(0, len(entries), BATCH):
                yield entries[start : start + BATCH]
            day = following
