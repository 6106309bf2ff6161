"""Time in which the prober stood still, or that the clock skipped, is neither up nor down, and no loss."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from watched_gateway import SERVER, Probing, probing

from core.models import Snapshot, Verdict
from core.uptime.records import TrackRecord, TrackRecords, Window

HOUR = 3600.0


@pytest.fixture
def main(tmp_path: Path) -> Probing:
    made = probing(tmp_path, "sales", "support")
    made.advance(60)
    return made


def record_of(main: Probing) -> TrackRecord:
    snapshot = Snapshot(taken_at=main.clock(), settings_revision=1, servers=(main.published(),))
    return TrackRecords(main.history).read(snapshot)[SERVER, "sales"]


@pytest.mark.parametrize("stands_still", [False, True], ids=["clock set forward", "process stood still"])
def test_a_skipped_hour_is_no_loss_and_not_measured(main: Probing, stands_still: bool) -> None:
    main.clock.advance(HOUR)
    main.elapsed.seconds += HOUR * stands_still
    main.advance(30)

    record = record_of(main)
    assert (main.session().verdict, main.session().disconnects) == (Verdict.CONNECTED, {})
    assert record.outages == ()
    assert record.uptimes[Window.DAY].share == 1.0
    assert record.uptimes[Window.DAY].measured_seconds == pytest.approx(90, abs=3)


def test_the_history_says_since_when_nobody_had_measured(main: Probing) -> None:
    before = main.published().published_at
    main.clock.advance(HOUR)
    main.run_once()

    newest = main.history.read(kinds=["monitoring"])[-1]
    assert newest.data == {"event": "started", "holder": "tests[1]", "last_heartbeat": before.isoformat()}


def test_what_was_seen_before_is_doubted_and_asked_again_at_once(main: Probing) -> None:
    main.clock.advance(HOUR)
    main.run_once()
    doubted = main.session()
    main.advance(1)

    assert (doubted.verdict, doubted.lost_at) == (Verdict.UNKNOWN, None)
    assert [main.session(name).verdict for name in ("sales", "support")] == [Verdict.CONNECTED] * 2


def test_an_outage_goes_on_over_a_gap(main: Probing) -> None:
    main.client.pages["sales"].answers = False
    main.advance(10)
    lost_at = main.session().lost_at
    main.clock.advance(HOUR)
    main.advance(10)

    assert lost_at is not None
    assert main.session().lost_at == lost_at
    assert record_of(main).outages[-1].since - lost_at < timedelta(seconds=1)
    assert sum(main.session().disconnects.values()) == 1


def test_a_clock_that_is_set_back_hides_nothing(main: Probing) -> None:
    main.clock.advance(-HOUR)
    main.client.pages["sales"].answers = False
    main.advance(10)

    assert main.session().verdict == Verdict.UNRESPONSIVE
    assert [entry.data["event"] for entry in main.history.read(kinds=["monitoring"])] == []


def test_an_outage_keeps_its_length_when_the_clock_is_set_back(main: Probing) -> None:
    main.advance(HOUR, tick=2.0)
    main.client.pages["sales"].answers = False
    main.advance(120)
    before = main.clock() - main.session().since
    main.clock.advance(-HOUR)
    main.advance(60)
    lost = main.session()

    assert lost.lost_at == lost.since
    assert main.clock() - lost.since - before == pytest.approx(
        timedelta(seconds=60), abs=timedelta(seconds=3)
    )
    main.client.pages["sales"].answers = True
    main.advance(10)

    assert main.session().outage_seconds == pytest.approx(before.total_seconds() + 60, abs=8)
    (outage,) = record_of(main).outages
    assert outage.until is not None
    assert (outage.until - outage.since).total_seconds() == pytest.approx(before.total_seconds() + 60, abs=8)


def test_a_prober_that_begins_after_the_clock_was_set_back_shows_nothing_of_the_future(
    main: Probing,
) -> None:
    main.client.pages["sales"].answers = False
    main.advance(120)
    main.clock.advance(-HOUR)
    main.begin("tests[2]")
    main.advance(10)

    lost = main.session()
    assert lost.verdict == Verdict.UNRESPONSIVE
    assert lost.lost_at is not None
    assert main.clock() - lost.lost_at == pytest.approx(timedelta(seconds=125), abs=timedelta(seconds=15))
