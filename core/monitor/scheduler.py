"""A few threads that run recurring tasks, each task in one thread at a time."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

THREADS = 4
"""More than one, so that a task that waits for a lock, a disk or a database does not delay the others."""
FAILED_SECONDS = 1.0
"""Pause of a task whose step raised an exception."""

NOW, NEVER = float("-inf"), float("inf")

Step = Callable[[], float | None]
"""One step of a task: returns the seconds until its next step, or None at its end."""


@dataclass
class _Task:
    step: Step
    due: float | None
    """None while a step is running."""
    is_woken: bool = False


class Scheduler:
    """Runs each task's next step when it is due. Its threads end with the last task."""

    def __init__(self, threads: int = THREADS) -> None:
        self._limit = threads
        lock = threading.Lock()
        self._due, self._idle = threading.Condition(lock), threading.Condition(lock)
        """Of the waiting threads, one waits for the next due time, the others for their turn to do so."""
        self._is_timed = False
        self._heap: list[tuple[float, int, _Task]] = []
        """Sorted by time. An entry is void once its task has become due at another time."""
        self._numbers = itertools.count()
        self._tasks = self._threads = 0
        self._ended = threading.Event()
        self._ended.set()

    def add(self, step: Step) -> Callable[[], None]:
        """Add a task; return a function, callable from any thread, that makes its next step due now.

        The first call of that function starts the task.
        """
        task = _Task(step, due=NEVER)
        with self._due:
            self._tasks += 1
            if self._threads < min(self._tasks, self._limit):
                self._threads += 1
                self._ended.clear()
                name = f"scheduler-{self._threads}"
                threading.Thread(target=self._run, name=name, daemon=True).start()
        return lambda: self._wake(task)

    def join(self, timeout_seconds: float) -> bool:
        """Wait until every task has ended; return False after the timeout."""
        return self._ended.wait(timeout_seconds)

    def _wake(self, task: _Task) -> None:
        with self._due:
            if task.due is None:
                task.is_woken = True
            elif task.due != NOW:
                self._push(task, NOW)

    def _push(self, task: _Task, due: float) -> None:
        task.due = due
        heapq.heappush(self._heap, (due, next(self._numbers), task))
        if self._heap[0][2] is task:
            self._due.notify()

    def _run(self) -> None:
        with self._due:
            while self._tasks:
                wait_seconds = self._wait_seconds()
                if wait_seconds is not None and wait_seconds <= 0:
                    self._run_next()
                elif self._is_timed:
                    self._idle.wait()
                else:
                    self._is_timed = True
                    self._due.wait(wait_seconds)
                    self._is_timed = False
            self._threads -= 1
            self._due.notify_all()
            self._idle.notify_all()
            if not self._threads:
                self._ended.set()

    def _wait_seconds(self) -> float | None:
        """Return the seconds until the next task is due; None if no task waits."""
        while self._heap and self._heap[0][0] != self._heap[0][2].due:
            heapq.heappop(self._heap)
        return self._heap[0][0] - time.monotonic() if self._heap else None

    def _run_next(self) -> None:
        """Run the next task's step, without the lock."""
        task = heapq.heappop(self._heap)[2]
        task.due, task.is_woken = None, False
        if not self._is_timed:
            self._idle.notify()
        self._due.release()
        pause: float | None = FAILED_SECONDS
        try:
            pause = task.step()
        except Exception:
            log.exception("task_failed")
        finally:
            self._due.acquire()
        if pause is None:
            self._tasks -= 1
        else:
            self._push(task, NOW if task.is_woken else time.monotonic() + pause)
