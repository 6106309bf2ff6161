"""The product's core against the simulator, in memory and without sockets: time passes only by `advance`."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from operating import FakeStop
from watched_gateway import SERVER, Elapsed, FakeLane, MemoryExchange

from core.exceptions import ConnectError, RequestTimeoutError, StoreError
from core.gateways.protocol import Gateway
from core.gateways.wppconnect.contract.waits import WppconnectWaits
from core.gateways.wppconnect.gateway import WppconnectGateway
from core.gateways.wppconnect.tokens.cache import TokenCache
from core.messages import Message
from core.models import HistoryEntry, Outcome, ServerSnapshot, SessionSnapshot, Snapshot
from core.monitor.monitor import Monitor
from core.operation_status import OperationStatus
from core.operations.operations import Operations
from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from core.settings.values import ServerSettings, Settings
from core.store import HistoryLog, Store
from core.store.coordination import OneMachine
from core.transport import Answer
from simulator.auth import BcryptWorker
from simulator.express import Request, not_found
from simulator.gateway import Gateway as SimulatedGateway
from simulator.phone import Phones
from simulator.routes import Routes
from simulator.timeline import ManualClock, Timeline
from simulator.times import Times
from tests.fakes import FakeClock
from tests.support.engines import Engine

SECRET = "a-secret-for-tests-of-32-bytes!!"
TICK_SECONDS = 0.5


class InlineBcrypt(BcryptWorker):
    """Computes hashes in the thread that asks."""

    def __init__(self) -> None:
        """Start no thread."""

    async def run(self, function: Callable[[], Any]) -> Any:
        return function()


class HeldTransport:
    """A `Transport` to the simulator's routes.

    A call of a person moves the clock until it is answered; one of a probe takes no time, and times out at
    once if it is not answered then.
    """

    def __init__(self, world: HeldWorld, *, is_for_people: bool) -> None:
        self._world = world
        self._is_for_people = is_for_people
        self.took = 0.0
        """How long the calls since it was last set to 0 would have taken."""

    def request(
        self,
        method: str,
        route: str,
        *,
        path: Mapping[str, str],
        operation: str,
        timeout_seconds: float,
        headers: Mapping[str, str] | None = None,
        json_body: Any = None,
        session: str | None = None,
        **_: Any,
    ) -> Answer:
        world = self._world
        self.took += 0.01
        if not world.is_gateway_running:
            raise ConnectError(Message("transport.refused"), operation=operation, session=session)
        for name, value in path.items():
            route = route.replace(f"{{{name}}}", quote(value, safe=""))
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        request = Request(method, route, {}, sent, json_body or {})
        task = world.loop.create_task(world.answer(request))
        world.spin()
        ends = world.elapsed() + timeout_seconds
        while self._is_for_people and not task.done() and world.elapsed() < ends:
            world.advance(TICK_SECONDS)
            world.spin()
        if not task.done():
            task.cancel()
            world.spin()
            self.took += 0.0 if self._is_for_people else timeout_seconds
            raise RequestTimeoutError(Message("transport.timeout"), operation=operation, session=session)
        response = task.result()
        return Answer(response.status, response.content_type or "", response.content, operation, session)

    def close(self) -> None:
        """Nothing is open."""


class HeldExchange(MemoryExchange):
    """Keeps requests for attention in memory, too."""

    def __init__(self, directory: Path, *, clock: FakeClock) -> None:
        super().__init__(directory, clock=clock)
        self._watched: dict[str, Any] = {}

    def ask_attention(self, server: str, session: str, until: Any) -> None:
        self._watched[session] = until

    def attention(self, server: str) -> dict[str, Any]:
        return {name: until for name, until in self._watched.items() if until > self._clock()}


class HeldMonitor(Monitor):
    """Reads the prober of the world; waiting makes the world's time pass."""

    world: HeldWorld

    def snapshot(self) -> Snapshot:
        settings = self._settings.current()
        (configured,) = settings.servers
        server = self._aged(self.world.published(), configured, settings)
        return Snapshot(taken_at=self._now(), settings_revision=settings.revision, servers=(server,))

    def hint(self, server: str, session: str) -> None:
        self.world.watcher.hint(session)

    def wait_for(
        self,
        server: str,
        session: str,
        condition: Callable[[SessionSnapshot], bool],
        *,
        timeout_seconds: float,
        stop: threading.Event,
    ) -> SessionSnapshot | None:
        ends = self.world.elapsed() + timeout_seconds
        while self.world.elapsed() < ends:
            self.watch(server, session)
            found = self.snapshot().session(server, session)
            if found is not None and condition(found):
                return found
            self.world.advance(TICK_SECONDS)
        return None


class HeldStop(FakeStop):
    """Waiting for the end of the process makes the world's time pass."""

    world: HeldWorld

    def wait(self, timeout: float | None = None) -> bool:
        self.world.advance(timeout or 0.0)
        return self.is_set()


