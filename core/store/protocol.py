"""What a store does, whatever it keeps its records in."""

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
    """One stored value and the version that the next update of it must name."""

    key: str
    version: int
    value: dict[str, Any]

    def __repr__(self) -> str:
        """Show no value: it may hold a token or a pairing code."""
        return f"Record(key={self.key!r}, version={self.version})"


class Store(Protocol):
    """Small records by subject and key, shared by all our processes. Every method may raise StoreError."""

    @property
    def notices(self) -> tuple[str, ...]:
        """Say what could not be read and is not in use, in words for an operator."""

    def is_set_aside(self, subject: str) -> bool:
        """Tell whether something of this subject could not be read, and lies beside what is in use."""

    def read(self, subject: str, key: str) -> Record | None:
        """Read one record; the value is the caller's own copy."""

    def read_all(self, subject: str) -> dict[str, Record]:
        """Read every record of the subject by its key."""

    def update(
        self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
    ) -> Record | None:
        """Write the record if it still has the expected version; on return it is on disk.

        `expected_version` 0: there must be no record. `value` None: delete it, and return None. Raises
        VersionConflictError when somebody else was first. A version number is never given twice to one key.
        """

    def add(self, subject: str, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Write new records by key, all in one write; what is there already stays as it is."""

    def remove(self, subject: str, keys: Collection[str]) -> None:
        """Delete records whatever their versions, all in one write; a key without a record is passed over."""

    def revision(self, subject: str) -> str:
        """Change with every write of anybody to the subject; "" when nothing was ever stored. Cheap."""


def modify(
    store: Store,
    subject: str,
    key: str,
    change: Callable[[dict[str, Any] | None], Mapping[str, Any] | None],
) -> Record | None:
    """Read the record, change it and write it; begin again when somebody else was faster.

    `change` gets the present value or None and returns the new one, or None to delete; it may be called
    several times. Nothing is written when nothing changes. Raises VersionConflictError when the record
    does not come to rest for ten seconds.
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
