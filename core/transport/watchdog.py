"""Cut overdue calls: a socket timeout restarts with every byte, so a dripping response never exceeds it."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Cuttable(Protocol):
    """A call that the watchdog can cut."""

    deadline: float
    """Value of `time.monotonic()` after which the call is cut."""

    def cut(self) -> None:
        """End the call from another thread; must be quick and must not raise."""


class Watchdog:
    """A daemon thread that cuts overdue calls. It starts with the first call and sleeps while idle."""

    def __init__(self) -> None:
        self._watched: set[Cuttable] = set()
        self._changed = threading.Condition()
        self._wakes_at = float("inf")
        self._thread: threading.Thread | None = None

    def watch(self, call: Cuttable) -> None:
        """Watch a call until `forget`."""
        with self._changed:
            self._watched.add(call)
            # Wake the thread only for a deadline earlier than its next one: at most once per timeout, not
            # for every request.
            if call.deadline < self._wakes_at:
                self._wakes_at = call.deadline
                self._changed.notify()
            # A forked child inherits this object without its thread.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()

    def forget(self, call: Cuttable) -> None:
        """Stop watching a call that has ended."""
        with self._changed:
            self._watched.discard(call)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for call in [call for call in self._watched if call.deadline <= now]:
                    self._watched.discard(call)
                    call.cut()
                self._wakes_at = min((call.deadline for call in self._watched), default=float("inf"))
                pause = self._wakes_at - time.monotonic()
                self._changed.wait(None if pause == float("inf") else max(0.0, pause))


WATCHDOG = Watchdog()
"""The watchdog of the process. Creating it is free: its thread starts with the first call."""
