"""Limit on the codes that the page requests without a click while it is visible."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass

from core.clock import Monotonic, monotonic

MAX_ATTEMPTS = 5
"""Consecutive codes: five minutes of a gateway's browser, for a user who is fetching the phone."""
FORGOTTEN_AFTER_SECONDS = 900.0


@dataclass(frozen=True)
class _Count:
    attempts: int
    last: float


class Attempts:
    """Count attempts by user and outage, in memory: a click restarts the count, a reload does not."""

    def __init__(self, *, clock: Monotonic = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[Hashable, _Count] = {}

    def begin(self, key: Hashable) -> None:
        """Restart the count at 1, after a click."""
        with self._lock:
            self._counts[key] = _Count(1, self._clock())

    def next(self, key: Hashable) -> bool:
        """Count an attempt and return True, or return False if the limit is reached."""
        with self._lock:
            attempts = self._current(key)
            if attempts >= MAX_ATTEMPTS:
                return False
            self._counts[key] = _Count(attempts + 1, self._clock())
            return True

    def count(self, key: Hashable) -> int:
        """Return the number of recent attempts; 0 after `FORGOTTEN_AFTER_SECONDS` without one."""
        with self._lock:
            return self._current(key)

    def _current(self, key: Hashable) -> int:
        found = self._counts.get(key)
        if found is None or self._clock() - found.last > FORGOTTEN_AFTER_SECONDS:
            self._counts.pop(key, None)
            return 0
        return found.attempts
