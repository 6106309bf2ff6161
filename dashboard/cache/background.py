"""Work that must not hold up the drawing of a page: it runs in two threads, pages read what is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.clock import Monotonic, monotonic
from core.workers import Workers

Value = TypeVar("Value")

THREADS = 2
VALUES_KEPT = 500
"""There is a key for whatever people look for; the oldest values make room."""


@dataclass(frozen=True)
class Job(Generic[Value]):
    """A piece of work: whether it is running, and the newest value that it gave."""

    running: bool
    value: Value | None = None
    finished: float | None = None
    """On the monotonic clock."""


class Background:
    """Run functions by key, each at most once at a time, and remember their newest values."""

    def __init__(self, *, clock: Monotonic = monotonic) -> None:
        self._clock = clock
        self._workers = Workers(THREADS, "page-background")
        self._lock = threading.Lock()
        self._finished = threading.Condition(self._lock)
        self._jobs: dict[Hashable, Job[object]] = {}

    def run(self, key: Hashable, work: Callable[[], object]) -> None:
        """Start `work` unless it runs already under this key."""
        with self._lock:
            before = self._jobs.get(key, Job(running=False))
            if before.running:
                return
            self._jobs[key] = Job(running=True, value=before.value, finished=before.finished)
        self._workers.submit(lambda: self._work(key, work))

    def job(self, key: Hashable) -> Job[object]:
        """Tell how the work of this key stands."""
        with self._lock:
            return self._jobs.get(key, Job(running=False))

    def fresh(self, key: Hashable, work: Callable[[], object], *, max_age_seconds: float) -> object | None:
        """Return the newest value at once, None when there is none yet; start a renewal when it is old."""
        job = self.job(key)
        if job.finished is None or self._clock() - job.finished > max_age_seconds:
            self.run(key, work)
        return job.value

    def wait(self, key: Hashable, timeout_seconds: float) -> bool:
        """Wait a little for the work of this key; tell whether it is done. Not for fragments."""
        with self._finished:
            return self._finished.wait_for(
                lambda: not self._jobs.get(key, Job(running=False)).running, timeout_seconds
            )

    def forget(self, key: Hashable) -> None:
        """Drop a value that is not wanted any more."""
        with self._lock:
            if not self._jobs.get(key, Job(running=False)).running:
                self._jobs.pop(key, None)

    def stop(self) -> None:
        """End the threads after what they are at."""
        self._workers.stop()

    def _work(self, key: Hashable, work: Callable[[], object]) -> None:
        value: object | None = None
        try:
            value = work()
        finally:
            with self._lock:
                kept = self._jobs[key].value if value is None else value
                self._jobs[key] = Job(running=False, value=kept, finished=self._clock())
                self._make_room()
                self._finished.notify_all()

    def _make_room(self) -> None:
        while len(self._jobs) > VALUES_KEPT:
            idle = [key for key, job in self._jobs.items() if not job.running]
            if not idle:
                return
            del self._jobs[min(idle, key=lambda key: self._jobs[key].finished or 0.0)]
