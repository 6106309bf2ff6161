"""Pauses with who, why and until when, which end by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from watched_gateway import FakeClient

from core.exceptions import StoreError
from core.models import HistoryEntry, Pause, SessionSnapshot, Verdict
from core.monitor.monitor import Monitor
from core.settings import pausing
from core.settings.pauses import in_force
from core.settings.source import SettingsSource
from core.settings.values import ServerSettings, SessionSettings, Settings
from core.store import FileStore, History, OneMachine
from tests.fakes import FakeClock
from tests.support.settings_world import ENVIRONMENT
from tests.support.waiting import until

CLOCK = FakeClock()
NOW = CLOCK()
SALES, GATEWAY = ("main", "sales"), ("main", None)


def pause(until_minutes: float | None = None, reason: str = "maintenance") -> Pause:
    end = None if until_minutes is None else NOW + timedelta(minutes=until_minutes)
    return Pause(by="ana", since=NOW, reason=reason, until=end)


class World:
    """Settings on a real store, seen by two processes that share a clock."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock()
        self.told: list[HistoryEntry] = []
        self.store = FileStore(directory / "store")
        self.source, self.other = self.process(), self.process()

    def process(self) -> SettingsSource:
        def record(*entries: HistoryEntry) -> None:
            self.told += entries

        return SettingsSource(ENVIRONMENT, self.store, clock=self.clock, record=record)

    def server(self) -> ServerSettings:
        found = self.other.current().server("main")
        assert found is not None
        return found

    def sales(self) -> SessionSettings:
        found = self.server().session("sales")
        assert found is not None
        return found


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


class TestInForce:
    def settings(self, *, sales: Pause | None = None, gateway: Pause | None = None) -> Settings:
        session = SessionSettings(name="sales", enabled=sales is None, pause=sales)
        server = ServerSettings(
            name="main", url="http://gw", enabled=gateway is None, pause=gateway, sessions=(session,)
        )
        return Settings(revision=3, servers=(server,))

    def test_without_a_pause_nothing_changes(self) -> None:
        settings = self.settings()

        assert in_force(settings, NOW) == (settings, None)

    def test_a_pause_without_an_end_holds_for_ever(self) -> None:
        settings = self.settings(sales=pause(), gateway=pause())

        assert in_force(settings, NOW + timedelta(days=999)) == (settings, None)

    def test_a_pause_that_lasts_tells_when_it_ends(self) -> None:
        settings = self.settings(sales=pause(30), gateway=pause(10))

        assert in_force(settings, NOW) == (settings, NOW + timedelta(minutes=10))

    def test_each_pause_is_lifted_at_its_own_end(self) -> None:
        settings = self.settings(sales=pause(30), gateway=pause(10))

        after, ends_at = in_force(settings, NOW + timedelta(minutes=10))

        assert after == self.settings(sales=pause(30))
        assert ends_at == NOW + timedelta(minutes=30)


def test_a_pause_is_seen_by_every_process_with_who_why_and_until_when(world: World) -> None:
    pausing.pause(world.source, [SALES], pause(30))

    assert (world.sales().enabled, world.sales().pause) == (False, pause(30))
    assert world.server().enabled


def test_a_gateway_is_paused_as_a_whole(world: World) -> None:
    pausing.pause(world.source, [GATEWAY], pause(30))

    assert (world.server().enabled, world.server().pause) == (False, pause(30))
    assert world.sales().enabled


def test_several_are_paused_in_one_save(world: World) -> None:
    pausing.pause(world.source, [SALES, ("main", "support")], pause())

    assert world.other.current().revision == 1
    assert [one.enabled for one in world.server().sessions] == [False, False]


def test_a_pause_ends_by_itself_in_every_process_and_without_a_save(world: World) -> None:
    pausing.pause(world.source, [SALES], pause(30))
    world.clock.advance(30 * 60 - 1)
    before = world.sales()
    world.clock.advance(1)

    assert (before.enabled, world.sales().enabled, world.sales().pause) == (False, True, None)
    assert world.other.current().revision == 1


def test_a_pause_ends_also_where_the_settings_cannot_be_read_any_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pausing.pause(world.source, [SALES], pause(30))
    world.sales()

    def refuse(_subject: str) -> str:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(world.store, "revision", refuse)
    world.clock.advance(30 * 60)

    assert world.sales().enabled


def test_somebody_ends_it_before_its_time(world: World) -> None:
    pausing.pause(world.source, [SALES], pause(30))
    pausing.resume(world.source, [SALES], actor="rui", now=NOW)

    assert (world.sales().enabled, world.sales().pause) == (True, None)


def test_what_somebody_removed_meanwhile_does_not_come_back(world: World) -> None:
    world.source.edit(lambda saved: saved.without_session("main", "sales"), actor="ana")
    world.told.clear()

    pausing.pause(world.other, [SALES], pause())
    pausing.resume(world.other, [SALES, ("elsewhere", None)], actor="rui", now=NOW)

    assert world.server().session("sales") is None
    assert world.told == []


def test_a_later_end_replaces_the_earlier_one(world: World) -> None:
    pausing.pause(world.source, [SALES], pause(30))
    pausing.pause(world.source, [SALES], pause(90))
    world.clock.advance(60 * 60)

    assert world.sales().pause == pause(90)


def test_the_switch_in_the_settings_ends_it_too(world: World) -> None:
    pausing.pause(world.source, [SALES], pause(30))
    change = world.source.saved().with_session(*SALES, enabled=True)
    world.source.save(change, expected_revision=1, actor="rui")

    assert (world.sales().enabled, world.sales().pause) == (True, None)


def test_it_goes_with_another_change_of_the_session(world: World) -> None:
    pausing.pause(world.source, [SALES], pause(30))
    change = world.source.saved().with_session(*SALES, webhook="https://app.example/hook")
    world.source.save(change, expected_revision=1, actor="rui")

    assert world.sales().pause == pause(30)


def test_the_history_tells_who_did_what_and_not_the_names_of_fields(world: World) -> None:
    pausing.pause(world.source, [SALES], pause(30, "new SIM card"))
    pausing.resume(world.source, [SALES, GATEWAY], actor="rui", now=NOW)

    told = [(one.kind, one.server, one.session, one.actor, one.data["event"]) for one in world.told]
    assert told == [
        ("pause", "main", "sales", "ana", "paused"),
        ("pause", "main", "sales", "rui", "resumed"),
        ("pause", "main", None, "rui", "resumed"),
    ]
    assert world.told[0].data["reason"] == "new SIM card"
    assert datetime.fromisoformat(str(world.told[0].data["until"])) == NOW + timedelta(minutes=30)


def test_a_session_is_probed_again_within_seconds_of_the_end(world: World, tmp_path: Path) -> None:
    client = FakeClient("sales", "support")
    monitor = Monitor(
        world.source,
        coordination=OneMachine(tmp_path),
        history=History(tmp_path / "history"),
        lock_directory=tmp_path / "locks",
        client=lambda _server, _settings: client,
        holder="tests[1]",
    )

    def sales() -> SessionSnapshot:
        found = monitor.snapshot().session("main", "sales")
        assert found is not None
        return found

    pausing.pause(world.source, [SALES], pause(30))
    monitor.start()
    try:
        until(lambda: sales().verdict == Verdict.PAUSED, what="the pause")
        world.clock.advance(30 * 60)
        until(lambda: sales().verdict == Verdict.CONNECTED, what="the end of the pause")
    finally:
        monitor.stop()
