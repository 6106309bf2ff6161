"""The complete simulator on an event loop: gateway, phones, both listeners, and their clock."""

import asyncio
import logging
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulator.application import GatewayApplication
from simulator.auth import BcryptWorker
from simulator.browser import Launch
from simulator.control import control_application
from simulator.faults import PROFILE_KINDS, Fault, FaultKind, Faults
from simulator.gateway import Gateway
from simulator.listener import Listener, bind
from simulator.phone import Phones, RefusedError
from simulator.request_log import RequestLog
from simulator.routes import Routes
from simulator.state_folder import StateFolder
from simulator.timeline import ManualClock, MovableClock, RunningClock, Timeline
from simulator.times import Times
from simulator.webhooks import Webhooks

_SAVE_SECONDS = 0.25
_GOODBYE_SECONDS = 0.05  # for the 503 of /unhealthy to leave before the connection is cut
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """The options of a simulator."""

    secret_key: str | None = None
    """Random when None."""
    times: Times = field(default_factory=Times)
    sessions: Sequence[str] = ()
    """Sessions with a token file that do not run."""
    paired: Sequence[str] = ()
    """Sessions that are connected from the start."""
    state_directory: Path | None = None
    """Where token files and pairings are kept after the simulator's end; None: they are lost."""
    webhook_url: str | None = None
    version: str = "2.10.4"
    """Releases later than 2.10.16 offer the manager protocol."""
    body_limit: int = 50 * 1024 * 1024
    clock: MovableClock = field(default_factory=RunningClock)


class Server:
    """Everything behind the two sockets. It runs on one event loop and needs no locks."""

    def __init__(self, options: Options, gateway_socket: socket.socket, phone_socket: socket.socket) -> None:
        self._options = options
        self._gateway_socket = gateway_socket
        self._phone_socket = phone_socket
        self._gateway_address: tuple[str, int] = gateway_socket.getsockname()[:2]
        self.timeline = Timeline(options.clock)
        self.webhooks = Webhooks()
        self.requests = RequestLog()
        self.faults = Faults()
        self.gateway = Gateway(
            self.timeline,
            options.times,
            self.webhooks.announce,
            secret_key=options.secret_key or secrets.token_urlsafe(24),
            version=options.version,
            webhook_url=options.webhook_url,
        )
        self.phones = Phones(self.gateway)
        self._worker = BcryptWorker()
        routes = Routes(self.gateway, self._worker, self._exit_process)
        application = GatewayApplication(
            routes,
            self.faults,
            self.requests,
            body_limit=options.body_limit,
            drip_seconds=options.times.drip,
        )
        self._gateway_listener = Listener(application)
        self._phone_listener = Listener(control_application(self))
        self._alarm: asyncio.TimerHandle | None = None
        self._exit: asyncio.Task[None] | None = None
        self._saving: asyncio.Task[None] | None = None
        self._folder = StateFolder(options.state_directory) if options.state_directory else None

    @property
    def is_gateway_running(self) -> bool:
        """Whether the gateway accepts connections."""
        return self._gateway_listener.is_listening

    async def start(self) -> None:
        """Start both listeners. `Options.sessions` do not run yet, `Options.paired` are connected."""
        self.timeline.when_set = self._set_alarm
        if self._folder is not None:
            if self._folder.load(self.gateway):
                self.gateway.start_process()
            self._saving = asyncio.create_task(self._keep_saving(self._folder))
        for name in self._options.sessions:
            self.gateway.token_files.write(name, {})
        for name in self._options.paired:
            self.phones.pair(name)
        await self._gateway_listener.start(self._gateway_socket)
        await self._phone_listener.start(self._phone_socket)

    async def stop(self) -> None:
        """Stop everything at once."""
        await self._gateway_listener.stop()
        await self._phone_listener.stop()
        if self._saving is not None and self._folder is not None:
            self._saving.cancel()
            self._folder.save(self.gateway)
        self.gateway.stop_process()
        if self._alarm is not None:
            self._alarm.cancel()
        if self._exit is not None:
            self._exit.cancel()
        self._worker.stop()
        self.webhooks.stop()

    async def stop_gateway(self) -> None:
        """End the gateway process; connections are refused then."""
        await self._gateway_listener.stop()
        self.gateway.stop_process()

    async def start_gateway(self) -> None:
        """Start the gateway process on the same port, with empty memory."""
        if self.is_gateway_running:
            return
        try:
            bound = bind(*self._gateway_address)
        except OSError as error:
            raise RefusedError(f"The gateway's port is taken: {error.strerror}.") from None
        self.gateway.start_process()
        await self._gateway_listener.start(bound)

    async def restart_gateway(self) -> None:
        """End the gateway process and start it on the same port."""
        await self.stop_gateway()
        await self.start_gateway()

    async def change_release(self, version: str) -> None:
        """Restart the gateway as another release, as an upgrade or a downgrade does."""
        await self.stop_gateway()
        self.gateway.version = version
        await self.start_gateway()

    def advance(self, seconds: float) -> None:
        """Move the clock forward and run the timers that fall due."""
        clock = self._options.clock
        clock.move_to(clock() + seconds)
        self.gateway.catch_up()
        self._set_alarm()

    def add_fault(self, fault: Fault) -> None:
        """Activate a fault. Raise RefusedError if its kind needs a session and none is given."""
        if fault.kind in PROFILE_KINDS:
            if fault.session is None:
                raise RefusedError(f"The fault {fault.kind.value} needs a session.")
            profile = self.gateway.profile(fault.session)
            match fault.kind:
                case FaultKind.LAUNCH_ERROR:
                    profile.launch = Launch.FAILS
                case FaultKind.LAUNCH_TIMEOUT:
                    profile.launch = Launch.TIMES_OUT
                case FaultKind.SPURIOUS_DISCONNECT:
                    profile.is_spurious = True
                case FaultKind.SYNC_FAILURE:
                    profile.fails_to_sync = True
                case FaultKind.PASSKEY:
                    profile.asks_for_passkey = True
                case FaultKind.SILENT_CODE_ROTATION:
                    profile.rotates_silently = True
                case FaultKind.LID_ACCOUNT:
                    profile.has_number = False
        self.faults.add(fault)

    def clear_faults(self) -> None:
        """Deactivate all faults."""
        self.faults.clear()
        for profile in self.gateway.profiles.values():
            profile.launch, profile.has_number = Launch.WORKS, True
            profile.is_spurious = profile.fails_to_sync = profile.rotates_silently = False
            profile.asks_for_passkey = False

    async def _keep_saving(self, folder: StateFolder) -> None:
        while True:
            folder.save(self.gateway)
            await asyncio.sleep(_SAVE_SECONDS)

    def _exit_process(self) -> None:
        async def exit_soon() -> None:
            await asyncio.sleep(_GOODBYE_SECONDS)
            await self.stop_gateway()

        self._exit = asyncio.get_running_loop().create_task(exit_soon())

    def _set_alarm(self) -> None:
        """Wake up at the next timer, for webhooks and pending responses. No-op with a manual clock."""
        if isinstance(self._options.clock, ManualClock):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        seconds = self.timeline.seconds_to_next()
        if seconds is not None:
            self._alarm = asyncio.get_running_loop().call_later(seconds, self._ring)

    def _ring(self) -> None:
        try:
            self.timeline.advance()
        except Exception:  # noqa: BLE001  # the outermost edge of a timer: the next must still run
            _log.exception("timer_failed")
        self._set_alarm()
