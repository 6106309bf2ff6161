"""How often the page may ask for another code by itself while somebody looks at it."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass

from core.clock import Monotonic, monotonic

MOST_ROUNDS = 5
"""Codes in one go: five minutes of a gateway's browser for a phone that is about to be fetched."""
FORGOTTEN_AFTER_SECONDS = 900.0


@dataclass(frozen=True)
class _Count:
    rounds: int
    last: float


class Attempts:
    """Count by person and outage, in memory: a reload does not begin anew, a click does."""

    def __init__(self, *, clock: Monotonic = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[Hashable, _Count] = {}

    def begin(self, key: Hashable) -> None:
        """Somebody asked for a code: the first round."""
        with self._lock:
            self._counts[key] = _Count(1, self._clock())

    def next(self, key: Hashable) -> bool:
        """Count one more; False when there were enough."""
        with self._lock:
            rounds = self._current(key)
            if rounds >= MOST_ROUNDS:
                return False
            self._counts[key] = _Count(rounds + 1, self._clock())
            return True

    def count(self, key: Hashable) -> int:
        """Tell how many there were lately; 0 when nobody asked."""
        with self._lock:
            return self._current(key)

    def _current(self, key: Hashable) -> int:
        found = self._counts.get(key)
        if found is None or self._clock() - found.last > FORGOTTEN_AFTER_SECONDS:
            self._counts.pop(key, None)
            return 0
        return found.rounds
