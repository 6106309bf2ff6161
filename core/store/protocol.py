"""Interface of the stores."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from core.exceptions import VersionConflictError

MODIFY_DEADLINE_SECONDS = 10.0


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
    def notices(self) -> tuple[str, ...]:
        """Texts for the operator about unreadable data that is not in use."""

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
