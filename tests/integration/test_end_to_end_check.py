"""The end-to-end check against a gateway whose page loses WhatsApp, or that has no such route."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.clock import monotonic, now
from core.models import Reason, ServerSnapshot, SessionSnapshot, Verdict
from core.monitor.call_pool import CallPool
from core.monitor.scheduler import Scheduler
from core.monitor.watcher import SHARED_LANE, TICK_SECONDS, ServerWatcher
from core.runtime import make_client
from core.settings.values import ServerSettings, SessionSettings, Settings, Timeouts
from core.snapshot import SnapshotExchange
from core.store import FileStore, History
from simulator import Simulator
from tests.plugins.leaks import inspect_files, keep_secret
from tests.support.live_core import FAST, SECRET
from tests.support.waiting import until

NUMBER = "5511900000000"
SESSIONS = ("sales", "support", "billing", "hotline", "news")
PERIOD_SECONDS = 0.6
"""Far below what the settings allow, so that a period is not five minutes."""

pytestmark = pytest.mark.usefixtures("number")


@pytest.fixture
def number(tmp_path: Path) -> Iterator[None]:
    """Search for the phone's number in everything that is logged and kept."""
    keep_secret("phone number", [NUMBER])
    yield
    inspect_files(tmp_path, "*.json*")


@pytest.fixture
def gateway() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET, times=FAST, paired=SESSIONS) as running:
        yield running


@contextmanager
def watched(gateway: Simulator, data: Path, *, end_to_end_seconds: float = 0.4) -> Iterator[ServerWatcher]:
    """Probe the gateway, and check its sessions several times in a second."""
    server = ServerSettings(
        name="main",
        url=gateway.url,
        secret_key=SecretStr(SECRET),
        sessions=tuple(SessionSettings(name=name) for name in SESSIONS),
    ).model_copy(update={"end_to_end_minutes": PERIOD_SECONDS / 60})
    timeouts = Timeouts(end_to_end_seconds=end_to_end_seconds)
    settings = Settings(revision=1, servers=(server,), interval_seconds=1.0, timeouts=timeouts)
    stop = threading.Event()
    with closing(make_client(server, settings, FileStore(data / "store"), data, "tests")) as client:
        watcher = ServerWatcher(
            server,
            settings,
            client=client,
            exchange=SnapshotExchange(data / "snapshots"),
            history=History(data / "history"),
            holder="tests[1]",
            closed_by=lambda _server, _session: None,
            wake=lambda: wake(),
            now=now,
            monotonic=monotonic,
        )
        pool, scheduler = CallPool(), Scheduler()
        lanes = pool.lane(SHARED_LANE), pool.lane(1)

        def step() -> float | None:
            watcher.run_once(*lanes)
            return None if stop.is_set() else TICK_SECONDS

        wake = scheduler.add(step)
        wake()
        try:
            yield watcher
        finally:
            stop.set()
            assert scheduler.join(60)
            pool.stop()


def published(watcher: ServerWatcher) -> ServerSnapshot:
    return until(lambda: watcher.latest, what="a snapshot")


def session(watcher: ServerWatcher, name: str = "sales") -> SessionSnapshot:
    return next(one for one in published(watcher).sessions if one.session == name)


def await_reason(watcher: ServerWatcher, reason: Reason) -> SessionSnapshot:
    until(lambda: session(watcher).reason == reason, what=f"reason {reason}")
    return session(watcher)


def test_lost_network_behind_an_open_page_is_noticed_and_its_return_too(
    gateway: Simulator, tmp_path: Path
) -> None:
    with watched(gateway, tmp_path) as watcher:
        until(lambda: (known := session(watcher).end_to_end) and known.passed_at, what="a passed check")

        gateway.lose_network("sales")
        lost = await_reason(watcher, Reason.WHATSAPP_NOT_ANSWERING)
        other = session(watcher, "support")
        gateway.restore_network("sales")
        back = await_reason(watcher, Reason.NONE)

    assert (lost.verdict, lost.page_answers) == (Verdict.UNRESPONSIVE, True)
    assert other.verdict == Verdict.CONNECTED
    assert (back.verdict, back.lost_at) == (Verdict.CONNECTED, None)
    assert published(watcher).end_to_end_offered is True


def test_one_check_hangs_at_a_time_and_four_calls_are_not_exceeded(
    gateway: Simulator, tmp_path: Path
) -> None:
    for name in SESSIONS:
        gateway.lose_network(name)
    # A call that was given up may count at the gateway a while longer: none is given up here.
    with watched(gateway, tmp_path, end_to_end_seconds=60) as watcher:
        until(lambda: asked(gateway), what="a check that hangs")
        ends = monotonic() + 3 * PERIOD_SECONDS

        def is_enough() -> bool:
            for name in SESSIONS:
                watcher.hint(name)
            log = gateway.requests()
            calls = sum(row["count"] for row in log["counts"])
            return calls >= 200 and log["max_in_flight"] >= 4 and monotonic() > ends

        until(is_enough, what="as many calls as are allowed")
        checks, most = asked(gateway), gateway.requests()["max_in_flight"]
        for name in SESSIONS:
            gateway.restore_network(name)

    assert (checks, most) == (1, 4)


def asked(gateway: Simulator) -> int:
    """How often WhatsApp was to be asked."""
    rows = gateway.requests()["counts"]
    return sum(row["count"] for row in rows if row["route"].endswith("check-number-status/{phone}"))


def test_gateway_that_answers_for_contacts_itself_is_asked_all_the_same(
    gateway: Simulator, tmp_path: Path
) -> None:
    # Asked about the own number it would say yes, whatever the network.
    gateway.lose_network("sales")
    with watched(gateway, tmp_path) as watcher:
        await_reason(watcher, Reason.WHATSAPP_NOT_ANSWERING)


def test_an_account_without_a_number_says_that_it_cannot_be_checked(
    gateway: Simulator, tmp_path: Path
) -> None:
    gateway.set_fault("lid_account", session="sales")

    with watched(gateway, tmp_path) as watcher:
        until(lambda: (one := session(watcher).end_to_end) and one.is_possible is False, what="the finding")
        until(lambda: (one := session(watcher, "support").end_to_end) and one.is_possible, what="the other")

    assert session(watcher).verdict == Verdict.CONNECTED
