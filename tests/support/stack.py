"""The product as its users run it: the real commands as processes, beside a simulated gateway."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

from core.models import SessionSnapshot, Verdict
from core.operation_status import Step
from core.operations.record import read_status
from core.snapshot import SnapshotExchange
from core.store import FileStore
from simulator import Simulator
from tests.plugins.leaks import inspect, keep_secret
from tests.support import quick_page
from tests.support.exposition import samples
from tests.support.moved_clock import MovedClock
from tests.support.processes import ROOT, Fork, Process
from tests.support.secrets import keep_secrets_of
from tests.support.waiting import until

SECRET = "a-secret-for-tests-of-32-bytes!!"
SESSION = "leguas_wppconnect"
PASSWORD = "correct horse battery"
PAIRING_LINK = re.compile(r"http://\S+/sign-in/link#\S+")


class Stack:
    """Exporter and page on one data directory."""

    def __init__(
        self, simulator: Simulator, directory: Path, program: type[Process] = Fork, /, **changes: str
    ) -> None:
        self.simulator = simulator
        self._program = program
        self.directory = directory
        self.data = directory / "data"
        self._changes = changes
        self._clock_file = directory / "clock"
        self._processes: list[Process] = []
        self.exporter_url = ""
        self.page_url = ""
        self.page_process: Process | None = None

    def start_exporter(self, *, port: int | None = None) -> Process:
        """Start the exporter and wait until it answers."""
        port = port or free_port()
        self.exporter_url = f"http://127.0.0.1:{port}"
        process = self.start_program("exporter.cli", EXPORTER_WEB_LISTEN_ADDRESS=f"127.0.0.1:{port}")
        await_health(self.exporter_url, process)
        return process

    def start_page(self, package: str = "dashboard.cli") -> Process:
        """Start the page and wait until it answers; again on its port, when it ran before."""
        port = self.page_url.rpartition(":")[2] or str(free_port())
        self.page_url = f"http://127.0.0.1:{port}"
        process = self.start_program(
            package, DASHBOARD_LISTEN_ADDRESS=f"127.0.0.1:{port}", DASHBOARD_PRINT_LINK="1"
        )
        self.page_process = process
        await_health(self.page_url, process)
        return process

    def first_link(self, page: Process) -> str:
        """The one-time link with which the administrator sets a password."""
        found = until(lambda: PAIRING_LINK.search(page.printed()), what="the one-time link")
        assert found is not None
        return found.group()

    def metric(self, sample: str) -> str | None:
        """The value of one sample on the exporter, or None when it is not there."""
        value = samples(requests.get(f"{self.exporter_url}/metrics", timeout=60).text).get(sample)
        return None if value is None else f"{value:.15g}"

    def connected(self, session: str = SESSION) -> str | None:
        """`session_connected` of a session."""
        return self.metric(f'wppconnect_session_connected{{server="main",session="{session}"}}')

    def seen(self, session: str = SESSION) -> SessionSnapshot | None:
        """The session as whoever probes it has published it."""
        server = SnapshotExchange(self.data / "snapshots").read("main")
        return next((one for one in server.sessions if one.session == session), None) if server else None

    def lose_the_phone(self, session: str = SESSION) -> None:
        """Begin an outage: the session was connected, and its phone is unlinked."""
        self.simulator.pair(session)
        until(lambda: self._is(session, Verdict.CONNECTED), what="a connected session")
        self.simulator.unlink(session)
        until(lambda: self._is(session, Verdict.DISCONNECTED), what="the outage")

    def advance(self, seconds: float) -> None:
        """Move on the clock of `quick_page`, then the gateway's: no end of a code comes early to the page."""
        MovedClock(self._clock_file).advance(seconds)
        self.simulator.advance(seconds)

    def expire_code(self, session: str = SESSION) -> None:
        """Let the code that the page follows come to its end."""
        store = FileStore(self.data / "store")

        def is_followed() -> bool:
            status = read_status(store, "main", session)
            return status is not None and status.step in (Step.WAITING_FOR_SCAN, Step.WAITING_FOR_CODE_ENTRY)

        until(is_followed, what="a code that is followed")
        self.advance(quick_page.AUTO_CLOSE_SECONDS)

    def look_for_leaks(self) -> None:
        """Hand over what this run used, and everything that it let anybody read."""
        keep_secrets_of(self.simulator, self.data)
        keep_secret("password", [PASSWORD])
        keep_secret("secret key", [SECRET, self._changes.get("WPPCONNECT_SECRET_KEY")])
        keep_secret("token", [self._changes.get("WPPCONNECT_TOKEN")])
        for process in self._processes:
            inspect(process.log.name, process.printed())
        for url in filter(None, (self.exporter_url, self.page_url)):
            for path in ("/", "/metrics", "/no-such-page", "/sign-in"):
                inspect(path, self._read(url + path))

    def stop(self) -> None:
        """End every process."""
        for process in self._processes:
            if process.is_running:
                process.kill()

    def _is(self, session: str, verdict: Verdict) -> bool:
        found = self.seen(session)
        return found is not None and found.verdict == verdict

    @staticmethod
    def _read(url: str) -> str:
        try:
            return requests.get(url, timeout=60).text
        except requests.ConnectionError:
            return ""  # The test ended this process.

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which every program of ours is started."""
        return {
            "WPPCONNECT_URL": self.simulator.url,
            "WPPCONNECT_SECRET_KEY": self.simulator.secret_key,
            "WPPCONNECT_SESSIONS": SESSION,
            "WPPCONNECT_DATA_DIR": str(self.data),
            "WPPCONNECT_LOG_LEVEL": "debug",
            quick_page.CLOCK_FILE: str(self._clock_file),
        } | self._changes

    def start_program(self, package: str, **changes: str) -> Process:
        """Start one of our programs and do not wait for it."""
        inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        environ = inherited | {"PYTHONPATH": str(ROOT)} | self.environment | changes
        log = self.directory / f"{package}-{len(self._processes)}.log"
        process = self._program(package, log, environ)
        self._processes.append(process)
        return process


@contextmanager
def stack(
    simulator: Simulator, directory: Path, program: type[Process] = Fork, /, **changes: str
) -> Iterator[Stack]:
    """Run the product until the test ends."""
    running = Stack(simulator, directory, program, **changes)
    try:
        yield running
    finally:
        running.look_for_leaks()
        running.stop()


def await_health(url: str, process: Process) -> None:
    """Wait until a process answers its health check."""

    def answers() -> bool:
        assert process.is_running, process.printed()
        try:
            return requests.get(f"{url}/-/healthy", timeout=60).status_code == 200
        except requests.RequestException:
            return False

    until(answers, what=f"an answer of {url}")


_ports = threading.Lock()


def free_port() -> int:
    """Find a loopback port that nobody listens on, among those that no program gets which asks for any."""
    import random
    import socket

    # Not the module's own numbers: each test begins with the same ones, in every process of a run.
    any_number = random.SystemRandom()
    with _ports:
        while True:
            port = any_number.randrange(10_000, 30_000)
            with suppress(OSError), socket.create_server(("127.0.0.1", port)):
                return port
