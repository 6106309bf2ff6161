"""What a prober writes into the history of its gateway, whether or not the disk takes it just now."""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime

from core.exceptions import StoreError
from core.models import HistoryEntry, SessionSnapshot
from core.store import History
from core.uptime.verdict_log import TRANSITION, write_transition

log = logging.getLogger(__name__)

UNWRITTEN_LIMIT = 10_000
"""How many lines of history are kept in memory while the disk takes none."""


class HistoryWriter:
    """One gateway's lines; a disk that fails stops nothing: what could not be written is written later."""

    def __init__(self, history: History, server: str) -> None:
        self._history = history
        self._server = server
        self._unwritten: deque[HistoryEntry] = deque(maxlen=UNWRITTEN_LIMIT)
        self._disk_fails = False

    def add(self, line: HistoryEntry) -> None:
        """Put a line behind what has not been written yet."""
        self._unwritten.append(line)

    def add_first(self, line: HistoryEntry) -> None:
        """Put a line in front of what has not been written yet."""
        self._unwritten.appendleft(line)

    def add_change(self, before: SessionSnapshot, after: SessionSnapshot) -> None:
        """Put a change of verdict behind what has not been written yet, where it is one."""
        if after.verdict != before.verdict:
            self.add(write_transition(before, after))

    def write(self) -> None:
        """Write what has not been written yet."""
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
        """Find the newest change of a session's verdict; None also where the history cannot be read."""
        try:
            return self._history.latest(self._server, session, TRANSITION, since=since)
        except StoreError as error:
            log.warning("history_unreadable server=%s error=%s", self._server, error)
            return None
