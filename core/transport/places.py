"""A bounded number of places, with a wait that ends in time."""

from __future__ import annotations

import threading


class Places:
    """At most so many calls at a time; who comes later waits, and all waiting ends when the places close."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._closed = False
        self._changed = threading.Condition()

    def take(self, timeout_seconds: float) -> bool:
        """Wait for a place; False when the time is over or the places are closed."""
        with self._changed:
            if not self._free and not self._closed:
                self._changed.wait_for(lambda: self._free or self._closed, timeout_seconds)
            if self._closed or not self._free:
                return False
            self._free -= 1
            return True

    def give_back(self) -> None:
        """Free a place that was taken."""
        with self._changed:
            self._free += 1
            self._changed.notify()

    def close(self) -> None:
        """Let nobody in any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Tell whether `close` was called."""
        return self._closed
