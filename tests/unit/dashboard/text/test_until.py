"""Until when something lasts."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboard.text.until import SPANS, ends_at

NOON = datetime(2026, 7, 10, 12, 0, tzinfo=UTC)
LISBON, FORTALEZA = ZoneInfo("Europe/Lisbon"), ZoneInfo("America/Fortaleza")


@pytest.mark.parametrize(
    ("span", "hours"), [("30min", 0.5), ("1h", 1), ("2h", 2), ("4h", 4), ("8h", 8), ("nonsense", 1)]
)
def test_a_span_counts_from_now(span: str, hours: float) -> None:
    assert ends_at(span, None, now=NOON, zone=UTC) == NOON + timedelta(hours=hours)


def test_until_somebody_ends_it_has_no_end() -> None:
    assert ends_at("open", None, now=NOON, zone=UTC) is None


@pytest.mark.parametrize(
    ("zone", "at", "end"),
    [
        pytest.param(LISBON, time(14), datetime(2026, 7, 10, 13, tzinfo=UTC), id="later today"),
        pytest.param(LISBON, time(13), datetime(2026, 7, 11, 12, tzinfo=UTC), id="now means tomorrow"),
        pytest.param(LISBON, time(9, 30), datetime(2026, 7, 11, 8, 30, tzinfo=UTC), id="past: tomorrow"),
        pytest.param(FORTALEZA, time(14), datetime(2026, 7, 10, 17, tzinfo=UTC), id="another clock"),
    ],
)
def test_a_time_is_the_next_one_on_the_readers_clock(zone: ZoneInfo, at: time, end: datetime) -> None:
    found = ends_at("at", at, now=NOON, zone=zone)

    assert found == end
    assert found is not None
    assert found.utcoffset() == timedelta(0)


def test_the_night_in_which_the_clock_changes_is_one_hour_shorter() -> None:
    evening = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)

    end = ends_at("at", time(8), now=evening, zone=LISBON)

    assert end == datetime(2026, 3, 29, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "at", "end"),
    [
        pytest.param((0, 45), time(1, 30), (1, 30), id="the repeated hour begins again: its second turn"),
        pytest.param((1, 15), time(1, 30), (1, 30), id="asked in its second turn: soon, not in the past"),
        pytest.param((0, 15), time(1, 30), (0, 30), id="asked in its first turn"),
    ],
)
def test_in_the_night_in_which_an_hour_is_repeated(
    now: tuple[int, int], at: time, end: tuple[int, int]
) -> None:
    # In Lisbon it is 01:00 at 00:00 and at 01:00 UTC.
    night = datetime(2026, 10, 25, tzinfo=UTC)

    found = ends_at("at", at, now=night.replace(hour=now[0], minute=now[1]), zone=LISBON)

    assert found == night.replace(hour=end[0], minute=end[1])


def test_a_time_that_the_clock_leaves_out_is_the_moment_after() -> None:
    # In Lisbon 02:00 follows 00:59 at 01:00 UTC.
    night = datetime(2026, 3, 29, 0, 10, tzinfo=UTC)

    assert ends_at("at", time(1, 30), now=night, zone=LISBON) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_every_choice_has_words() -> None:
    assert all(SPANS.values())
