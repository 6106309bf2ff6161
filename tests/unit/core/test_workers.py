from __future__ import annotations

import threading

import pytest

from core.workers import Workers


def test_the_most_urgent_call_goes_first() -> None:
    gate, done, order = threading.Event(), threading.Event(), []
    workers = Workers(1, "test")
    workers.submit(gate.wait)

    workers.submit(lambda: order.append("normal"), priority=1)
    workers.submit(lambda: order.append("urgent"), priority=0)
    workers.submit(done.set, priority=2)
    gate.set()

    assert done.wait(60)
    assert order == ["urgent", "normal"]
    workers.stop()


def test_a_call_that_fails_does_not_end_its_thread(caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()
    workers = Workers(1, "test")

    workers.submit(lambda: {}["missing"])
    workers.submit(done.set)

    assert done.wait(60)
    assert "worker_failed" in caplog.text
    workers.stop()


def test_stopping_drops_what_is_queued() -> None:
    gate, started, ran = threading.Event(), threading.Event(), []

    def block() -> None:
        started.set()
        gate.wait(60)

    workers = Workers(1, "test")
    workers.submit(block)
    assert started.wait(60)
    workers.submit(lambda: ran.append(1))
    workers.stop()
    gate.set()

    assert workers.join(60)
    assert ran == []
