from __future__ import annotations

import pytest

from core.serving import ConnectionLimits
from core.serving.limits import GRACE_SECONDS

PROXY = "10.0.0.5"


class World:
    """Limits of eight connections, six of one address, with a clock and a list of what was dropped."""

    def __init__(self) -> None:
        self.now = 0.0
        self.dropped: list[int] = []
        self.limits = ConnectionLimits(8, is_exempt=lambda one: one == PROXY, clock=lambda: self.now)

    def open(self, *numbers: int, address: str) -> list[bool]:
        """Open connections as a server does, a moment after each other; returns which were taken."""
        taken = []
        for number in numbers:
            self.now += 0.01
            taken.append(self.limits.make_room(address))
            if taken[-1]:
                self.limits.begin(number, address, lambda number=number: self.dropped.append(number))  # type: ignore[misc]
        return taken

    def finish(self, *numbers: int) -> None:
        """Let whole requests arrive."""
        for number in numbers:
            self.limits.update(number, is_whole=True)

    def answer(self, *numbers: int) -> None:
        """Let the answers go out: the connections wait for a further request."""
        for number in numbers:
            self.limits.update(number, is_whole=False)


@pytest.fixture
def world() -> World:
    return World()


def test_one_address_has_three_quarters_and_leaves_the_rest_to_others(world: World) -> None:
    taken = world.open(*range(7), address="a")

    assert taken == [True] * 6 + [False]
    assert world.open(10, 11, address="b") == [True] * 2
    assert world.dropped == []


def test_next_of_a_full_address_replaces_its_oldest_only_after_a_second(world: World) -> None:
    world.open(*range(6), address="a")
    assert world.open(6, address="a") == [False]

    world.now += GRACE_SECONDS

    assert world.open(7, 8, address="a") == [True, True]
    assert world.dropped == [0, 1]


def test_newcomers_take_the_place_of_the_fullest_address_however_young(world: World) -> None:
    world.open(*range(5), address="a")
    world.open(5, 6, 7, address="b")

    assert world.open(10, 11, address="c") == [True, True]
    assert world.dropped == [0, 1]


def test_addresses_end_with_equal_shares(world: World) -> None:
    world.open(*range(6), address="a")
    world.open(6, 7, address="b")
    for number in range(10, 15):
        world.open(number, address="c")

    # Three, two and three: c is among the fullest then, and replaces its own only after a second.
    assert world.dropped == [0, 1, 2]


def test_addresses_with_as_many_as_each_other_do_not_take_places_in_turn(world: World) -> None:
    world.open(0, 1, 2, address="a")
    world.open(3, 4, 5, address="b")
    world.open(6, 7, address="c")

    assert world.open(8, address="c") == [False]
    world.now += GRACE_SECONDS
    assert world.open(8, address="c") == [True]
    assert world.dropped == [6]


def test_among_equals_the_longest_wait_ends(world: World) -> None:
    for number in range(8):
        world.open(number, address=f"address-{number}")

    assert world.open(8, address="new") == [True]
    assert world.dropped == [0]


def test_whole_requests_and_websockets_are_never_dropped(world: World) -> None:
    world.open(*range(6), address="a")
    world.finish(*range(6))
    world.open(6, 7, address="b")

    assert world.open(8, address="a") == [False]
    assert world.open(8, address="c") == [True]
    world.finish(7, 8)
    assert world.open(9, address="d") == [False]
    assert world.dropped == [6]


def test_idle_connection_goes_at_once_and_not_before_older_ones(world: World) -> None:
    world.open(*range(6), address="a")
    world.finish(0, 1)
    world.answer(1, 0)
    world.now += GRACE_SECONDS / 2
    world.finish(2, 3, 4, 5)

    assert world.open(6, address="a") == [True]
    assert world.dropped == [1]


@pytest.mark.parametrize("number", [0, 5])
def test_ended_connection_leaves_its_place(world: World, number: int) -> None:
    world.open(*range(6), address="a")

    world.limits.end(number)

    assert world.open(6, 7, address="a") == [True, False]
    assert world.dropped == []


def test_proxy_is_not_held_to_an_address_and_pays_last(world: World) -> None:
    assert world.open(*range(7), address=PROXY) == [True] * 7
    world.open(7, address="a")
    world.finish(0)

    # The only other unfinished one goes first, then the proxy's own oldest, without a second's grace.
    assert world.open(8, 9, address=PROXY) == [True, True]
    assert world.dropped == [7, 1]


def test_network_of_ipv6_counts_as_one_address_and_ipv4_as_itself(world: World) -> None:
    for number in range(6):
        world.open(number, address=f"2001:db8:1:2::{number}")

    assert world.open(6, address="2001:db8:1:2::ffff") == [False]
    assert world.open(7, address="2001:db8:1:3::1") == [True]
    assert world.open(8, address="::ffff:203.0.113.7") == [True]
    assert world.dropped == []


def test_nothing_is_kept_of_who_has_gone() -> None:
    limits = ConnectionLimits(8)
    for number in range(10_000):
        limits.begin(number, f"address-{number}", lambda: None)
        limits.end(number)

    assert (limits._clients, limits._connections) == ({}, {})


def test_unknown_connections_change_nothing(world: World) -> None:
    world.limits.update(3, is_whole=True)
    world.limits.end(3)

    assert world.open(*range(7), address="a") == [True] * 6 + [False]
