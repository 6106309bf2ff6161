"""What a session was in, moment by moment, as the log tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.models import HistoryEntry, Reason, SessionSnapshot, Verdict
from core.uptime.timeline import Past, Span
from tests.support.snapshots import server_snapshot
from tests.support.timelines import timelines

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def change(minutes: float, before: str, after: str, *, held: float = 0.0, **fields: Any) -> HistoryEntry:
    """A change of verdict; `held` counts minutes."""
    data = {"from": before, "to": after, "reason": "none", "held_seconds": held * 60, **fields}
    return HistoryEntry(at=at(minutes), kind="transition", server="main", session="sales", data=data)


def start(minutes: float, heartbeat: float | None) -> HistoryEntry:
    """A prober begins; the one before it was alive at `heartbeat`."""
    last = None if heartbeat is None else at(heartbeat).isoformat()
    data = {"event": "started", "holder": "prober[2]", "last_heartbeat": last}
    return HistoryEntry(at=at(minutes), kind="monitoring", server="main", data=data)


def known(
    *entries: HistoryEntry, now: float, since: float, verdict: str = "connected", **fields: Any
) -> list[tuple[float, float, str | None]]:
    """The spans in minutes since noon; `fields` change the session as it is known now."""
    heartbeat = fields.pop("heartbeat", now)
    standard = {"server": "main", "session": "sales", "enabled": True, "since": at(since), "verdict": verdict}
    server = server_snapshot(SessionSnapshot(**(standard | fields)), at=at(heartbeat))
    spans = timelines(entries, server, at(now))["main", "sales"]
    return [(_minutes(one.since), _minutes(one.until), one.verdict) for one in spans]


def _minutes(moment: datetime) -> float:
    return (moment - NOON).total_seconds() / 60


def test_without_a_line_a_session_is_what_it_is_now() -> None:
    assert known(now=60, since=-5000) == [(-5000, 60, "connected")]


def test_spans_follow_each_other_up_to_now() -> None:
    lines = [
        change(10, "connected", "disconnected", held=100),
        change(20, "disconnected", "connected", held=10),
    ]

    spans = known(*lines, now=60, since=20)

    assert spans == [(-90, 10, "connected"), (10, 20, "disconnected"), (20, 60, "connected")]


def test_a_lost_line_is_made_up_for_by_the_one_after_it() -> None:
    lines = [
        change(10, "connected", "disconnected", held=10),
        change(40, "waiting_for_qr", "connected", held=15),
    ]

    spans = known(*lines, now=60, since=40)

    assert spans[1:3] == [(10, 25, "disconnected"), (25, 40, "waiting_for_qr")]


def test_a_word_of_a_later_release_hides_nothing_else() -> None:
    lines = [change(10, "connected", "bewitched", held=10), change(20, "bewitched", "connected", held=10)]

    assert known(*lines, now=60, since=20) == [(0, 60, "connected")]


def test_what_holds_now_counts_where_the_disk_took_no_line() -> None:
    spans = known(change(10, "connected", "disconnected", held=10), now=60, since=30)

    assert spans == [(0, 10, "connected"), (10, 30, "disconnected"), (30, 60, "connected")]


def test_a_line_that_is_newer_than_the_snapshot_counts() -> None:
    spans = known(change(50, "connected", "disconnected", held=50), now=60, since=0)

    assert spans == [(0, 50, "connected"), (50, 60, "disconnected")]


class TestNobodyProbes:
    def test_the_time_between_two_probers_is_not_measured(self) -> None:
        lines = [change(0, "unknown", "connected"), start(30, heartbeat=20)]

        assert known(*lines, now=60, since=0) == [(0, 20, "connected"), (20, 30, None), (30, 60, "connected")]

    def test_a_handover_within_seconds_interrupts_nothing(self) -> None:
        lines = [change(0, "unknown", "connected"), start(30, heartbeat=29.9)]

        assert known(*lines, now=60, since=0) == [(0, 60, "connected")]

    def test_a_change_at_the_moment_of_the_start_ends_it(self) -> None:
        lines = [
            change(0, "unknown", "connected"),
            start(30, heartbeat=20),
            change(30, "connected", "paused", held=30),
        ]

        spans = known(*lines, now=60, since=30, verdict="paused")

        assert spans == [(0, 20, "connected"), (20, 30, None), (30, 60, "paused")]

    def test_what_a_killed_prober_wrote_and_did_not_publish_was_seen(self) -> None:
        lines = [
            change(0, "unknown", "connected"),
            change(20, "connected", "disconnected", held=20),
            start(30, heartbeat=19),
        ]

        spans = known(*lines, now=60, since=20, verdict="disconnected")

        assert spans[1:] == [(20, 30, None), (30, 60, "disconnected")]

    def test_without_a_snapshot_nothing_was_measured_after_the_last_line(self) -> None:
        lines = [change(0, "unknown", "connected"), start(30, heartbeat=None)]

        assert known(*lines, now=60, since=0) == [(0, 30, None), (30, 60, "connected")]

    @pytest.mark.parametrize(("seconds", "verdict"), [(9, None), (11, "unknown")], ids=["a moment", "longer"])
    def test_a_prober_has_not_measured_until_its_first_probe_is_back(
        self, seconds: float, verdict: str | None
    ) -> None:
        looked = 10 + seconds / 60
        lines = [start(10, 5), change(looked, "unknown", "connected", held=seconds / 60)]

        spans = known(*lines, now=60, since=looked)

        assert spans[-2][2] == verdict
        assert spans[-1] == (looked, 60, "connected")

    def test_the_very_first_start_leaves_no_gap(self) -> None:
        lines = [start(0, heartbeat=None), change(1, "unknown", "connected", held=1)]

        assert known(*lines, now=60, since=1) == [(0, 1, "unknown"), (1, 60, "connected")]

    def test_a_prober_that_is_gone_now_measures_no_more(self) -> None:
        line = change(0, "unknown", "connected")
        stale = {"verdict": "unknown", "reason": Reason.STALE}

        spans = known(line, now=60, since=40, heartbeat=39, **stale)

        assert spans == [(0, 39, "connected"), (39, 60, None)]

    def test_a_session_of_which_nothing_is_known_has_no_past(self) -> None:
        assert known(now=60, since=60, verdict="unknown") == []


class TestClockSetBack:
    def test_what_was_written_later_holds(self) -> None:
        lines = [
            change(50, "connected", "disconnected", held=50),
            change(10, "disconnected", "connected"),  # the clock was set back by more than 40 minutes
        ]

        assert known(*lines, now=60, since=10) == [(10, 60, "connected")]

    def test_a_line_from_the_future_says_nothing_yet(self) -> None:
        assert known(change(90, "connected", "disconnected", held=90), now=60, since=0) == [
            (0, 60, "connected")
        ]

    def test_a_gap_from_the_future_is_dropped_with_it(self) -> None:
        lines = [change(0, "unknown", "connected"), start(90, heartbeat=70), start(50, heartbeat=40)]

        assert known(*lines, now=60, since=0)[1:] == [(40, 50, None), (50, 60, "connected")]


def test_the_reason_of_a_span_is_the_one_it_began_for() -> None:
    past = Past([change(10, "connected", "disconnected", reason="closed_on_gateway")])

    (only,) = past.transitions["main", "sales"]

    assert (only.after, only.reason) == (Verdict.DISCONNECTED, Reason.CLOSED_ON_GATEWAY)


def test_old_lines_are_let_go_of() -> None:
    past = Past([change(10, "a", "b"), change(20, "b", "c"), start(30, 20), start(50, 40)])

    past.forget(at(40))

    assert past.transitions["main", "sales"] == []
    assert [gap.until for gap in past.gaps["main"]] == [at(50)]


@pytest.mark.parametrize("kind", ["operation", "settings", "sign_in"])
def test_other_kinds_of_lines_are_passed_over(kind: str) -> None:
    past = Past([HistoryEntry(at=NOON, kind=kind, server="main", session="sales")])

    assert dict(past.transitions) == {}


def test_a_span_tells_how_long_it_lasted() -> None:
    assert Span(at(0), at(2), Verdict.CONNECTED).seconds == 120
