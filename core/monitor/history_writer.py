"""Write a prober's history entries, and buffer them while the disk fails."""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime

from core.exceptions import StoreError
from core.models import HistoryEntry, SessionSnapshot
from core.store import HistoryLog
from core.uptime.verdict_log import TRANSITION, write_transition

log = logging.getLogger(__name__)

UNWRITTEN_LIMIT = 10_000
"""Entries buffered in memory while the disk fails; the oldest are dropped beyond that."""


class HistoryWriter:
    """History entries of one gateway. A failing store stops nothing: entries are written when it recovers."""

    def __init__(self, history: HistoryLog, server: str) -> None:
        self._history = history
        self._server = server
        self._unwritten: deque[HistoryEntry] = deque(maxlen=UNWRITTEN_LIMIT)
        self._disk_fails = False

    def add(self, line: HistoryEntry) -> None:
        """Append an entry to the buffer."""
        self._unwritten.append(line)

    def add_first(self, line: HistoryEntry) -> None:
        """Insert an entry at the start of the buffer."""
        self._unwritten.appendleft(line)

    def add_change(self, before: SessionSnapshot, after: SessionSnapshot, at: datetime | None = None) -> None:
        """Append a transition to the buffer if the verdict changed, or maintenance began or ended at `at`."""
        is_same_maintenance = (before.maintenance_until is None) == (after.maintenance_until is None)
        if after.verdict != before.verdict or not is_same_maintenance:
            self.add(write_transition(before, after, at))

    def write(self) -> None:
        """Write the buffered entries."""
        if not self._unwritten:
            return
        try:
            self._history.append(*self._unwritten)
        except StoreError as error:
            if not self._disk_fails:
                log.warning("history_not_written server=%s error=%s", self._server, error)
            self._disk_fails = True
        else:
            self._unwritten.clear()
            self._disk_fails = False

    def newest_transition(self, session: str, since: datetime | None) -> HistoryEntry | None:
        """Return a session's newest transition; None if there is none or the history cannot be read."""
        try:
            return self._history.latest(self._server, session, TRANSITION, since=since)
        except StoreError as error:
            log.warning("history_unreadable server=%s error=%s", self._server, error)
            return None
