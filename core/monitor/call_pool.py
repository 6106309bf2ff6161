"""Daemon threads that run the calls to all gateways, the most urgent of each first."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable

from core.clock import Monotonic
from core.clock import monotonic as real_monotonic

log = logging.getLogger(__name__)

THREADS = 40
"""Enough for 800 calls a second of 50 ms each. They start when they are needed."""
OVERDUE_SECONDS = 1.0
"""A lane with a call that takes longer adds a thread, so that gateways that hang do not delay the others."""


class CallPool:
    """The threads of one process, which its lanes share and take turns to use.

    While half of them are busy, a lane starts no second call: of 50 gateways, 20 that hang leave threads to
    the others. Not `concurrent.futures`: the interpreter joins its threads without a time limit at exit. A
    daemon thread that still runs at exit is killed inside its call, which aborts the process if that is in a
    compiled extension ("exception not rethrown"), so join the pool after `stop`.
    """

    def __init__(self, count: int = THREADS, *, monotonic: Monotonic = real_monotonic) -> None:
        self._count = self._limit = count
        self._monotonic = monotonic
        self._work = threading.Condition()
        """Guards everything here and in the lanes."""
        self._ready: deque[Lane] = deque()
        """Lanes by turn, once for each call that they may start."""
        self._began: dict[int, tuple[float, Lane]] = {}
        """Calls in progress."""
        self._numbers = itertools.count()
        self._idle = 0
        self.threads = 0
        """Number of threads."""
        self._stopped = False

    @property
    def busy(self) -> int:
        """Number of calls in progress."""
        return len(self._began)

    def lane(self, slots: int) -> Lane:
        """Return an executor for one gateway that runs up to `slots` calls at a time."""
        return Lane(self, slots)

    def stop(self) -> None:
        """Discard queued and later calls, and end every thread after its current call."""
        with self._work:
            self._stopped = True
            self._work.notify_all()

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the calls in progress after `stop`; return False if one is still running."""
        with self._work:
            return self._work.wait_for(lambda: not self.threads, timeout_seconds)

    def review(self) -> None:
        """Allow a thread more for each lane with an overdue call; call it often."""
        with self._work:
            overdue = self._monotonic() - OVERDUE_SECONDS
            self._limit = self._count + len({lane for at, lane in self._began.values() if at < overdue})
            self._add_threads()
            if self.threads > self._limit:
                self._work.notify_all()

    def submit(self, lane: Lane, call: Callable[[], None], priority: int) -> None:
        """Queue a call of a lane."""
        with self._work:
            if not lane.stopped:
                heapq.heappush(lane.queue, (priority, next(self._numbers), call))
                self._offer(lane)

    def stop_lane(self, lane: Lane) -> None:
        """Discard a lane's queued calls."""
        with self._work:
            lane.stopped = True
            lane.queue.clear()

    def _offer(self, lane: Lane) -> None:
        while lane.waiting < len(lane.queue) and lane.running + lane.waiting < self._slots(lane):
            lane.waiting += 1
            self._ready.append(lane)
            self._work.notify()
        self._add_threads()

    def _slots(self, lane: Lane) -> int:
        return 1 if 2 * (len(self._began) + len(self._ready)) >= self._count else lane.slots

    def _add_threads(self) -> None:
        while len(self._ready) > self._idle and self.threads < self._limit:
            self.threads += 1
            # Count it as idle from now on: it takes a call from the front of the queue.
            self._idle += 1
            name = f"call-{next(self._numbers)}"
            threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        with self._work:
            while not self._stopped and self.threads <= self._limit:
                if self._ready:
                    self._idle -= 1
                    self._run_next(self._ready.popleft())
                    self._idle += 1
                else:
                    self._work.wait()
            self._idle -= 1
            self.threads -= 1
            # It may have been woken for a call that it leaves to another.
            self._work.notify_all()

    def _run_next(self, lane: Lane) -> None:
        """Run a lane's most urgent call, without the lock."""
        lane.waiting -= 1
        if not lane.queue:
            return
        _, number, call = heapq.heappop(lane.queue)
        self._began[number] = self._monotonic(), lane
        lane.running += 1
        self._work.release()
        try:
            call()
        except Exception:
            log.exception("call_failed thread=%s", threading.current_thread().name)
        finally:
            self._work.acquire()
            del self._began[number], call
            lane.running -= 1
            self._offer(lane)


class Lane:
    """Runs the calls of one gateway, up to `slots` at a time."""

    def __init__(self, pool: CallPool, slots: int) -> None:
        self.slots = slots
        self.queue: list[tuple[int, int, Callable[[], None]]] = []
        self.waiting = 0
        """Calls of the queue that a thread will start."""
        self.running = 0
        self.stopped = False
        self._pool = pool

    def submit(self, call: Callable[[], None], *, priority: int = 1) -> None:
        """Queue a call; lower priorities run first."""
        self._pool.submit(self, call, priority)

    def stop(self) -> None:
        """Discard queued and later calls; the caller ends the calls in progress."""
        self._pool.stop_lane(self)
