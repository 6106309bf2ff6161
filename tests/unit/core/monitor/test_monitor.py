"""Who probes, who follows, and what front doors are shown of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from watched_gateway import (
    SERVER,
    FailingExchange,
    FailingHistory,
    FakeClient,
    server_settings,
    settings_of,
)

from core.clock import now as real_now
from core.exceptions import StoreError
from core.models import ServerSnapshot, SessionSnapshot, SessionState, Verdict
from core.monitor.monitor import Monitor
from core.settings.values import ServerSettings, Settings
from core.store import OneMachine
from tests.support.waiting import until


class FakeSettings:
    """A settings source that a test changes at will."""

    def __init__(self, *servers: ServerSettings) -> None:
        self.settings = settings_of(*servers)
        self.error: Exception | None = None

    def current(self) -> Settings:
        if self.error is not None:
            raise self.error
        return self.settings

    def change(self, *servers: ServerSettings) -> None:
        self.settings = settings_of(*servers, revision=self.settings.revision + 1)


class Process:
    """One process's monitor on a data directory that others share."""

    def __init__(self, directory: Path, settings: FakeSettings, client: FakeClient, holder: str) -> None:
        self.settings, self.client, self.holder = settings, client, holder
        coordination = OneMachine(directory)
        coordination.exchange = self.exchange = FailingExchange(directory / "snapshots")
        self.history = FailingHistory(directory / "history")
        self.clients: list[FakeClient] = []
        self.broken: set[str] = set()
        self.ahead = timedelta(0)
        source: Any = settings
        self.monitor = Monitor(
            source,
            coordination=coordination,
            history=self.history,
            lock_directory=directory / "locks",
            client=self._open,
            holder=holder,
            now=lambda: real_now() + self.ahead,
        )

    def _open(self, server: ServerSettings, _settings: Settings) -> Any:
        if server.name in self.broken:
            raise RuntimeError("a bug in the wiring of this server")
        return self.client

    def server(self, name: str = SERVER) -> ServerSnapshot:
        found = self.monitor.snapshot().server(name)
        assert found is not None
        return found

    def session(self, name: str = "sales", server: str = SERVER) -> SessionSnapshot | None:
        return self.monitor.snapshot().session(server, name)

    def verdict(self, name: str = "sales", server: str = SERVER) -> Verdict | None:
        found = self.session(name, server)
        return found.verdict if found else None

    def await_verdict(self, verdict: Verdict, name: str = "sales", server: str = SERVER) -> None:
        until(lambda: self.verdict(name, server) == verdict, what=f"{verdict} of {name}")