class FailingLog:
    """The history of an engine, whose disk or database can be full."""

    is_full = False

    def __init__(self, log: HistoryLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def append(self, *entries: HistoryEntry) -> None:
        if self.is_full:
            raise StoreError("cannot add to the history: no space left on device")
        self._log.append(*entries)


class HeldWorld:
    """One gateway and its phones, one process of ours on an engine's store."""

    def __init__(self, engine: Engine, folder: Path, *sessions: str) -> None:
        self.sessions = sessions
        self._engine = engine
        self._folder = folder
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.elapsed = Elapsed()
        self._simulated = ManualClock()
        timeline = Timeline(self._simulated)
        self.gateway = SimulatedGateway(timeline, Times(), lambda _: None, secret_key=SECRET)
        self.phones = Phones(self.gateway)
        self.requested: set[str] = set()
        """The endpoints that were asked for."""
        self.is_gateway_running = True
        self.when_time_passed: Callable[[float], None] = lambda _: None
        self._routes = Routes(self.gateway, InlineBcrypt(), lambda: None)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._processes = 0
        environment = {
            "WPPCONNECT_URL": "http://127.0.0.1:21465",
            "WPPCONNECT_SECRET_KEY": SECRET,
            "WPPCONNECT_SESSIONS": ",".join(sessions),
            "WPPCONNECT_DATA_DIR": str(folder),
        }
        self.environment = load_environment(environment)
        self.exchange = HeldExchange(folder / "snapshots", clock=self.clock)
        self.coordination = OneMachine(folder, clock=self.clock)
        self.coordination.exchange = self.exchange
        self.begin_process()

    def begin_process(self) -> None:
        """Begin as a process that has just been started, after the end of the earlier one."""
        self._processes += 1
        self.is_process_running = True
        self.store: Store = self._engine.store()
        self.history: Any = FailingLog(self._engine.history(clock=self.clock))
        self.settings = SettingsSource(
            self.environment, self.store, clock=self.clock, record=self.history.append
        )
        self.monitor = HeldMonitor(
            self.settings,
            coordination=self.coordination,
            history=self.history,
            lock_directory=self._folder / "locks",
            client=self._client_for_probes,
            holder=self._holder,
            closed_by=lambda server, session: self.operations.closed_by(server, session),
            linking_events=lambda server, session: self.operations.linking_events(server, session),
            now=self.clock,
            monotonic=self.elapsed,
        )
        stop = HeldStop(self.clock, self.elapsed)
        self.monitor.world = stop.world = self
        self.operations = Operations(
            settings=self.settings,
            store=self.store,
            history=self.history,
            monitor=self.monitor,
            client=lambda server, settings: self._client(server, settings, is_for_people=True),
            locks=self.coordination.locks,
            holder=self._holder,
            waits=WppconnectWaits(),
            now=self.clock,
            monotonic=self.elapsed,
            stop=stop,
        )
        self._begin_probing()

    def end_process(self) -> None:
        """End what was begun, as a kill does: nothing more is written."""
        self.is_process_running = False
        self.store.close()

    def close(self) -> None:
        """Release everything."""
        self.end_process()
        self.loop.close()

    def advance(self, seconds: float) -> None:
        """Let time pass: timers fall due, phones act, sessions are probed."""
        ends = self.elapsed() + seconds
        while (left := ends - self.elapsed()) > 1e-6:
            step = min(TICK_SECONDS, left)
            self.clock.advance(step)
            self.elapsed.seconds += step
            self._simulated.move_to(self._simulated() + step)
            self.gateway.catch_up()
            while self._events and self._events[0][0] <= self.elapsed():
                heapq.heappop(self._events)[2]()
            self.probe()
            self.when_time_passed(step)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Have something happen while time passes."""
        heapq.heappush(self._events, (self.elapsed() + seconds, next(self._numbers), action))

    def probe(self) -> None:
        """Run the prober once; with other settings, a new one."""
        if not self.is_process_running:
            return
        if self.settings.current().revision != self._revision:
            self._begin_probing()
        self.watcher.run_once(self._shared, self._slow)
        self._shared.work()
        self._slow.work()

    def outcome(self, begun: OperationStatus) -> Outcome:
        """Wait for the thread of an operation, which makes time pass meanwhile."""
        return self.operations._launcher.outcome(begun)

    def restart_gateway(self, seconds_down: float) -> None:
        """End the gateway's process and start it a little later."""
        self.gateway.stop_process()
        self.is_gateway_running = False

        def start() -> None:
            self.is_gateway_running = True
            self.gateway.start_process()

        self.later(seconds_down, start)

    def published(self) -> ServerSnapshot:
        """Return what the prober published."""
        found = self.exchange.read(SERVER)
        assert found is not None
        return found

    def session(self, name: str) -> SessionSnapshot:
        """Return what the page and the exporter know of a session."""
        found = self.monitor.snapshot().session(SERVER, name)
        assert found is not None
        return found

    async def answer(self, request: Request) -> Any:
        """Answer a request as the simulator does."""
        self.gateway.catch_up()
        found = self._routes.find(request.method, request.path)
        if found is None:
            return not_found(request)
        route, parameters = found
        self.requested.add(route.endpoint)
        return await route.handler(request, parameters)

    def spin(self) -> None:
        """Run what is ready on the event loop."""
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    @property
    def _holder(self) -> str:
        return f"tests[{self._processes}]"

    def _begin_probing(self) -> None:
        settings = self.settings.current()
        (server,) = settings.servers
        client = self._client_for_probes(server, settings)
        transport: Any = client._transport
        self._revision = settings.revision
        self.watcher = self.monitor._make_watcher(server, settings, client, self.history)
        self.watcher._state.record_start()
        self._shared = FakeLane(3, transport, self.elapsed)
        self._slow = FakeLane(1, transport, self.elapsed)
        self.probe()

    def _client_for_probes(self, server: ServerSettings, settings: Settings) -> Gateway:
        return self._client(server, settings, is_for_people=False)

    def _client(self, server: ServerSettings, settings: Settings, *, is_for_people: bool) -> Gateway:
        transport: Any = HeldTransport(self, is_for_people=is_for_people)
        return WppconnectGateway(
            server,
            transport=transport,
            tokens=TokenCache(
                server,
                transport=transport,
                store=self.store,
                lock_directory=self._folder / "locks",
                timeouts=settings.timeouts,
            ),
            timeouts=settings.timeouts,
        )
