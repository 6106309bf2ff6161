"""Twenty of fifty gateways stop answering: the others are probed as before. Threads are real, time jumps."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from watched_gateway import Elapsed, FakeClient, MemoryExchange, server_settings, settings_of

from core.exceptions import RequestTimeoutError
from core.gateways.protocol import Health, SessionStatus
from core.monitor.call_pool import OVERDUE_SECONDS, THREADS, CallPool
from core.monitor.watcher import SHARED_LANE, ServerWatcher
from core.store import History
from tests.fakes import FakeClock
from tests.support.waiting import until

GATEWAYS, HANGING = 50, 20
SESSIONS = ("sales", "support", "hotline")
TICK_SECONDS = 0.5
TIMEOUT_SECONDS = 10.0


class Hanging:
    """Calls that get no response until their time is over."""

    def __init__(self, elapsed: Elapsed) -> None:
        self._elapsed = elapsed
        self._waiting: dict[threading.Event, float] = {}
        self.is_over = False

    @property
    def count(self) -> int:
        return len(self._waiting)

    def wait(self) -> None:
        gate = threading.Event()
        self._waiting[gate] = self._elapsed() + TIMEOUT_SECONDS
        if not self.is_over:
            gate.wait(60)
        raise RequestTimeoutError("no response")

    def release(self) -> None:
        """End the calls whose time is over."""
        for gate, ends_at in list(self._waiting.items()):
            if self.is_over or ends_at <= self._elapsed():
                del self._waiting[gate]
                gate.set()


class Client(FakeClient):
    """A gateway that may stop answering, and notes when each session was probed."""

    hanging: Hanging | None = None

    def __init__(self, elapsed: Elapsed) -> None:
        super().__init__(*SESSIONS)
        self.probed_at: dict[str, list[float]] = {name: [] for name in SESSIONS}
        self._elapsed = elapsed

    def read_health(self) -> Health:
        self._wait()
        return super().read_health()

    def read_status(self, session: str) -> SessionStatus:
        self._wait()
        self.probed_at[session].append(self._elapsed())
        return super().read_status(session)

    def check_connection(self, session: str, *, timeout_seconds: float | None = None) -> bool:
        self._wait()
        return super().check_connection(session, timeout_seconds=timeout_seconds)

    def _wait(self) -> None:
        if self.hanging is not None:
            self.hanging.wait()


class Fleet:
    """Fifty gateways in one process."""

    def __init__(self, directory: Path) -> None:
        self.clock, self.elapsed, self.most_threads = FakeClock(), Elapsed(), 0
        self.hanging = Hanging(self.elapsed)
        self.pool = CallPool(monotonic=self.elapsed)
        self.clients = [Client(self.elapsed) for _ in range(GATEWAYS)]
        exchange = MemoryExchange(directory / "snapshots", clock=self.clock)
        servers = [server_settings(*SESSIONS, name=f"gateway-{number}") for number in range(GATEWAYS)]
        self.watchers = [
            ServerWatcher(
                server,
                settings_of(*servers),
                client=client,
                exchange=exchange,
                history=History(directory / "history", clock=self.clock),
                holder="tests[1]",
                closed_by=lambda _server, _session: None,
                wake=lambda: None,
                now=self.clock,
                monotonic=self.elapsed,
            )
            for server, client in zip(servers, self.clients, strict=True)
        ]
        self.lanes = [(self.pool.lane(SHARED_LANE), self.pool.lane(1)) for _ in servers]

    def advance(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK_SECONDS)):
            for watcher, lanes in zip(self.watchers, self.lanes, strict=True):
                watcher.run_once(*lanes)
            self.pool.review()
            until(self._is_still, what="the end of the calls that are answered")
            self.most_threads = max(self.most_threads, self.pool.threads)
            self.elapsed.seconds += TICK_SECONDS
            self.clock.advance(TICK_SECONDS)
            self.hanging.release()

    def end(self) -> None:
        self.hanging.is_over = True
        self.pool.stop()
        self.hanging.release()
        assert self.pool.join(60)

    def _is_still(self) -> bool:
        """Return whether only calls that hang are in progress, and no other can start."""
        return self.pool.busy == self.hanging.count and not (self.pool._ready and self.pool._idle)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    fifty = Fleet(tmp_path)
    yield fifty
    fifty.end()


def longest_gap(client: Client, since: float) -> float:
    """Return the longest time without a probe of one of the gateway's sessions."""
    gaps = [0.0]
    for times in client.probed_at.values():
        later = [at for at in times if at >= since]
        gaps += [after - before for before, after in itertools.pairwise(later)]
    return max(gaps)


def test_gateways_that_hang_do_not_delay_the_others(fleet: Fleet) -> None:
    # Given fifty gateways, all probed every five seconds
    fleet.advance(10)
    assert fleet.most_threads <= THREADS
    began = fleet.elapsed()

    # When twenty of them stop answering
    for client in fleet.clients[:HANGING]:
        client.hanging = fleet.hanging
    fleet.advance(30)

    # Then the others keep their interval
    gaps = [longest_gap(client, since=began) for client in fleet.clients[HANGING:]]
    assert max(gaps) <= 5 + TICK_SECONDS + OVERDUE_SECONDS
    # And each of the twenty is down, at the cost of one thread at most
    assert [watcher.latest and watcher.latest.up for watcher in fleet.watchers[:HANGING]] == [False] * HANGING
    assert fleet.most_threads <= THREADS + HANGING
