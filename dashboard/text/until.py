"""Choices of a duration, and the end that they yield. Pure functions."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo

from dashboard.i18n import N_

SPANS: dict[str, str] = {
    "30min": "30 min",
    "1h": "1 h",
    "2h": "2 h",
    "4h": "4 h",
    "8h": "8 h",
    "at": N_("Until a time"),
    "open": N_("Until someone ends it"),
}
USUAL = "1h"
AT, OPEN = "at", "open"

LENGTHS = {
    "30min": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "2h": timedelta(hours=2),
    "4h": timedelta(hours=4),
    "8h": timedelta(hours=8),
}


def ends_at(span: str, at: time | None, *, now: datetime, zone: tzinfo) -> datetime | None:
    """Return the end of a chosen span; None if it is open-ended.

    `at` is a local time in `zone`: the end is its next occurrence.
    """
    if span == OPEN:
        return None
    if span == AT and at is not None:
        today = now.astimezone(zone).date()
        return min(
            moment
            for days in range(2)
            for moment in _moments(datetime.combine(today + timedelta(days=days), at, zone))
            if moment > now
        )
    return now + LENGTHS.get(span, LENGTHS[USUAL])


def _moments(local: datetime) -> list[datetime]:
    """Return the moments of a local time: two in the hour repeated when clocks are set back.

    For a time skipped when clocks are set forward, return the moment that follows.
    """
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return [first, second] if second > first else [first]
