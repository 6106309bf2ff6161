"""A gateway's client in memory, settings for it, and the parts that probe it, with clocks that only jump."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.exceptions import RequestTimeoutError, StoreError, WppconnectError
from core.gateways.protocol import Health, SessionStatus
from core.gateways.wppconnect.contract.answers import Device
from core.gateways.wppconnect.contract.manager import SessionStates
from core.gateways.wppconnect.gateway import WppconnectGateway
from core.models import HistoryEntry, ServerSnapshot, SessionSnapshot, SessionState
from core.monitor.healer import Restarts
from core.monitor.state import GatewayState
from core.monitor.watcher import ServerWatcher
from core.settings.values import ServerSettings, SessionSettings, Settings, Timeouts
from core.snapshot import SnapshotExchange
from core.store import History
from tests.fakes import FakeClock

SERVER = "main"


class FakeTokens:
    """What the prober asks of the token cache."""

    def __init__(self) -> None:
        self.token_cost = 4
        self.counted: dict[str, int] = {}
        self.renewed = 0
        self.error: Exception | None = None
        self.pauses_ended = 0

    def cost(self, session: str) -> int:
        return self.token_cost

    def end_pause(self) -> None:
        self.pauses_ended += 1

    def renewals(self, session: str) -> int:
        return self.renewed

    def failures(self, session: str) -> dict[str, int]:
        if self.error is not None:
            raise self.error
        return dict(self.counted)


class FakeManager:
    """What the prober asks of the manager protocol's client."""

    page = True

    def __init__(self, client: FakeClient) -> None:
        self._client = client
        self.is_offered: bool | None = None

    def read_release(self) -> str | None:
        self._client.calls["release"] += 1
        if self._client.manager_error is not None:
            raise self._client.manager_error
        self.is_offered = self._client.release is not None
        return self._client.release

    def serves_page(self) -> bool:
        return self.page

    def forget(self) -> None:
        self.is_offered = None


@dataclass
class FakePage:
    """One session on the gateway."""

    state: SessionState = SessionState.CONNECTED
    answers: bool = True
    answers_after_seconds: float = 0.0
    urlcode: str | None = None
    error: Exception | None = None
    errors: list[Exception] = field(default_factory=list)
    """Of the next questions only; then `error` counts."""


