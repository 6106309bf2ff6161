"""What a prober concludes, writes down and publishes while maintenance windows open and end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from watched_gateway import SERVER, FailingHistory, FakeClient, server_settings, settings_of

from core.models import Observation, Reason, ServerSnapshot, SessionSnapshot, SessionState, Verdict
from core.monitor.recovery import first_server_snapshot
from core.monitor.state import GatewayState
from core.settings.maintenance import Once, Target, Window
from core.uptime.records import TrackRecord, track_record
from core.uptime.records import Window as Length
from core.uptime.verdict_log import KINDS
from core.verdict import with_staleness
from tests.fakes import FakeClock
from tests.support.timelines import timelines

START = FakeClock()()
SALES = Target(server=SERVER, session="sales")
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    return START + minutes * MINUTE


def window(since: float, until: float, target: Target = SALES) -> Window:
    schedule = Once(since=at(since), until=at(until))
    return Window(id=f"{since}-{until}", targets=(target,), schedule=schedule, by="ana")


class World:
    """A prober of the session `sales`, whose observations and clock a test plays."""

    def __init__(self, directory: Path, *windows: Window) -> None:
        self.clock = FakeClock()
        self.directory = directory
        self.history = FailingHistory(directory / "history")
        self.start(windows, None)
        self.is_connected = True
        self.probe()

    def start(self, windows: Sequence[Window], before: ServerSnapshot | None) -> None:
        """Begin with these settings, as a new prober does and one whose settings were changed."""
        server = server_settings("sales")
        self.state = GatewayState(
            server,
            settings_of(server, maintenance=tuple(windows)),
            before=before,
            history=self.history,
            gateway=FakeClient("sales"),
            holder="tests[1]",
            closed_by=lambda _server, _session: None,
            now=self.clock,
        )
        self.state.record_start()

    def restart(self, *windows: Window, after: float = 0.0) -> None:
        """Begin anew, `after` so many minutes without a prober."""
        before = self.publish()
        self.clock.advance(minutes=after)
        self.start(windows, before)

    def publish(self) -> ServerSnapshot:
        self.state.history.write()
        return self.state.snapshot()

    def session(self) -> SessionSnapshot:
        return self.publish().sessions[0]

    def probe(self) -> None:
        state = SessionState.CONNECTED if self.is_connected else SessionState.CLOSED
        now, page = self.clock(), True if self.is_connected else None
        self.state.take_session(
            "sales",
            Observation(
                started_at=now, observed_at=now, state=state, has_session_object=True, page_answers=page
            ),
        )

    def go_on(self, until: float, *, is_connected: bool = True) -> None:
        """Turn the session, and probe it every 5 s until a minute; windows are followed in between, too."""
        self.is_connected = is_connected
        self.probe()
        while self.clock() < at(until):
            self.clock.advance(2.5)
            self.state.follow_maintenance()
            self.clock.advance(min(2.5, (at(until) - self.clock()).total_seconds()))
            self.state.follow_maintenance()
            self.probe()

    def record(self) -> TrackRecord:
        published = self.publish()
        entries = self.history.read(kinds=KINDS)
        spans = timelines(entries, published, self.clock())[SERVER, "sales"]
        return track_record(spans, published.sessions[0], self.clock())

    def outages(self) -> list[tuple[float, float | None]]:
        """Return the outages in minutes from the start."""
        return [
            (
                round((one.since - START) / MINUTE, 1),
                None if one.until is None else round((one.until - START) / MINUTE, 1),
            )
            for one in self.record().outages
        ]

    def measured_minutes(self) -> tuple[float, float]:
        """Return the connected and the measured minutes."""
        found = self.record().uptimes[Length.DAY]
        return round(found.connected_seconds / 60, 1), round(found.measured_seconds / 60, 1)


def test_a_loss_in_a_window_is_none(tmp_path: Path) -> None:
    world = World(tmp_path, window(5, 15))
    world.go_on(8)
    world.go_on(10, is_connected=False)
    within = world.session()
    world.go_on(20)

    assert (within.verdict, within.maintenance_until, within.lost_at) == (Verdict.DISCONNECTED, at(15), None)
    assert world.outages() == []
    assert world.measured_minutes() == (10, 10)
    assert (world.session().disconnects, world.publish().recovery_seconds) == (
        {},
        world.state.snapshot().recovery_seconds,
    )
    assert world.session().maintenance_until is None


def test_a_session_that_is_down_where_the_window_ends_is_lost_from_then_on(tmp_path: Path) -> None:
    world = World(tmp_path, window(5, 15))
    world.go_on(8)
    world.go_on(20, is_connected=False)
    lost = world.session()
    world.go_on(25)

    assert lost.lost_at == at(15)
    assert lost.disconnects == {"closed": 1}
    assert world.outages() == [(15, 20)]
    assert world.measured_minutes() == (10, 15)
    assert world.session().outage_seconds == 300


def test_an_outage_ends_unrecovered_where_a_window_begins(tmp_path: Path) -> None:
    world = World(tmp_path, window(5, 15))
    world.go_on(2)
    world.go_on(10, is_connected=False)
    world.go_on(20)

    assert world.outages() == [(2, 5)]
    assert [one.recovered for one in world.record().outages] == [False]
    assert world.session().disconnects == {"closed": 1}
    assert world.measured_minutes() == (7, 10)


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        pytest.param([(5, 15)], [(2, 5), (15, 20)], id="one"),
        pytest.param([(5, 10), (10, 15)], [(2, 5), (15, 20)], id="adjoining"),
        pytest.param([(5, 12), (8, 15)], [(2, 5), (15, 20)], id="overlapping"),
        pytest.param([(5, 15), (8, 10)], [(2, 5), (15, 20)], id="one within another"),
        pytest.param([(5, 7), (9, 15)], [(2, 5), (7, 9), (15, 20)], id="with a gap"),
        pytest.param([(5.01, 5.08)], [(2, 5), (5.1, 20)], id="begins and ends between two probes"),
        pytest.param([(5, 6), (5, 6)], [(2, 5), (6, 20)], id="the same twice"),
        pytest.param([(0, 3)], [(3, 20)], id="over the loss"),
    ],
)
def test_of_an_outage_only_what_lies_outside_of_windows_counts(
    tmp_path: Path, windows: list[tuple[float, float]], expected: list[tuple[float, float]]
) -> None:
    world = World(tmp_path, *(window(*one) for one in windows))
    world.state.follow_maintenance()
    world.go_on(2)
    world.go_on(20, is_connected=False)
    world.go_on(22)

    assert world.outages() == expected


def test_edges_are_those_of_the_window_and_not_of_the_tick(tmp_path: Path) -> None:
    world = World(tmp_path, window(5.01, 5.08))
    world.go_on(2)
    world.go_on(6, is_connected=False)

    found = [moment for one in world.record().outages for moment in (one.since, one.until)]

    assert found[1:] == [at(5.01), at(5.08), None]


def test_a_window_that_was_deleted_while_open_ends_then(tmp_path: Path) -> None:
    world = World(tmp_path, window(5, 15))
    world.go_on(8)
    world.go_on(10, is_connected=False)
    world.restart()
    world.go_on(12, is_connected=False)

    assert world.session().lost_at == at(10)
    assert world.session().maintenance_until is None
    assert world.session().disconnects == {"closed": 1}
    assert world.outages() == [(10, None)]


def test_a_window_that_is_planned_into_the_past_begins_now(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.go_on(2)
    world.go_on(10, is_connected=False)
    world.restart(window(5, 15))
    world.go_on(20, is_connected=False)
    world.go_on(21)

    assert world.outages() == [(2, 10), (15, 20)]


def test_a_window_that_is_prolonged_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, window(5, 15))
    world.go_on(8)
    world.go_on(10, is_connected=False)
    world.restart(window(5, 15), window(14, 18))
    prolonged = world.session().maintenance_until
    world.go_on(20, is_connected=False)

    assert prolonged == at(18)
    assert world.outages() == [(18, None)]


@pytest.mark.parametrize("minutes", [0.1, 2], ids=["at once", "after a while"])
def test_a_prober_that_begins_within_a_window_is_in_it_at_once(tmp_path: Path, minutes: float) -> None:
    world = World(tmp_path, window(5, 15))
    world.go_on(8)
    world.go_on(10, is_connected=False)
    world.restart(window(5, 15), after=minutes)
    first = world.session()
    world.go_on(20, is_connected=False)

    assert (first.maintenance_until, first.lost_at) == (at(15), None)
    assert world.outages() == [(15, None)]
    assert world.session().disconnects == {"closed": 1}


def test_without_a_prober_at_its_end_a_window_ends_all_the_same(tmp_path: Path) -> None:
    world = World(tmp_path, window(5, 15))
    world.go_on(8)
    world.go_on(10, is_connected=False)
    world.restart(window(5, 15), after=10)
    world.go_on(25, is_connected=False)

    assert world.session().lost_at == at(15)
    assert world.measured_minutes()[0] == 5


def test_a_transition_that_was_not_published_is_made_up_for(tmp_path: Path) -> None:
    world = World(tmp_path, window(5, 15))
    world.go_on(4)
    before = world.publish()
    world.go_on(6)
    world.state.history.write()

    world.start([window(5, 15)], before)

    entries = [one for one in world.history.read(kinds=["transition"]) if "maintenance_until" in one.data]
    assert [(one.at, one.data["from"], one.data["to"]) for one in entries] == [
        (at(5), "connected", "connected")
    ]
    assert world.session().maintenance_until == at(15)


def test_a_clock_that_is_set_back_over_the_end_opens_the_window_again(tmp_path: Path) -> None:
    world = World(tmp_path, window(5, 15))
    world.go_on(16)
    before = world.session().maintenance_until
    world.clock.advance(minutes=-5)
    world.state.notice_gap()
    world.state.follow_maintenance()

    assert (before, world.session().maintenance_until) == (None, at(15))


@pytest.mark.parametrize(
    ("target", "expected"),
    [(Target(), at(15)), (Target(server=SERVER), at(15)), (Target(server="other"), None), (SALES, None)],
    ids=["everything", "the gateway", "another gateway", "a session"],
)
def test_a_gateway_is_in_maintenance_as_a_whole(
    tmp_path: Path, target: Target, expected: datetime | None
) -> None:
    world = World(tmp_path, window(5, 15, target))
    world.go_on(6)
    within = world.publish().maintenance_until
    world.go_on(16)

    assert (within, world.publish().maintenance_until) == (expected, None)


def test_before_the_first_probe_the_window_holds_already() -> None:
    server = server_settings("sales")
    settings = settings_of(server, maintenance=(window(5, 15, Target()),))

    found = first_server_snapshot(server, settings, holder="", now=at(6))

    assert (found.maintenance_until, found.sessions[0].maintenance_until) == (at(15), at(15))


@pytest.mark.parametrize(
    ("verdict", "minutes", "until", "lost_at"),
    [
        (Verdict.DISCONNECTED, 14, at(15), None),
        (Verdict.DISCONNECTED, 15, None, at(15)),
        (Verdict.UNKNOWN, 16, None, at(15)),
        (Verdict.CONNECTED, 15, None, None),
        (Verdict.PAUSED, 16, None, None),
    ],
)
def test_what_was_published_in_a_window_is_read_by_the_clock(
    verdict: Verdict, minutes: float, until: datetime | None, lost_at: datetime | None
) -> None:
    published = SessionSnapshot(
        server=SERVER,
        session="sales",
        enabled=verdict is not Verdict.PAUSED,
        verdict=verdict,
        reason=Reason.NONE,
        since=at(10),
        observed_at=at(14),
        ever_connected=True,
        maintenance_until=at(15),
    )

    shown = with_staleness(published, at(minutes), timedelta(minutes=5))

    assert (shown.verdict, shown.maintenance_until, shown.lost_at) == (verdict, until, lost_at)
