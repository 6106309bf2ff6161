from __future__ import annotations

from datetime import timedelta

import pytest

from exporter.events import DropReason, EventKind
from exporter.own_metrics import EVENTS_DROPPED, EVENTS_RECEIVED, RELOAD_SUCCESS, RELOAD_TIMESTAMP, OwnMetrics


@pytest.fixture
def world(noon):
    """The time, and the settings saved on the page: their revision, and whether they are in force."""

    class World:
        now = noon
        state = (0, True)

    return World()


@pytest.fixture
def own(world):
    return OwnMetrics(read_state=lambda: world.state, now=lambda: world.now)


def reload_values(own):
    lines = own.lines()
    return tuple(float(lines[name].split()[-1]) for name in (RELOAD_SUCCESS, RELOAD_TIMESTAMP))


def test_start_is_a_successful_reading(own, noon):
    assert reload_values(own) == (1, noon.timestamp())


def test_refused_reload_keeps_the_time_of_the_last_good_one(own, world, noon):
    world.now += timedelta(seconds=60)

    own.note_reload(is_successful=False)

    assert reload_values(own) == (0, noon.timestamp())


def test_good_reload_after_a_refused_one_is_a_success_again(own, world, noon):
    own.note_reload(is_successful=False)
    world.now += timedelta(seconds=60)

    own.note_reload(is_successful=True)

    assert reload_values(own) == (1, noon.timestamp() + 60)


def test_settings_saved_on_the_page_count_like_a_reload(own, world, noon):
    own.lines()
    world.now += timedelta(seconds=60)
    world.state = (1, True)

    assert reload_values(own) == (1, noon.timestamp() + 60)


def test_saved_settings_that_are_not_in_force_are_a_refusal(own, world, noon):
    own.lines()
    world.now += timedelta(seconds=60)
    world.state = (1, False)

    assert reload_values(own) == (0, noon.timestamp())


def test_every_counter_begins_at_zero(own):
    lines = own.lines()

    assert lines[EVENTS_RECEIVED].count("} 0\n") == len(EventKind)
    assert lines[EVENTS_DROPPED].count("} 0\n") == len(DropReason)


def test_counters_count(own):
    own.count_received(EventKind.QRCODE)
    own.count_dropped(DropReason.TOO_LARGE)
    own.count_dropped(DropReason.TOO_LARGE)

    assert f'{EVENTS_RECEIVED}{{kind="qrcode"}} 1\n' in own.lines()[EVENTS_RECEIVED]
    assert f'{EVENTS_DROPPED}{{reason="too_large"}} 2\n' in own.lines()[EVENTS_DROPPED]


def test_change_shows_in_the_next_exposition(own, new_exposition, scenario, noon, timeouts):
    from exporter.lines import Format

    exposition, snapshot = new_exposition(own), scenario("healthy")
    before = exposition.body(snapshot, noon, timeouts, Format.TEXT)

    own.count_received(EventKind.QRCODE)
    after = exposition.body(snapshot, noon, timeouts, Format.TEXT)

    assert b'received_total{kind="qrcode"} 0' in before
    assert b'received_total{kind="qrcode"} 1' in after
