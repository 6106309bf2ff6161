"""A few daemon threads that call the gateway, the most urgent call first."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


class Workers:
    """Run calls in `count` threads; who stops them cuts their calls and joins them.

    Not `concurrent.futures`: its threads are joined without limit when the interpreter ends. A daemon thread
    that still runs by then is ended within whatever it calls, which aborts the process from a compiled
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
        """Queue a call; a lower number goes first."""
        self._calls.put((priority, next(self._order), call))

    def stop(self) -> None:
        """Drop what is queued and let every thread end after its current call."""
        self._stopped.set()
        for _ in self._threads:
            self.submit(lambda: None, priority=-1)

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the threads to end after `stop`; False when one is still in its call."""
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
