"""A clock that a test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """A wall clock and a monotonic clock in one, which only a test moves."""

    def __init__(self, moment: datetime = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        """Return the time of day."""
        return self.moment

    def monotonic(self) -> float:
        """Return seconds that pass with the time of day."""
        return self.moment.timestamp()

    def advance(self, seconds: float = 0.0, **units: float) -> None:
        """Move both on, by seconds or by the units of a timedelta."""
        self.moment += timedelta(seconds=seconds, **units)
