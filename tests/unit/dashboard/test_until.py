"""Until when something lasts."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboard.until import SPANS, ends_at

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


def test_every_choice_has_words() -> None:
    assert all(SPANS.values())
