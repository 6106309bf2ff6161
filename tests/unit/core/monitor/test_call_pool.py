"""Threads that all gateways share: whose call goes first, and what one that hangs costs the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.monitor.call_pool import OVERDUE_SECONDS, CallPool, Lane
from tests.support.waiting import until


class Clock:
    """A monotonic clock that a test moves."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Blocked:
    """Calls that hang until they are released."""

    def __init__(self) -> None:
        self.began = 0
        self._gate = threading.Event()
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self.began += 1
        self._gate.wait(60)

    def release(self) -> None:
        self._gate.set()

    def hang(self, lane: Lane, *, calls: int, running: int) -> None:
        """Submit calls that hang, and wait until as many as expected have begun."""
        before = self.began
        for _ in range(calls):
            lane.submit(self)
        until(lambda: self.began == before + running, what="calls that hang")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool(clock: Clock) -> Iterator[CallPool]:
    four = CallPool(4, monotonic=clock)
    yield four
    four.stop()
    assert four.join(60)


@pytest.fixture
def blocked() -> Iterator[Blocked]:
    calls = Blocked()
    yield calls
    calls.release()


def test_the_most_urgent_call_goes_first(pool: CallPool, blocked: Blocked) -> None:
    lane, done = pool.lane(1), threading.Event()
    order: list[str] = []
    blocked.hang(lane, calls=1, running=1)

    lane.submit(lambda: order.append("normal"), priority=1)
    lane.submit(lambda: order.append("urgent"), priority=0)
    lane.submit(done.set, priority=2)
    blocked.release()

    assert done.wait(60)
    assert order == ["urgent", "normal"]


def test_a_call_that_fails_does_not_end_its_thread(pool: CallPool, caplog: pytest.LogCaptureFixture) -> None:
    lane, done = pool.lane(1), threading.Event()

    lane.submit(lambda: {}["missing"])
    lane.submit(done.set)

    assert done.wait(60)
    assert "call_failed" in caplog.text


def test_stopping_drops_what_is_queued_and_what_comes_later(pool: CallPool, blocked: Blocked) -> None:
    lane = pool.lane(1)
    ran: list[int] = []
    blocked.hang(lane, calls=1, running=1)
    lane.submit(lambda: ran.append(1))

    lane.stop()
    lane.submit(lambda: ran.append(2))
    pool.stop()

    assert not pool.join(0.0)
    blocked.release()
    assert pool.join(60)
    assert ran == []


def test_a_lane_runs_no_more_calls_than_its_slots(clock: Clock, blocked: Blocked) -> None:
    pool = CallPool(40, monotonic=clock)
    lane, other, done = pool.lane(3), pool.lane(1), threading.Event()

    blocked.hang(lane, calls=10, running=3)
    other.submit(done.set)

    assert done.wait(60)
    assert (blocked.began, pool.threads) == (3, 4)
    blocked.release()
    until(lambda: blocked.began == 10)
    pool.stop()


def test_threads_start_only_when_none_is_idle(pool: CallPool) -> None:
    for lane in [pool.lane(3) for _ in range(50)]:
        done = threading.Event()
        lane.submit(done.set)
        assert done.wait(60)
        until(lambda: pool.busy == 0)

    assert pool.threads == 1


def test_lanes_that_hang_leave_threads_to_others_and_add_one_each(
    pool: CallPool, clock: Clock, blocked: Blocked
) -> None:
    # given: half of the threads may be one lane's, then each gets one
    for running in (2, 1, 1):
        blocked.hang(pool.lane(3), calls=3, running=running)
    lane, done = pool.lane(3), threading.Event()
    lane.submit(done.set)
    pool.review()
    assert (done.is_set(), pool.threads) == (False, 4)

    clock.seconds += OVERDUE_SECONDS + 0.1
    pool.review()

    assert done.wait(60)
    assert pool.threads <= 4 + 3
    lane.stop()
    blocked.release()
    until(lambda: pool.review() or pool.threads <= 4, what="the end of the threads that were added")