class FakeClient(WppconnectGateway):
    """The requests that a prober makes; each moves the monotonic clock of a call by what it would take."""

    def __init__(self, *sessions: str) -> None:
        self.server = server_settings(*sessions)
        self.tokens: Any = FakeTokens()
        self.manager: Any = FakeManager(self)
        self.pages = {name: FakePage() for name in sessions}
        self.health_error: WppconnectError | None = None
        self.health_errors: list[WppconnectError] = []
        """Of the next health checks only; then `health_error` counts."""
        self.health_seconds = 0.0
        self.uptime_seconds: float | None = 1000.0
        self.known: tuple[str, ...] | None = sessions
        self.listing_error: WppconnectError | None = None
        self.release: str | None = None
        """Of a gateway that offers the manager protocol."""
        self.manager_error: WppconnectError | None = None
        self.states_pause_seconds = 0.0
        self.default_is_accepted = False
        self.default_secret_error: WppconnectError | None = None
        self.device_error: WppconnectError | None = None
        self.own_number: str | None = "5511900000000"
        self.own_number_error: WppconnectError | None = None
        self.number_check_error: WppconnectError | None = None
        self.number_check_seconds = 0.2
        self.numbers_checked: list[str] = []
        self.calls: Counter[str] = Counter()
        self.took = 0.0
        """How long the calls since it was last set to 0 would have taken."""
        self.closed = threading.Event()

    def read_health(self) -> Health:
        self.calls["health"] += 1
        self.took += self.health_seconds
        error = self.health_errors.pop(0) if self.health_errors else self.health_error
        if error is not None:
            raise error
        return Health(uptime_seconds=self.uptime_seconds)

    def accepts_secret(self, secret: str) -> bool:
        self.calls["default secret"] += 1
        if self.default_secret_error is not None:
            raise self.default_secret_error
        return self.default_is_accepted

    def list_sessions(self) -> tuple[str, ...] | None:
        self.calls["listing"] += 1
        if self.listing_error is not None:
            raise self.listing_error
        return self.known

    def list_states(self) -> SessionStates | None:
        self.calls["states"] += 1
        if self.manager_error is not None:
            raise self.manager_error
        if self.release is None:
            return None
        states = {name: page.state for name, page in self.pages.items()}
        return SessionStates(states, self.states_pause_seconds)

    def read_status(self, session: str) -> SessionStatus:
        self.calls[f"status {session}"] += 1
        self.took += 0.01
        page = self.pages[session]
        error = page.errors.pop(0) if page.errors else page.error
        if error is not None:
            raise error
        return SessionStatus(page.state, page.urlcode, True, "2.10.4")

    def check_connection(self, session: str, *, timeout_seconds: float | None = None) -> bool:
        self.calls[f"{'quick' if timeout_seconds else 'patient'} {session}"] += 1
        page, budget = self.pages[session], timeout_seconds or 10.0
        self.took += min(page.answers_after_seconds, budget)
        if page.answers_after_seconds > budget:
            raise RequestTimeoutError("the page does not answer")
        return page.answers

    def read_device(self, session: str) -> Device:
        self.calls[f"device {session}"] += 1
        if self.device_error is not None:
            raise self.device_error
        return Device(platform="android", push_name="Front desk", phone_number="5511900000000")

    def read_own_number(self, session: str) -> str | None:
        self.calls[f"own number {session}"] += 1
        if self.own_number_error is not None:
            raise self.own_number_error
        return self.own_number

    def check_number(self, session: str, number: str) -> bool:
        self.calls[f"number check {session}"] += 1
        self.numbers_checked.append(number)
        self.took += self.number_check_seconds
        if self.number_check_error is not None:
            raise self.number_check_error
        return False

    def close(self) -> None:
        self.closed.set()


def server_settings(*sessions: str, paused: tuple[str, ...] = (), **fields: Any) -> ServerSettings:
    known = {"name": SERVER, "url": "http://127.0.0.1:21465", "secret_key": "a-secret"}
    configured = tuple(SessionSettings(name=name, enabled=name not in paused) for name in sessions)
    return ServerSettings(**(known | fields), sessions=configured)


def settings_of(*servers: ServerSettings, **fields: Any) -> Settings:
    return Settings(**({"revision": 1, "servers": servers, "timeouts": Timeouts()} | fields))


class FailingHistory(History):
    """A history on a disk that is full for a while."""

    is_full = False

    def append(self, *entries: HistoryEntry) -> None:
        if self.is_full:
            raise StoreError("cannot add to the history: no space left on device")
        super().append(*entries)


class MemoryExchange(SnapshotExchange):
    """An exchange whose snapshots stay in memory: a gateway publishes thousands of them while hours pass."""

    is_full = False

    def __init__(self, directory: Path, *, clock: FakeClock) -> None:
        super().__init__(directory, clock=clock)
        self._published: dict[str, ServerSnapshot] = {}

    def publish(self, snapshot: ServerSnapshot) -> None:
        if self.is_full:
            raise StoreError("cannot write the snapshot: no space left on device")
        self._published[snapshot.server] = snapshot

    def read(self, server: str) -> ServerSnapshot | None:
        return self._published.get(server)


class FailingExchange(SnapshotExchange):
    """An exchange on a disk that is full for a while."""

    is_full = False

    def publish(self, snapshot: ServerSnapshot) -> None:
        if self.is_full:
            raise StoreError("cannot write the snapshot: no space left on device")
        super().publish(snapshot)


@dataclass
class Elapsed:
    """Seconds that pass only when told, and inside a call as it says."""

    seconds: float = 100.0
    caller: FakeClient | None = None
    """Whose call is being made."""

    def __call__(self) -> float:
        return self.seconds + (self.caller.took if self.caller else 0.0)


