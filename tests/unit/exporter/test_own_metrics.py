from __future__ import annotations

from datetime import timedelta

import pytest

from core.gateways.wppconnect.contract.events import EventKind
from exporter.own_metrics import DropReason

EVENTS = "wppconnect_exporter_events"


@pytest.fixture
def world(noon):
    """The time, and the settings saved on the page: their revision, and whether they are in force."""

    class World:
        now = noon
        state = (0, True)

    return World()


@pytest.fixture
def own(world, make_own_metrics):
    return make_own_metrics(read_state=lambda: world.state, now=lambda: world.now)


def reload_values(own):
    name = "wppconnect_exporter_settings_reload"
    return tuple(own.registry.get_sample_value(f"{name}_{one}") for one in ("success", "timestamp_seconds"))


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


@pytest.mark.parametrize(("is_in_force", "success", "seconds"), [(True, 1, 60), (False, 0, 0)])
def test_settings_saved_on_the_page_count_like_a_reload(own, world, noon, is_in_force, success, seconds):
    reload_values(own)
    world.now += timedelta(seconds=60)
    world.state = (1, is_in_force)

    assert reload_values(own) == (success, noon.timestamp() + seconds)


def test_events_are_counted_from_zero_on(own):
    own.count_received(EventKind.QRCODE)
    own.count_dropped(DropReason.TOO_LARGE)
    own.count_dropped(DropReason.TOO_LARGE)

    value = own.registry.get_sample_value
    received = {kind: value(f"{EVENTS}_received_total", {"kind": kind}) for kind in (*EventKind, "other")}
    dropped = {reason: value(f"{EVENTS}_dropped_total", {"reason": reason}) for reason in DropReason}
    assert received == dict.fromkeys((*EventKind, "other"), 0) | {EventKind.QRCODE: 1}
    assert dropped == dict.fromkeys(DropReason, 0) | {DropReason.TOO_LARGE: 2}
