"""When sessions are due, and that a tick looks at none that is not."""

from __future__ import annotations

import pytest
from watched_gateway import server_settings, settings_of

from core.monitor.schedule import OwnInterval, Schedules

INTERVAL, TICK = 8.0, 1 / 8
NAMES = tuple(f"s{number}" for number in range(1024))


class Busy:
    """Which sessions have a probe in flight, and how often that was asked."""

    def __init__(self, *names: str) -> None:
        self.names = set(names)
        self.questions = 0

    def is_free(self, name: str) -> bool:
        self.questions += 1
        return name not in self.names


def take(schedules: Schedules, now: float, busy: Busy | None = None, *watched: str) -> list[str]:
    return schedules.take_due(now, INTERVAL, watched=watched, is_free=(busy or Busy()).is_free)


def test_all_are_due_at_once_and_then_spread_over_the_interval() -> None:
    schedules = Schedules(NAMES, 0.0)

    first = take(schedules, 0.0)
    rounds = [take(schedules, number * TICK) for number in range(1, 65)]

    assert tuple(first) == NAMES
    assert {len(names) for names in rounds} == {16}
    assert [name for names in rounds for name in names] == list(NAMES)


def test_a_tick_asks_only_about_sessions_that_are_due() -> None:
    schedules, busy = Schedules(NAMES, 0.0), Busy()
    take(schedules, 0.0)

    for number in range(1, 65):
        take(schedules, number * TICK, busy)

    assert busy.questions == len(NAMES)


def test_one_in_flight_stays_due_and_delays_nobody() -> None:
    schedules, busy = Schedules(("sales", "support"), 0.0), Busy("sales")

    taken = [take(schedules, now, busy) for now in (0.0, 1.0)]
    busy.names.clear()

    assert taken == [["support"], []]
    assert take(schedules, 2.0, busy) == ["sales"]


def test_one_that_became_due_sooner_is_taken_once() -> None:
    schedules = Schedules(("sales",), 0.0)
    take(schedules, 0.0)

    schedules.set_due("sales", float("-inf"))
    schedules.begin_anew(1.0)
    schedules.set_due("sales", float("-inf"))
    schedules.begin_anew(1.0)

    assert take(schedules, 1.0) == ["sales"]
    assert [take(schedules, now) for now in (5.0, 8.9, 9.0)] == [[], [], ["sales"]]


def test_a_watched_one_is_due_every_second_and_keeps_its_interval() -> None:
    schedules = Schedules(("sales", "support"), 0.0)
    take(schedules, 0.0)

    watched = [take(schedules, now, None, "sales", "removed") for now in (0.5, 1.0, 1.5, 2.0)]

    assert watched == [[], ["sales"], [], ["sales"]]
    assert take(schedules, 8.0) == ["support"]
    assert take(schedules, 10.0) == ["sales"]


@pytest.mark.parametrize(
    ("gateways", "sessions", "are_listed", "seconds"),
    [
        pytest.param(1, 300, False, 0.96, id="300 sessions are no reason to stretch"),
        pytest.param(50, 200, True, 16.0, id="10,000 listed sessions: a call each"),
        pytest.param(50, 200, False, 32.0, id="10,000 sessions by the older routes: two calls each"),
    ],
)
def test_the_interval_is_stretched_for_our_own_processor(
    gateways: int, sessions: int, are_listed: bool, seconds: float
) -> None:
    names = [f"s{number}" for number in range(sessions)]
    known = [server_settings(*names, "paused", paused=("paused",), name=f"g{one}") for one in range(gateways)]
    settings = settings_of(*known, server_settings(*names, name="off", enabled=False))

    interval = OwnInterval(settings, lambda _server: True)

    assert interval.seconds(are_listed=are_listed) == pytest.approx(seconds)


def test_suspects_share_the_slow_executor() -> None:
    schedules = Schedules(NAMES, 0.0)
    for name in NAMES[:3]:
        schedules.set_suspect(name, True)
    schedules.by_name[NAMES[0]].slow_seconds = 2.0

    assert schedules.slow_round_seconds(10.0) == 22.0
    for name in NAMES:
        schedules.set_suspect(name, True)
    assert schedules.slow_round_seconds(10.0) == 120.0
    schedules.set_suspect(NAMES[0], False)
    assert NAMES[0] not in schedules.suspects
