"""A simulator that runs inside the process of a test."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from simulator import auth
from simulator.faults import Fault, FaultKind
from simulator.listener import bind
from simulator.server import Options, Server
from simulator.timeline import MovableClock
from simulator.times import Times

T = TypeVar("T")
_LOOPBACK = "127.0.0.1"
_TIMEOUT_SECONDS = 60.0
_CHEAPEST_COST = 4


class Simulator:
    """Both listeners on free loopback ports, in a background thread. Thread-safe.

    `advance` moves its clock forward at once. With a `ManualClock` time passes only by `advance`. Without
    `version` it takes the release of the variable SIMULATOR_GATEWAY_VERSION, as the command does.
    """

    def __init__(
        self,
        *,
        secret_key: str | None = None,
        times: Times | None = None,
        sessions: Sequence[str] = (),
        paired: Sequence[str] = (),
        state_directory: Path | None = None,
        webhook_url: str | None = None,
        clock: MovableClock | None = None,
        version: str | None = None,
        body_limit: int | None = None,
        gateway_port: int = 0,
        phone_port: int = 0,
    ) -> None:
        version = version or os.environ.get("SIMULATOR_GATEWAY_VERSION")
        chosen: dict[str, Any] = {
            "clock": clock,
            "times": times,
            "body_limit": body_limit,
            "version": version,
        }
        self._options = Options(
            secret_key=secret_key,
            sessions=sessions,
            paired=paired,
            state_directory=state_directory,
            webhook_url=webhook_url,
            **{key: value for key, value in chosen.items() if value is not None},
        )
        self._ports = gateway_port, phone_port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Server | None = None
        self._done: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self.url = ""
        """The gateway's base URL."""
        self.control_url = ""
        """The base URL of the control API and the phone page."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start both listeners; they accept connections when this returns."""
        sockets = [bind(_LOOPBACK, self._ports[0])]
        try:
            sockets.append(bind(_LOOPBACK, self._ports[1]))
        except OSError:
            sockets[0].close()
            raise
        self.url, self.control_url = (f"http://{_LOOPBACK}:{one.getsockname()[1]}" for one in sockets)
        is_ready = threading.Event()

        async def live() -> None:
            try:
                self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
                self._server = Server(self._options, *sockets)
                await self._server.start()
            except BaseException as failure:
                self._failure = failure
                raise
            finally:
                is_ready.set()
            await self._done.wait()
            await self._server.stop()

        self._thread = threading.Thread(target=lambda: asyncio.run(live()), name="simulator", daemon=True)
        self._thread.start()
        is_ready.wait(_TIMEOUT_SECONDS)
        if self._failure is not None:
            raise RuntimeError("the simulator did not start") from self._failure

    def stop(self) -> None:
        """Stop everything, including hanging requests. May be called twice."""
        if self._thread is None or self._loop is None or self._done is None:
            return
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(_TIMEOUT_SECONDS)
        self._thread = self._loop = None

    @property
    def secret_key(self) -> str:
        """The gateway's present secret."""
        return self._running.gateway.secret_key

    def token(self, session: str, cost: int = _CHEAPEST_COST) -> str:
        """Return a bearer token created here, by default at the lowest bcrypt cost."""
        return auth.create_token(session, self.secret_key, cost)

    def advance(self, seconds: float) -> None:
        """Move the clock forward and run the timers that fall due."""
        self._call(lambda: self._running.advance(seconds))

    def scan(self, session: str, urlcode: str | None = None) -> None:
        """Scan the current QR code, or the one of `urlcode`. Raise RefusedError if the phone rejects it."""
        self._act(lambda server: server.phones.scan(session, urlcode))

    def enter_code(self, session: str, code: str) -> None:
        """Type a pairing code. Raise RefusedError if it is not the current one."""
        self._act(lambda server: server.phones.enter_code(session, code))

    def unlink(self, session: str) -> None:
        """Remove the device on the phone."""
        self._act(lambda server: server.phones.unlink(session))

    def lose_network(self, session: str) -> None:
        """Cut the page's connection to WhatsApp."""
        self._act(lambda server: server.phones.lose_network(session))

    def restore_network(self, session: str) -> None:
        """Undo `lose_network`."""
        self._act(lambda server: server.phones.restore_network(session))

    def freeze(self, session: str) -> None:
        """Freeze the page."""
        self._act(lambda server: server.phones.freeze(session))

    def unfreeze(self, session: str) -> None:
        """Undo `freeze`."""
        self._act(lambda server: server.phones.unfreeze(session))

    def crash(self, session: str) -> None:
        """Crash the page."""
        self._act(lambda server: server.phones.crash(session))

    def kill_browser(self, session: str) -> None:
        """Kill the browser process."""
        self._act(lambda server: server.phones.kill_browser(session))

    def pair(self, session: str) -> None:
        """Connect the session at once."""
        self._act(lambda server: server.phones.pair(session))

    def link(self, session: str) -> None:
        """Store a pairing in the profile of a session that does not run."""
        self._act(lambda server: server.phones.link(session))

    def create(self, session: str) -> None:
        """Write a token file, as a session that was started once."""
        self._act(lambda server: server.phones.create(session))

    def message(self, session: str) -> None:
        """Deliver a message to the session."""
        self._act(lambda server: server.phones.message(session))

    def state(self, session: str) -> dict[str, Any]:
        """Return one session as in the control API."""
        return self._act(lambda server: server.phones.state(session))

    def urlcode(self, session: str) -> str | None:
        """Return the current QR code that can be scanned, if any."""
        urlcode: str | None = self.state(session)["urlcode"]
        return urlcode

    def pairing_code(self, session: str) -> str | None:
        """Return the current pairing code that can be typed, if any."""
        code: str | None = self.state(session)["pairing_code"]
        return code

    def restart_gateway(self) -> None:
        """End the gateway process and start it on the same port."""
        self._run(self._running.restart_gateway())

    def change_release(self, version: str) -> None:
        """End the gateway process and start another release on the same port."""
        self._run(self._running.change_release(version))

    def stop_gateway(self) -> None:
        """End the gateway process."""
        self._run(self._running.stop_gateway())

    def start_gateway(self) -> None:
        """Start the gateway process again on the same port."""
        self._run(self._running.start_gateway())

    @property
    def is_gateway_running(self) -> bool:
        """Whether the gateway accepts connections."""
        return self._call(lambda: self._running.is_gateway_running)

    def change_secret(self, secret_key: str) -> None:
        """Change the secret, which invalidates every token."""

        def change() -> None:
            self._running.gateway.secret_key = secret_key

        self._call(change)

    def set_fault(
        self, kind: str, *, session: str | None = None, endpoint: str | None = None, word: str = "WEIRD"
    ) -> None:
        """Activate a fault, for all or for one session or endpoint (the route's last word)."""
        fault = Fault(FaultKind(kind), session, endpoint, word)
        self._act(lambda server: server.add_fault(fault))

    def clear_faults(self) -> None:
        """Deactivate all faults."""
        self._act(lambda server: server.clear_faults())

    def requests(self) -> dict[str, Any]:
        """Return counters and recent requests as in the control API."""
        return self._call(lambda: self._running.requests.as_json())

    def reset_requests(self) -> None:
        """Reset the counters of requests."""
        self._call(lambda: self._running.requests.reset())

    def events(self, channel: str | None = None) -> list[Any]:
        """Return the bodies of the events so far, of one channel ("webhook", "socket.io") or of both."""
        return self._act(
            lambda server: [event.body for event in server.webhooks.sent if channel in (None, event.channel)]
        )

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("the simulator is not started")
        return self._server

    def _act(self, action: Callable[[Server], T]) -> T:
        def act() -> T:
            self._running.gateway.catch_up()
            return action(self._running)

        return self._call(act)

    def _call(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return self._run(call())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise RuntimeError("the simulator is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_TIMEOUT_SECONDS)
