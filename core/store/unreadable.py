"""Records that this release cannot read, as a newer one writes them: logged once each."""

from __future__ import annotations

import logging
from weakref import WeakKeyDictionary

from core.store.protocol import Record, Store

MOST_KEPT = 1000


class Unreadable:
    """Log such records, each version of one once for each store; usable from any thread."""

    def __init__(self, log: logging.Logger, event: str) -> None:
        self._log = log
        self._event = event
        self._logged: WeakKeyDictionary[Store, set[tuple[str, int]]] = WeakKeyDictionary()

    def report(self, store: Store, key: str, record: Record) -> None:
        """Log a record's key, unless that was done for this version of it."""
        logged = self._logged.setdefault(store, set())
        if (key, record.version) in logged:
            return
        if len(logged) >= MOST_KEPT:
            logged.clear()
        logged.add((key, record.version))
        self._log.warning("%s record=%s", self._event, key)
