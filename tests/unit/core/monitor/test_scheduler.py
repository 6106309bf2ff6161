"""Tasks that share a few threads: each at its time, never twice at once, and none waits for another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from core.monitor.scheduler import Scheduler
from tests.support.waiting import until

HOUR = 3600.0


class Steps:
    """A task that notes its steps, and waits in each one until it is let on."""

    def __init__(self, *, blocks: bool = False) -> None:
        self.began = self.ended = 0
        self.is_over = self.fails = False
        self.overlaps = 0
        self.pause_seconds = HOUR
        self.go_on = threading.Event()
        if not blocks:
            self.go_on.set()

    def __call__(self) -> float | None:
        self.overlaps += self.began != self.ended
        self.began += 1
        try:
            assert self.go_on.wait(60)
            if self.fails:
                raise RuntimeError("a bug in this task")
        finally:
            self.ended += 1
        return None if self.is_over else self.pause_seconds


class Tasks:
    """A scheduler, and tasks that end with the test."""

    def __init__(self, threads: int) -> None:
        self.scheduler = Scheduler(threads)
        self._running: list[tuple[Steps, Callable[[], None]]] = []

    def start(self, steps: Steps) -> Callable[[], None]:
        wake = self.scheduler.add(steps)
        self._running.append((steps, wake))
        wake()
        return wake

    def end(self) -> None:
        for steps, wake in self._running:
            steps.is_over = True
            steps.fails = False
            steps.go_on.set()
            wake()
        assert self.scheduler.join(60)


@pytest.fixture
def tasks() -> Iterator[Tasks]:
    two = Tasks(2)
    yield two
    two.end()


def test_a_task_waits_for_its_time_or_until_it_is_woken(tasks: Tasks) -> None:
    steps = Steps()
    wake = tasks.start(steps)
    until(lambda: steps.ended == 1)

    wake()

    until(lambda: steps.ended == 2)


def test_what_is_due_first_runs_first(tasks: Tasks) -> None:
    late, early = Steps(), Steps()
    wake_late = tasks.start(late)
    until(lambda: late.ended == 1)

    early.pause_seconds = 0.01
    tasks.start(early)

    until(lambda: early.ended >= 3)
    assert late.began == 1
    wake_late()
    until(lambda: late.ended == 2)


def test_one_that_is_woken_in_a_step_runs_again_and_never_twice_at_once(tasks: Tasks) -> None:
    steps = Steps(blocks=True)
    wake = tasks.start(steps)
    until(lambda: steps.began == 1)

    for _ in range(3):
        wake()
    steps.go_on.set()

    until(lambda: steps.ended == 2)
    assert (steps.began, steps.overlaps) == (2, 0)


def test_one_that_waits_for_a_lock_delays_no_other(tasks: Tasks) -> None:
    blocked = Steps(blocks=True)
    tasks.start(blocked)
    until(lambda: blocked.began == 1)
    others = [Steps() for _ in range(20)]

    wakes = [tasks.start(one) for one in others]
    until(lambda: all(one.ended == 1 for one in others))
    for wake in wakes:
        wake()

    until(lambda: all(one.ended == 2 for one in others))
    assert blocked.ended == 0


def test_a_step_that_fails_is_logged_and_repeated(tasks: Tasks, caplog: pytest.LogCaptureFixture) -> None:
    steps = Steps()
    steps.fails = True
    wake = tasks.start(steps)
    until(lambda: "task_failed" in caplog.text)

    steps.fails = False
    wake()

    until(lambda: steps.ended == 2)


def test_threads_start_as_tasks_are_added_and_end_with_the_last_one() -> None:
    before, tasks = set(threading.enumerate()), Tasks(2)

    counts = []
    for _ in range(3):
        tasks.start(Steps())
        counts.append(len(set(threading.enumerate()) - before))
    tasks.end()

    assert counts == [1, 2, 2]
    until(lambda: set(threading.enumerate()) <= before, what="the end of all threads")


def test_without_a_task_there_is_nothing_to_wait_for() -> None:
    assert Scheduler().join(0.0)
