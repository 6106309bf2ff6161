"""Count durations in cumulative buckets, as a Prometheus histogram requires."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate, pairwise

from core.models import Histogram

BOUNDS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bucket bounds for probe durations."""

RECOVERY_BOUNDS_SECONDS = (15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0, 86400.0)
"""Bucket bounds for outages: re-pairing should take a minute, and no outage should last a day."""


class RunningHistogram:
    """Histogram of durations in seconds."""

    def __init__(self, bounds: tuple[float, ...] = BOUNDS_SECONDS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum_seconds = 0.0

    @classmethod
    def resume(
        cls, histogram: Histogram | None, bounds: tuple[float, ...] = BOUNDS_SECONDS
    ) -> RunningHistogram:
        """Continue a published histogram; start at zero if there is none or its bounds differ."""
        durations = cls(bounds)
        if histogram is not None and histogram.bounds == bounds:
            cumulative = (0, *histogram.buckets)
            durations._counts = [after - before for before, after in pairwise(cumulative)]
            durations._sum_seconds = histogram.sum_seconds
        return durations

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum_seconds += seconds

    def snapshot(self) -> Histogram:
        """Return the counts so far."""
        return Histogram(
            bounds=self._bounds, buckets=tuple(accumulate(self._counts)), sum_seconds=self._sum_seconds
        )
