"""The simulator's time: timers in order, on a clock that a test can control."""

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

Clock = Callable[[], float]


class MovableClock(Protocol):
    """The clock of a simulator."""

    def __call__(self) -> float:
        """Return the present moment in seconds."""

    def move_to(self, moment: float) -> None:
        """Set the clock; it never runs backwards."""


class ManualClock:
    """A clock that moves only by `move_to`."""

    def __init__(self, now: float = 1000.0) -> None:
        self._now = now

    def __call__(self) -> float:
        return self._now

    def move_to(self, moment: float) -> None:
        """Set the clock; it never runs backwards."""
        self._now = max(self._now, moment)


class RunningClock:
    """A clock that runs like the machine's, and can be moved forward."""

    def __init__(self, machine: Clock = time.monotonic) -> None:
        self._machine = machine
        self._skipped = 0.0

    def __call__(self) -> float:
        return self._machine() + self._skipped

    def move_to(self, moment: float) -> None:
        """Set the clock; it never runs backwards."""
        self._skipped += max(0.0, moment - self())


@dataclass(order=True)
class Timer:
    """One action to run later."""

    due: float
    order: int
    action: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Prevent the action from running; no effect if it has run."""
        self.cancelled = True


class Timeline:
    """Timers in the order in which they fall due; `advance` runs those due by the clock.

    Evaluated lazily: every access to the state machine advances first, so a response never depends on the
    punctuality of a background task. `now` is the due moment of the running timer, so chains do not drift.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._now = clock()
        self._is_advancing = False
        self.when_set: Callable[[], None] = lambda: None
        """Called after a timer was set, to schedule a wake-up."""

    @property
    def now(self) -> float:
        """The present moment; inside a timer, the moment when it was due."""
        return self._now if self._is_advancing else self._clock()

    def later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Schedule `action` in `seconds`."""
        timer = Timer(self.now + seconds, next(self._order), action)
        heapq.heappush(self._timers, timer)
        self.when_set()
        return timer

    def advance(self) -> None:
        """Run all timers that are due."""
        if self._is_advancing:
            return
        limit = self._clock()
        self._is_advancing = True
        try:
            while self._timers and self._timers[0].due <= limit:
                timer = heapq.heappop(self._timers)
                if not timer.cancelled:
                    self._now = timer.due
                    timer.action()
        finally:
            self._is_advancing = False

    def seconds_to_next(self) -> float | None:
        """Return the seconds until the next timer; None if there is none."""
        while self._timers and self._timers[0].cancelled:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0].due - self._clock()) if self._timers else None

    def clear(self) -> None:
        """Cancel all timers, as the process that set them has ended."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
