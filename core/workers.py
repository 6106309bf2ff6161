"""Daemon threads that run calls to the gateway, the most urgent first."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Workers:
    """Runs calls in `count` threads. After `stop`, the caller ends calls in flight and joins the threads.

    Not `concurrent.futures`: the interpreter joins its threads without a time limit at exit. A daemon thread
    that still runs at exit is killed inside its call, which aborts the process if that is in a compiled
    extension ("exception not rethrown").
    """

    def __init__(self, count: int, name: str) -> None:
        self._calls: queue.PriorityQueue[tuple[int, int, Callable[[], None]]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, call: Callable[[], None], *, priority: int = 1) -> None:
        """Queue a call; lower priorities run first."""
        self._calls.put((priority, next(self._order), call))

    def stop(self) -> None:
        """Discard queued calls and end each thread after its current call."""
        self._stopped.set()
        for _ in self._threads:
            self.submit(lambda: None, priority=-1)

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the threads to end after `stop`; return False if a call is still running."""
        deadline = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while not self._stopped.is_set():
            _, _, call = self._calls.get()
            try:
                call()
            except Exception:
                log.exception("worker_failed thread=%s", threading.current_thread().name)
