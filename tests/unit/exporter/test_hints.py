from __future__ import annotations

import asyncio
import threading

import pytest

from core.exceptions import StoreError
from exporter.hints import BURST, HintSender, Reprobes
from tests.support.waiting import until


def test_series_probes_at_once_and_after_each_gap():
    sent = []

    async def story():
        done = asyncio.Event()

        def send(server, session):
            sent.append((server, session))
            if len(sent) == 4:
                done.set()

        assert Reprobes(send, gaps_seconds=(0.01, 0.01, 0.01)).want("main", "sales")
        assert sent == [("main", "sales")]
        await asyncio.wait_for(done.wait(), 5)

    asyncio.run(story())

    assert sent == [("main", "sales")] * 4


def test_event_in_the_middle_of_a_series_starts_it_anew_without_a_second_one():
    sent = []

    async def story():
        reprobes = Reprobes(lambda *key: sent.append(key), gaps_seconds=(0.02,))
        reprobes.want("main", "sales")
        reprobes.want("main", "sales")
        reprobes.want("main", "sales")
        assert len(sent) == 1
        async with asyncio.timeout(60):
            while reprobes._series:
                await asyncio.sleep(0.005)

    asyncio.run(story())

    assert len(sent) == 3


def test_more_sessions_than_the_burst_have_to_wait_for_the_clock():
    seconds = [0.0]

    async def story():
        reprobes = Reprobes(lambda *_: None, clock=lambda: seconds[0])
        first = [reprobes.want("main", f"s{number}") for number in range(BURST + 5)]
        seconds[0] += 1.0
        second = [reprobes.want("main", f"t{number}") for number in range(5)]
        return first, second

    first, second = asyncio.run(story())

    assert first == [True] * BURST + [False] * 5
    assert second == [True, True, False, False, False]


@pytest.fixture
def sender():
    """Make senders whose threads end with the test."""
    made = []

    def make(hint):
        made.append(HintSender(hint))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def test_hint_that_still_waits_is_not_sent_twice(sender):
    gate, sent = threading.Event(), []

    def hint(server, session):
        gate.wait(60)
        sent.append(session)

    sending = sender(hint)
    sending.send("main", "first")
    for _ in range(50):
        sending.send("main", "second")
    gate.set()

    until(lambda: len(sent) >= 2, what="both hints")
    sending.send("main", "last")
    until(lambda: "last" in sent, what="the last hint")
    assert sent.count("second") == 1


def test_hint_that_cannot_be_passed_on_is_logged_and_the_next_one_goes(sender, caplog):
    sent = []

    def hint(server, session):
        sent.append(session)
        if session == "sales":
            raise StoreError("the disk is full")

    sending = sender(hint)
    sending.send("main", "sales")
    sending.send("main", "support")

    until(lambda: sent == ["sales", "support"], what="both hints")
    assert "hint_failed server=main session=sales" in caplog.text
