"""How long probes took, as kept in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.models import Histogram, Snapshot
from core.monitor.histogram import RunningHistogram
from dashboard.cache.probe_durations import SLOTS, ProbeDurations, Slot, quantile
from tests.support.snapshots import server_snapshot

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Prober:
    """A gateway whose probes are observed, and the page that reads them."""

    def __init__(self) -> None:
        self.histogram = RunningHistogram()
        self.kept = ProbeDurations(lambda: Snapshot(taken_at=NOON, settings_revision=0, servers=()))

    def at(self, minutes: float, *seconds: float, server: str = "main") -> None:
        """Observe probes, and have the page read them at some minutes after noon."""
        for one in seconds:
            self.histogram.observe(one)
        at = NOON + timedelta(minutes=minutes)
        found = server_snapshot(at=at, server=server, probe_seconds=self.histogram.snapshot())
        self.kept.take(Snapshot(taken_at=at, settings_revision=0, servers=(found,)))

    @property
    def slots(self) -> tuple[Slot, ...]:
        return self.kept.of("main")

    @property
    def probes(self) -> list[tuple[int, int]]:
        """The minutes after noon of each slot, and its probes."""
        return [(int((one.since - NOON) / timedelta(minutes=1)), one.probes) for one in self.slots]


def test_what_was_probed_before_the_page_began_does_not_count() -> None:
    prober = Prober()

    prober.at(0, 1.0, 1.0)

    assert prober.slots == ()


def test_growth_is_kept_by_slot() -> None:
    prober = Prober()

    for minutes, seconds in ((1, ()), (2, (0.2, 0.4)), (9, (0.6,)), (12, (1.0,)), (31, (2.0, 2.0))):
        prober.at(minutes, *seconds)

    assert prober.probes == [(0, 3), (10, 1), (30, 2)]
    assert [one.mean_seconds for one in prober.slots] == pytest.approx([0.4, 1.0, 2.0])


def test_a_program_that_counts_anew_is_not_taken_for_fewer_probes() -> None:
    prober = Prober()
    prober.at(0, *[0.1] * 50)
    prober.at(1, 0.1)

    prober.histogram = RunningHistogram()
    prober.at(2, 0.3, 0.3)

    assert prober.probes == [(0, 2)]


def test_a_day_is_kept() -> None:
    prober = Prober()

    for number in range(SLOTS + 10):
        prober.at(10 * number, 0.1)

    assert len(prober.slots) == SLOTS
    assert prober.probes[-1] == (10 * (SLOTS + 9), 1)


def test_a_removed_gateway_is_forgotten() -> None:
    prober = Prober()
    prober.at(0)
    prober.at(1, 0.1)

    prober.at(2, server="other")

    assert prober.slots == ()


@pytest.mark.parametrize(
    ("cumulative", "expected"),
    [
        ([20, 20, 20, 20], 0.095),
        ([0, 20, 20, 20], 0.195),
        ([10, 20, 20, 20], 0.19),
        ([0, 0, 0, 20], 1.0),
        ([19, 19, 20, 20], 0.1),
    ],
)
def test_quantile_is_interpolated_within_its_bucket(cumulative: list[int], expected: float) -> None:
    histogram = Histogram(bounds=(0.1, 0.2, 1.0), buckets=tuple(cumulative), sum_seconds=0.0)

    assert quantile(0.95, histogram.bounds, cumulative) == pytest.approx(expected)
