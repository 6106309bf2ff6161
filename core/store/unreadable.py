"""Records that this release cannot read, as a newer one writes them: told in the log once each."""

from __future__ import annotations

import logging

from core.store.protocol import Record

MOST_KEPT = 1000


class Unreadable:
    """Log such records, each version of one once; usable from any thread."""

    def __init__(self, log: logging.Logger, event: str) -> None:
        self._log = log
        self._event = event
        self._told: set[tuple[str, int]] = set()

    def tell(self, key: str, record: Record) -> None:
        """Log a record's key, unless that was done for this version of it."""
        if (key, record.version) in self._told:
            return
        if len(self._told) >= MOST_KEPT:
            self._told.clear()
        self._told.add((key, record.version))
        self._log.warning("%s record=%s", self._event, key)
