"""Read records that this release may not understand, such as those of a newer one; log these once each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from core.store.protocol import Record, Store

T = TypeVar("T")
MOST_KEPT = 1000


class Unreadable:
    """Logs unreadable records, each version once per store; usable from any thread."""

    def __init__(self, log: logging.Logger, event: str) -> None:
        self._log = log
        self._event = event
        self._logged: WeakKeyDictionary[Store, set[tuple[str, int]]] = WeakKeyDictionary()

    def parse(
        self, store: Store, key: str, record: Record | None, read: Callable[[Mapping[str, Any]], T]
    ) -> T | None:
        """Return what `read` makes of a record's value; None without a record or if it raises ValueError."""
        if record is None:
            return None
        try:
            return read(record.value)
        except ValueError:
            self._report(store, key, record)
            return None

    def _report(self, store: Store, key: str, record: Record) -> None:
        """Log a record's key, unless this version was logged already."""
        logged = self._logged.setdefault(store, set())
        if (key, record.version) in logged:
            return
        if len(logged) >= MOST_KEPT:
            logged.clear()
        logged.add((key, record.version))
        self._log.warning("%s record=%s", self._event, key)
