from __future__ import annotations

import asyncio
import threading

import pytest

from core.exceptions import StoreError
from exporter.probe_trigger import BURST, ProbeSeries, ProbeTrigger
from tests.support.waiting import until


def test_series_probes_at_once_and_after_each_gap():
    sent = []

    async def story():
        done = asyncio.Event()

        def send(server, session):
            sent.append((server, session))
            if len(sent) == 4:
                done.set()

        assert ProbeSeries(send, gaps_seconds=(0.01, 0.01, 0.01)).start("main", "sales")
        assert sent == [("main", "sales")]
        await asyncio.wait_for(done.wait(), 5)

    asyncio.run(story())

    assert sent == [("main", "sales")] * 4


def test_event_in_the_middle_of_a_series_starts_it_anew_without_a_second_one():
    sent = []

    async def story():
        series = ProbeSeries(lambda *key: sent.append(key), gaps_seconds=(0.02,))
        series.start("main", "sales")
        series.start("main", "sales")
        series.start("main", "sales")
        assert len(sent) == 1
        async with asyncio.timeout(60):
            while series._running:
                await asyncio.sleep(0.005)

    asyncio.run(story())

    assert len(sent) == 3


def test_more_sessions_than_the_burst_have_to_wait_for_the_clock():
    seconds = [0.0]

    async def story():
        series = ProbeSeries(lambda *_: None, clock=lambda: seconds[0])
        first = [series.start("main", f"s{number}") for number in range(BURST + 5)]
        seconds[0] += 1.0
        second = [series.start("main", f"t{number}") for number in range(5)]
        return first, second

    first, second = asyncio.run(story())

    assert first == [True] * BURST + [False] * 5
    assert second == [True, True, False, False, False]


@pytest.fixture
def new_trigger():
    """Make triggers whose threads end with the test."""
    made = []

    def make(hint):
        made.append(ProbeTrigger(hint))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def test_hint_that_still_waits_is_not_sent_twice(new_trigger):
    gate, sent = threading.Event(), []

    def hint(server, session):
        gate.wait(60)
        sent.append(session)

    trigger = new_trigger(hint)
    trigger.trigger("main", "first")
    for _ in range(50):
        trigger.trigger("main", "second")
    gate.set()

    until(lambda: len(sent) >= 2, what="both hints")
    trigger.trigger("main", "last")
    until(lambda: "last" in sent, what="the last hint")
    assert sent.count("second") == 1


def test_hint_that_cannot_be_passed_on_is_logged_and_the_next_one_goes(new_trigger, caplog):
    sent = []

    def hint(server, session):
        sent.append(session)
        if session == "sales":
            raise StoreError("the disk is full")

    trigger = new_trigger(hint)
    trigger.trigger("main", "sales")
    trigger.trigger("main", "support")

    until(lambda: sent == ["sales", "support"], what="both hints")
    assert "hint_failed server=main session=sales" in caplog.text
