"""Background work of pages, in two threads; pages read the latest values and do not wait."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.clock import Monotonic, monotonic
from core.exceptions import StoreError
from core.workers import Workers

log = logging.getLogger(__name__)

Value = TypeVar("Value")

THREADS = 2
VALUES_KEPT = 500
"""Keys include the users' search texts; the oldest values are dropped."""


@dataclass(frozen=True)
class Job(Generic[Value]):
    """The state of a job: whether it is running, and its latest value."""

    running: bool
    value: Value | None = None
    finished: float | None = None
    """Time of the last end, on the monotonic clock."""


class Background:
    """Run functions by key, one at a time per key, and keep their latest values."""

    def __init__(self, *, clock: Monotonic = monotonic) -> None:
        self._clock = clock
        self._workers = Workers(THREADS, "page-background")
        self._lock = threading.Lock()
        self._finished = threading.Condition(self._lock)
        self._jobs: dict[Hashable, Job[object]] = {}
        self._store_fails = False

    def run(self, key: Hashable, work: Callable[[], object]) -> None:
        """Start `work` unless a job with this key is running."""
        with self._lock:
            before = self._jobs.get(key, Job(running=False))
            if before.running:
                return
            self._jobs[key] = Job(running=True, value=before.value, finished=before.finished)
        self._workers.submit(lambda: self._work(key, work))

    def job(self, key: Hashable) -> Job[object]:
        """Return the state of the job with this key."""
        with self._lock:
            return self._jobs.get(key, Job(running=False))

    def fresh(self, key: Hashable, work: Callable[[], object], *, max_age_seconds: float) -> object | None:
        """Return the latest value at once, or None; start `work` if the value is older than the maximum."""
        job = self.job(key)
        if job.finished is None or self._clock() - job.finished > max_age_seconds:
            self.run(key, work)
        return job.value

    def wait(self, key: Hashable, timeout_seconds: float) -> bool:
        """Wait for the job and return whether it has ended. Not for fragments, which must not block."""
        with self._finished:
            return self._finished.wait_for(
                lambda: not self._jobs.get(key, Job(running=False)).running, timeout_seconds
            )

    def forget(self, key: Hashable) -> None:
        """Drop the value of a key, unless its job is running."""
        with self._lock:
            if not self._jobs.get(key, Job(running=False)).running:
                self._jobs.pop(key, None)

    def stop(self) -> None:
        """Stop the threads after their current jobs."""
        self._workers.stop()

    def _work(self, key: Hashable, work: Callable[[], object]) -> None:
        value: object | None = None
        try:
            value = work()
            self._store_fails = False
        except StoreError as error:
            if not self._store_fails:
                log.warning("page_data_not_read error=%s", error)
            self._store_fails = True
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