@dataclass
class FakeLane:
    """A `Lane` with slots on the fake clock: a call keeps its slot for as long as the client says."""

    slots: int
    client: FakeClient
    elapsed: Elapsed
    _queue: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _order: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._free_at = [self.elapsed()] * self.slots

    def submit(self, call: Callable[[], None], *, priority: int = 1) -> None:
        heapq.heappush(self._queue, (priority, next(self._order), call))

    def work(self) -> None:
        """Begin what a free slot can take."""
        while self._queue and min(self._free_at) <= self.elapsed():
            _, _, call = heapq.heappop(self._queue)
            self.client.took, self.elapsed.caller = 0.0, self.client
            call()
            self.elapsed.caller = None
            self._free_at.remove(min(self._free_at))
            self._free_at.append(self.elapsed() + self.client.took)


class Probing:
    """Whoever probes a gateway, one turn after another, in no time."""

    def __init__(
        self,
        directory: Path,
        server: ServerSettings,
        client: FakeClient,
        *,
        holder: str = "tests[1]",
        clock: FakeClock | None = None,
        elapsed: Elapsed | None = None,
        restarts: Restarts | None = None,
        **settings: Any,
    ) -> None:
        self.server, self.settings = server, settings_of(server, **settings)
        self.client = client
        self.clock, self.elapsed = clock or FakeClock(), elapsed or Elapsed()
        self.history = FailingHistory(directory / "history")
        self.exchange = MemoryExchange(directory / "snapshots", clock=self.clock)
        self.closed_by: Any = None
        self.restarts = restarts
        self.directory = directory
        self.begin(holder)

    def begin(self, holder: str, *, is_ours: Callable[[str], bool] = lambda _server: True) -> None:
        """Begin as a process that has just got the lease; `is_ours`: which gateways it probes."""
        self.client.server = self.server
        self.watcher = ServerWatcher(
            self.server,
            self.settings,
            client=self.client,
            exchange=self.exchange,
            history=self.history,
            holder=holder,
            closed_by=lambda _server, _session: self.closed_by,
            restarts=self.restarts,
            is_ours=is_ours,
            wake=lambda: None,
            now=self.clock,
            monotonic=self.elapsed,
        )
        self.shared = FakeLane(3, self.client, self.elapsed)
        self.slow = FakeLane(1, self.client, self.elapsed)

    def advance(self, seconds: float, *, tick: float = 0.1) -> None:
        """Let time pass in ticks, as the monitor does."""
        for _ in range(max(1, round(seconds / tick))):
            self.run_once()
            self.elapsed.seconds += tick
            self.clock.advance(tick)
        self.run_once()

    def run_once(self) -> None:
        self.watcher.run_once(self.shared, self.slow)
        self.shared.work()
        self.slow.work()

    def session(self, name: str = "sales") -> SessionSnapshot:
        """What is published of a session."""
        return next(one for one in self.published().sessions if one.session == name)

    def published(self) -> ServerSnapshot:
        """What is published of the gateway."""
        published = self.exchange.read(SERVER)
        assert published is not None
        return published

    def transitions(self, name: str = "sales") -> list[tuple[object, object]]:
        entries = self.history.read(server=SERVER, session=name, kinds=["transition"])
        return [(entry.data["from"], entry.data["to"]) for entry in entries]


def ledger_of(
    directory: Path, server: ServerSettings, client: FakeClient, clock: FakeClock, **fields: Any
) -> GatewayState:
    """A ledger alone, for what it concludes."""
    known: dict[str, Any] = {
        "before": None,
        "history": FailingHistory(directory / "history"),
        "gateway": client,
        "holder": "tests[1]",
        "closed_by": lambda _server, _session: None,
        "now": clock,
    }
    return GatewayState(server, settings_of(server), **(known | fields))


def probing(directory: Path, *sessions: str, end_to_end_minutes: float = 0, **fields: Any) -> Probing:
    """Probe a gateway of these sessions, all of them connected."""
    server = server_settings(*sessions, end_to_end_minutes=end_to_end_minutes)
    return Probing(directory, server, FakeClient(*sessions), **fields)
