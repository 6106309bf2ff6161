from __future__ import annotations

from core.monitor.histogram import BOUNDS_SECONDS, RunningHistogram


def test_durations_are_counted_cumulatively() -> None:
    durations = RunningHistogram()

    durations.observe(0.004)
    durations.observe(0.3)
    durations.observe(99.0)

    counted = durations.snapshot()
    assert counted.bounds == BOUNDS_SECONDS
    assert counted.buckets == (1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3)
    assert counted.sum_seconds == 99.304


def test_a_duration_on_a_bound_counts_as_within_it() -> None:
    durations = RunningHistogram()

    durations.observe(0.005)

    assert durations.snapshot().buckets[0] == 1


def test_counting_goes_on_after_a_change_of_settings() -> None:
    before = RunningHistogram()
    before.observe(0.02)

    resumed = RunningHistogram.resume(before.snapshot())
    resumed.observe(0.02)

    assert resumed.snapshot().buckets == (0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2)


def test_counting_starts_at_zero_without_a_predecessor() -> None:
    assert RunningHistogram.resume(None).snapshot().buckets[-1] == 0
