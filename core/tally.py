"""Count probe durations into cumulative buckets, as a Prometheus histogram wants them."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate, pairwise

from core.models import Histogram

BOUNDS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Tally:
    """Durations seen by this process, in seconds."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_SECONDS) + 1)
        self._sum_seconds = 0.0

    @classmethod
    def resume(cls, histogram: Histogram | None) -> Tally:
        """Go on counting from what the same process published before; start at zero without it."""
        tally = cls()
        if histogram is not None and histogram.bounds == BOUNDS_SECONDS:
            cumulative = (0, *histogram.buckets)
            tally._counts = [after - before for before, after in pairwise(cumulative)]
            tally._sum_seconds = histogram.sum_seconds
        return tally

    def observe(self, seconds: float) -> None:
        """Count one probe."""
        self._counts[bisect_left(BOUNDS_SECONDS, seconds)] += 1
        self._sum_seconds += seconds

    def snapshot(self) -> Histogram:
        """Read the counts so far."""
        return Histogram(
            bounds=BOUNDS_SECONDS, buckets=tuple(accumulate(self._counts)), sum_seconds=self._sum_seconds
        )
