"""How sessions have fared, kept up to date line by line."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.models import HistoryEntry, Reason, SessionSnapshot, Snapshot, Verdict
from core.reasons import Loss
from core.store import History
from core.uptime.records import SLOT, TrackRecord, TrackRecords, Window, daily, slots, together
from core.uptime.timeline import Span
from tests.fakes import FakeClock
from tests.support.snapshots import server_snapshot

WORDS = ("connected", "disconnected", "waiting_for_qr", "paused", "unknown")


class World:
    """A log of some sessions of one gateway, and what is known of them now."""

    def __init__(self, directory: Path, *names: str) -> None:
        self.clock = FakeClock()
        self.history = History(directory / "history", clock=self.clock)
        self.sessions = {name: self._session(name, Verdict.CONNECTED) for name in names}
        self.heartbeat = self.clock()

    def _session(self, name: str, verdict: Verdict, reason: Reason = Reason.NONE) -> SessionSnapshot:
        return SessionSnapshot(
            server="main", session=name, enabled=True, verdict=verdict, since=self.clock(), reason=reason
        )

    def turns(self, name: str, to: str, reason: Reason = Reason.NONE) -> None:
        """A session changes, and a second passes."""
        before = self.sessions[name]
        after = self._session(name, Verdict(to), reason)
        held = (after.since - before.since).total_seconds()
        data: dict[str, Any] = {"from": before.verdict, "to": to, "reason": reason, "held_seconds": held}
        self.history.append(
            HistoryEntry(at=after.since, kind="transition", server="main", session=name, data=data)
        )
        self.sessions[name] = after
        self.pass_by(1)

    def pass_by(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.heartbeat = self.clock()

    def snapshot(self) -> Snapshot:
        server = server_snapshot(*self.sessions.values(), at=self.heartbeat)
        return Snapshot(taken_at=self.clock(), settings_revision=0, servers=(server,))

    def afresh(self) -> dict[tuple[str, str], TrackRecord]:
        """What somebody who reads the whole log now would find."""
        return dict(TrackRecords(self.history).read(self.snapshot()))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, "sales", "support")


def test_an_outage_shows_in_every_number(world: World) -> None:
    world.pass_by(3600)
    world.turns("sales", "disconnected", Reason.CLOSED_ON_GATEWAY)
    world.pass_by(899)
    world.turns("sales", "connected")
    world.pass_by(3599)

    record = world.afresh()["main", "sales"]

    assert record.uptimes[Window.DAY].share == pytest.approx(7200 / 8100)
    assert record.disconnects == {Loss.CLOSED: 1}
    assert record.mean_recovery_seconds == 900
    assert [one.reason for one in record.outages] == [Reason.CLOSED_ON_GATEWAY]


def test_each_window_counts_its_own_time(world: World) -> None:
    world.turns("sales", "disconnected")
    world.pass_by(3 * 86400 - 1)
    world.turns("sales", "connected")
    world.pass_by(3 * 86400 - 1)

    uptimes = world.afresh()["main", "sales"].uptimes

    assert uptimes[Window.DAY].share == 1
    assert uptimes[Window.WEEK].share == pytest.approx(0.5, abs=0.001)


def test_what_is_older_than_the_longest_window_is_not_told(world: World) -> None:
    world.turns("sales", "disconnected", Reason.BROWSER_DEAD)
    world.turns("sales", "connected")
    world.pass_by(30 * 86400)

    record = world.afresh()["main", "sales"]

    assert (record.outages, record.disconnects, record.uptimes[Window.MONTH].share) == ((), {}, 1)


def test_a_change_that_was_read_at_its_very_moment_counts_from_then_on(world: World) -> None:
    records = TrackRecords(world.history)
    world.pass_by(10)
    records.read(world.snapshot())
    write = world.clock()
    world.turns("sales", "paused")
    world.clock.moment = write
    records.read(world.snapshot())
    world.clock.moment = write
    world.pass_by(60)

    assert records.read(world.snapshot()) == world.afresh()


@pytest.mark.parametrize("seed", range(4))
def test_reading_again_and_again_gives_what_reading_once_gives(tmp_path: Path, seed: int) -> None:
    world, chance = World(tmp_path, "sales", "support", "new"), random.Random(seed)
    records = TrackRecords(world.history)
    for _ in range(60):
        match chance.randrange(4):
            case 0:
                world.pass_by(chance.randrange(1, 90_000))
            case 1:
                world.clock.advance(chance.randrange(1, 100))  # nobody publishes
            case _:
                name = chance.choice(list(world.sessions))
                world.turns(
                    name, chance.choice([one for one in WORDS if one != world.sessions[name].verdict])
                )
        found = dict(records.read(world.snapshot()))
        assert found == world.afresh()


def test_a_session_that_nobody_looked_at_yet_has_no_numbers(world: World) -> None:
    world.sessions["new"] = world._session("new", Verdict.UNKNOWN)

    record = world.afresh()["main", "new"]

    assert [record.uptimes[window].share for window in Window] == [None, None, None]
    assert record.mean_recovery_seconds is None


class TestTogether:
    def test_every_measured_second_of_every_session_counts_alike(self, world: World) -> None:
        world.pass_by(1)
        world.turns("sales", "disconnected", Reason.CLOSED_BY_OPERATOR)
        world.pass_by(99)
        world.turns("sales", "connected")
        world.turns("support", "disconnected", Reason.CLOSED_ON_GATEWAY)
        world.pass_by(198)
        world.turns("support", "connected")
        world.pass_by(700)

        all_of_them = together(world.afresh().values())

        assert all_of_them is not None
        assert all_of_them.uptimes[Window.DAY].share == pytest.approx(1 - 299 / 2001, abs=0.001)
        assert all_of_them.disconnects == {Loss.OPERATOR: 1, Loss.CLOSED: 1}
        assert all_of_them.mean_recovery_seconds == pytest.approx(149.5)

    def test_no_session_has_no_numbers(self) -> None:
        assert together([]) is None


class TestSlots:
    def test_the_day_is_cut_into_half_hours_of_the_clock(self) -> None:
        clock = FakeClock()
        clock.advance(10 * 60)
        now = clock()

        cut = list(slots([Span(now - timedelta(days=2), now, Verdict.CONNECTED)], now))

        assert len(cut) == 48
        assert {one.since.minute for one in cut} == {0, 30}
        assert (cut[-1].until, cut[-1].until - cut[-1].since) == (now, timedelta(minutes=10))
        assert all(one.until - one.since == SLOT for one in cut[:-1])

    def test_each_slot_has_what_lies_in_it(self) -> None:
        clock = FakeClock()  # 20:00
        clock.advance(10 * 60)
        now = clock()
        lost, found = now - timedelta(minutes=75), now - timedelta(minutes=35)
        spans = [
            Span(now - timedelta(minutes=90), lost, Verdict.CONNECTED),
            Span(lost, found, Verdict.DISCONNECTED),
            Span(found, now, Verdict.CONNECTED),
        ]

        told = [[(one.verdict, one.seconds / 60) for one in slot.spans] for slot in slots(spans, now)]

        assert told[:44] == [[]] * 44
        assert told[44:] == [
            [("connected", 15), ("disconnected", 5)],
            [("disconnected", 30)],
            [("disconnected", 5), ("connected", 25)],
            [("connected", 10)],
        ]


def recorded(*spans: Span, connected_before: bool = True) -> TrackRecord:
    """A record of which only the timeline counts."""
    return TrackRecord({}, (), {}, None, spans=spans, connected_before=connected_before)


def test_days_are_those_of_the_users_time_zone_also_when_its_clock_changes() -> None:
    now = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
    month = recorded(Span(now - timedelta(days=40), now, Verdict.CONNECTED))

    days = daily([month, month], now, ZoneInfo("Europe/Lisbon"))

    lengths = [(one.until - one.since).total_seconds() / 3600 for one in days]
    assert (len(days), days[-1].until, lengths[-1]) == (30, now, 12)
    assert lengths[:-1].count(24) == 28
    assert lengths[20] == 25  # 25 October
    assert {one.share for one in days} == {1.0}
    assert days[0].measured_seconds == 2 * 86400


def test_a_day_without_data_has_no_share() -> None:
    now = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
    yesterday = Span(now - timedelta(hours=18), now - timedelta(hours=12), Verdict.CONNECTED)
    today = Span(yesterday.until, now, Verdict.DISCONNECTED)

    shares = [one.share for one in daily([recorded(yesterday, today)], now, UTC)]

    assert shares[:-2] == [None] * 28
    assert shares[-2:] == [1.0, 0.0]
    assert [one.share for one in daily([], now, UTC)] == [None] * 30