Begin = Callable[..., Process]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Begin processes that end with the test."""
    running: list[Process] = []

    def build(
        settings: FakeSettings, client: FakeClient, *, holder: str = "tests[1]", start: bool = True
    ) -> Process:
        process = Process(tmp_path, settings, client, holder)
        running.append(process)
        if start:
            process.monitor.start()
        return process

    yield build
    for process in running:
        process.monitor.stop()


@pytest.fixture
def settings() -> FakeSettings:
    return FakeSettings(server_settings("sales"))


@pytest.fixture
def client() -> FakeClient:
    return FakeClient("sales", "support")


def test_a_follower_reads_what_the_holder_publishes_and_asks_nothing(
    begin: Begin, settings: FakeSettings, client: FakeClient
) -> None:
    holder = begin(settings, client)
    holder.await_verdict(Verdict.CONNECTED)
    idle = FakeClient("sales")

    follower = begin(settings, idle, holder="tests[2]")

    follower.await_verdict(Verdict.CONNECTED)
    assert follower.server().holder == "tests[1]"
    assert idle.calls.total() == 0


def test_the_lease_passes_on_when_its_holder_stops(
    begin: Begin, settings: FakeSettings, client: FakeClient
) -> None:
    first = begin(settings, client)
    first.await_verdict(Verdict.CONNECTED)
    second = begin(settings, FakeClient("sales"), holder="tests[2]")

    first.monitor.stop()

    until(lambda: second.server().holder == "tests[2]", what="the take-over")
    assert client.closed.is_set()
    assert [one.data["to"] for one in second.history.read(kinds=["transition"])] == ["connected"]


def test_a_stopped_monitor_leaves_no_thread_behind(
    begin: Begin, settings: FakeSettings, client: FakeClient
) -> None:
    before = set(threading.enumerate())
    process = begin(settings, client)
    process.await_verdict(Verdict.CONNECTED)

    process.monitor.stop()
    process.monitor.stop()

    until(lambda: set(threading.enumerate()) <= before, what="the end of all threads")


def test_a_monitor_that_never_started_can_be_stopped(
    begin: Begin, settings: FakeSettings, client: FakeClient
) -> None:
    begin(settings, client, start=False).monitor.stop()


def test_before_the_first_probe_everything_is_unknown(
    begin: Begin, settings: FakeSettings, client: FakeClient
) -> None:
    process = begin(settings, client, start=False)

    assert (process.server().up, process.verdict()) == (None, Verdict.UNKNOWN)


class TestSettings:
    def test_a_change_keeps_what_is_known(
        self, begin: Begin, settings: FakeSettings, client: FakeClient
    ) -> None:
        process = begin(settings, client)
        process.await_verdict(Verdict.CONNECTED)
        before = process.session()

        settings.change(server_settings("sales", "support"))
        process.await_verdict(Verdict.CONNECTED, "support")

        after = process.session()
        assert before is not None
        assert after is not None
        assert (after.verdict, after.since) == (Verdict.CONNECTED, before.since)
        assert process.server().settings_revision == 2

    def test_a_new_session_shows_at_once_as_unknown(
        self, begin: Begin, settings: FakeSettings, client: FakeClient
    ) -> None:
        process = begin(settings, client)
        process.await_verdict(Verdict.CONNECTED)
        process.monitor.stop()

        settings.change(server_settings("sales", "support"))

        assert process.verdict("support") == Verdict.UNKNOWN

    def test_a_removed_session_disappears_at_once(
        self, begin: Begin, settings: FakeSettings, client: FakeClient
    ) -> None:
        settings.change(server_settings("sales", "support"))
        process = begin(settings, client)
        process.await_verdict(Verdict.CONNECTED, "support")

        settings.change(server_settings("sales"))

        assert process.session("support") is None

    def test_a_removed_server_disappears_and_is_asked_no_more(
        self, begin: Begin, settings: FakeSettings, client: FakeClient
    ) -> None:
        process = begin(settings, client)
        process.await_verdict(Verdict.CONNECTED)

        settings.change()

        assert process.monitor.snapshot().servers == ()
        until(client.closed.is_set, what="the end of probing")

    def test_a_store_that_fails_at_the_start_is_tried_again(
        self,
        begin: Begin,
        settings: FakeSettings,
        client: FakeClient,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        settings.error = StoreError("cannot read the settings")
        process = begin(settings, client)
        until(lambda: "settings_not_followed" in caplog.text)

        settings.error = None

        process.await_verdict(Verdict.CONNECTED)


class TestAge:
    def test_what_nobody_renews_is_shown_as_unknown(
        self, begin: Begin, settings: FakeSettings, client: FakeClient
    ) -> None:
        process = begin(settings, client)
        process.await_verdict(Verdict.CONNECTED)
        process.monitor.stop()

        process.ahead = timedelta(seconds=36)

        assert process.verdict() == Verdict.UNKNOWN

    def test_what_holds_stays_the_same_object(
        self, begin: Begin, settings: FakeSettings, client: FakeClient
    ) -> None:
        process = begin(settings, client)
        process.await_verdict(Verdict.CONNECTED)
        process.monitor.stop()

        assert process.server() is process.server()


class TestFaults:
    def test_a_broken_server_never_takes_others_down(
        self, begin: Begin, client: FakeClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings = FakeSettings(server_settings("sales", name="broken"), server_settings("sales"))
        process = begin(settings, client, start=False)
        process.broken = {"broken"}

        process.monitor.start()

        process.await_verdict(Verdict.CONNECTED)
        assert process.verdict(server="broken") == Verdict.UNKNOWN
        assert "probing_failed server=broken" in caplog.text

    def test_a_server_that_is_mended_is_probed(self, begin: Begin, client: FakeClient) -> None:
        settings = FakeSettings(server_settings("sales"))
        process = begin(settings, client, start=False)
        process.broken = {SERVER}
        process.monitor.start()
        until(lambda: process.monitor._gateways)

        process.broken = set()

        process.await_verdict(Verdict.CONNECTED)

    def test_on_a_full_disk_the_process_that_probes_still_sees(
        self, begin: Begin, settings: FakeSettings, client: FakeClient
    ) -> None:
        process = begin(settings, client, start=False)
        process.history.is_full = process.exchange.is_full = True

        process.monitor.start()

        process.await_verdict(Verdict.CONNECTED)

    def test_a_lease_that_cannot_be_locked_for_a_while_is_not_lost_for_ever(
        self, begin: Begin, settings: FakeSettings, client: FakeClient, tmp_path: Path
    ) -> None:
        blocker = tmp_path / "locks"
        blocker.write_text("a file where a folder is needed")
        process = begin(settings, client)
        until(lambda: process.monitor._gateways)

        blocker.unlink()

        process.await_verdict(Verdict.CONNECTED)

    def test_a_wish_for_attention_that_cannot_be_written_is_only_a_wish(
        self, begin: Begin, settings: FakeSettings, client: FakeClient, tmp_path: Path
    ) -> None:
        process = begin(settings, client, start=False)
        (tmp_path / "snapshots").write_text("a file where a folder is needed")

        process.monitor.watch(SERVER, "sales")

        assert process.exchange.attention(SERVER) == {}


class TestWaiting:
    def test_it_ends_with_what_was_waited_for(
        self, begin: Begin, settings: FakeSettings, client: FakeClient
    ) -> None:
        process = begin(settings, client)

        found = process.monitor.wait_for(
            SERVER,
            "sales",
            lambda seen: seen.verdict == Verdict.CONNECTED,
            timeout_seconds=10,
            stop=threading.Event(),
        )

        assert found is not None
        assert "sales" in process.exchange.attention(SERVER)

    def test_it_ends_with_nothing_when_time_is_up(
        self, begin: Begin, settings: FakeSettings, client: FakeClient
    ) -> None:
        process = begin(settings, client, start=False)

        found = process.monitor.wait_for(
            SERVER, "sales", lambda _: False, timeout_seconds=0.01, stop=threading.Event()
        )

        assert found is None

    def test_it_ends_with_nothing_when_it_is_stopped(
        self, begin: Begin, settings: FakeSettings, client: FakeClient
    ) -> None:
        process, stop = begin(settings, client, start=False), threading.Event()
        stop.set()

        found = process.monitor.wait_for(SERVER, "sales", lambda _: False, timeout_seconds=60, stop=stop)

        assert found is None

    def test_attention_is_renewed_late_enough_to_cost_little(
        self, begin: Begin, settings: FakeSettings, client: FakeClient
    ) -> None:
        process = begin(settings, client, start=False)
        process.monitor.watch(SERVER, "sales")
        first = process.exchange.attention(SERVER)["sales"]

        process.ahead = timedelta(seconds=5)
        process.monitor.watch(SERVER, "sales")
        early = process.exchange.attention(SERVER)["sales"]
        process.ahead = timedelta(seconds=11)
        process.monitor.watch(SERVER, "sales")
        late = process.exchange.attention(SERVER)["sales"]

        assert early == first
        assert late > first


def test_probing_once_needs_no_thread_and_no_lease(
    begin: Begin, settings: FakeSettings, client: FakeClient
) -> None:
    client.pages["sales"].state = SessionState.CLOSED
    process = begin(settings, client, start=False)

    seen = process.monitor.probe_once()

    assert seen.servers[0].sessions[0].verdict == Verdict.DISCONNECTED
    assert client.closed.is_set()
