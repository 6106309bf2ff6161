"""The simulator's own time: what is due, in order, on a clock that a test may hold in its hand."""

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

Clock = Callable[[], float]


class MovableClock(Protocol):
    """What drives a simulator."""

    def __call__(self) -> float:
        """Tell the moment in seconds."""

    def move_to(self, moment: float) -> None:
        """Set the clock; it never runs backwards."""


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, now: float = 1000.0) -> None:
        self._now = now

    def __call__(self) -> float:
        return self._now

    def move_to(self, moment: float) -> None:
        """Set the clock; it never runs backwards."""
        self._now = max(self._now, moment)


class RunningClock:
    """A clock that runs like the machine's, and can be moved on at once."""

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
    """One thing to do later."""

    due: float
    order: int
    action: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Make sure that it is not done; harmless when it was done already."""
        self.cancelled = True


class Timeline:
    """Timers in the order in which they fall due; `advance` runs what is due by the clock.

    Lazily evaluated: every access to the state machine advances first, so an answer never depends on how
    punctual a background task was. `now` is the due moment of the timer that runs, so chains do not drift.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._now = clock()
        self._is_advancing = False
        self.when_set: Callable[[], None] = lambda: None
        """Called after a timer was set, for whoever must wake up in time."""

    @property
    def now(self) -> float:
        """The present moment; inside a timer, the moment it was due."""
        return self._now if self._is_advancing else self._clock()

    def later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Do `action` in that many seconds."""
        timer = Timer(self.now + seconds, next(self._order), action)
        heapq.heappush(self._timers, timer)
        self.when_set()
        return timer

    def advance(self) -> None:
        """Run everything that is due."""
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
        """How long until the next timer; None when there is none."""
        while self._timers and self._timers[0].cancelled:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0].due - self._clock()) if self._timers else None

    def clear(self) -> None:
        """Forget every timer: the process that set them is gone."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
