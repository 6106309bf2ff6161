"""Places for calls in flight: shared by all clients of a gateway, people before probes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from core.transport import CallLimiter, CallSlot
from tests.support.waiting import until


@dataclass
class Hall:
    """A gateway's places, and threads that wait for one."""

    limiter: CallLimiter = field(default_factory=CallLimiter)
    got: list[str] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    entrances: list[CallSlot] = field(default_factory=list)

    def slot(self, *, is_for_people: bool = False) -> CallSlot:
        made = CallSlot(self.limiter, is_for_people=is_for_people)
        self.entrances.append(made)
        return made

    def wait_in(self, slot: CallSlot, name: str) -> None:
        def wait() -> None:
            self.got.append(name if slot.take(20) else f"{name} in vain")

        thread = threading.Thread(target=wait)
        thread.start()
        self.threads.append(thread)


@pytest.fixture
def hall() -> Iterator[Hall]:
    made = Hall()
    yield made
    for slot in made.entrances:
        slot.close()
    for thread in made.threads:
        thread.join()


def test_all_clients_of_a_gateway_share_four(hall: Hall) -> None:
    probing, somebody = hall.slot(), hall.slot(is_for_people=True)

    taken = [probing.take(0), probing.take(0), probing.take(0), somebody.take(0)]

    assert taken == [True] * 4
    assert not probing.take(0)
    assert not somebody.take(0)


def test_people_leave_two_to_the_probes(hall: Hall) -> None:
    probing = hall.slot()
    first, second, third = (hall.slot(is_for_people=True) for _ in range(3))

    assert [first.take(0), second.take(0), third.take(0)] == [True, True, False]
    assert [probing.take(0), probing.take(0), probing.take(0)] == [True, True, False]


def test_somebody_who_waits_goes_before_probes_that_came_earlier(hall: Hall) -> None:
    probing, somebody = hall.slot(), hall.slot(is_for_people=True)
    assert [probing.take(0) for _ in range(4)] == [True] * 4
    hall.wait_in(probing, "probe")
    hall.wait_in(somebody, "somebody")
    until(lambda: hall.limiter._people_waiting)

    probing.give_back()
    until(lambda: hall.got)
    probing.give_back()
    until(lambda: len(hall.got) == 2)

    assert hall.got == ["somebody", "probe"]


def test_people_who_have_to_wait_for_each_other_hold_up_no_probe(hall: Hall) -> None:
    probing, somebody = hall.slot(), hall.slot(is_for_people=True)
    assert [somebody.take(0), somebody.take(0)] == [True, True]
    hall.wait_in(somebody, "third")
    until(lambda: hall.limiter._people_waiting)

    assert probing.take(0)


def test_an_entrance_that_closes_lets_only_those_go_who_wait_there(hall: Hall) -> None:
    probing, other = hall.slot(), hall.slot()
    assert [probing.take(0) for _ in range(4)] == [True] * 4
    hall.wait_in(other, "other")
    hall.wait_in(probing, "probe")

    other.close()
    until(lambda: hall.got == ["other in vain"])
    probing.give_back()
    until(lambda: len(hall.got) == 2)

    assert hall.got == ["other in vain", "probe"]
    assert not other.take(0)
