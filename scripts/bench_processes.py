"""Measure the processes: how fast they start, react to an event, take over, and end.

`scripts/bench.py` prints these figures with its own. The test suite checks the same without a clock.
"""

from __future__ import annotations

import http.client
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import bcrypt
import requests
from websockets.exceptions import ConnectionClosed

from core.logs import redact, register_secret
from scripts.figures import Figure
from simulator import Simulator, Times
from tests.support.gate_server import (
    cookie_of,
    create_administrator,
    hidden_fields,
    open_stream,
    read_for_ever,
    serving,
)
from tests.support.hostile import HOSTILE
from tests.support.live_core import FAST
from tests.support.processes import Process
from tests.support.stack import SECRET, SESSION, Stack, free_port, stack
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parent.parent
TIMES = 5
COMMANDS = {
    "wppconnect-ops": "cli.main",
    "wppconnect-exporter": "exporter.cli",
    "wppconnect-dashboard": "dashboard.cli",
    "wppconnect-simulator": "simulator.cli",
}
TOKEN = "a-token-of-the-webhook-4f1d"  # noqa: S105 - of this program alone
ALICE = ("alice", "a password of wonderland")
SESSIONS = [f"session-{number:03}" for number in range(200)]
FROZEN, HEALTHY = SESSIONS[::20], [name for number, name in enumerate(SESSIONS) if number % 20]


def of_processes() -> Iterator[Figure]:
    """Measure everything; takes a few minutes."""
    yield from of_commands()
    yield from of_redaction()
    yield from of_events()
    yield from of_silence()
    yield from of_passwords()
    yield from of_many_sessions()
    with watched("1") as product:
        exporter = product.start_exporter()
        address = urlsplit(product.exporter_url)
        idle = http.client.HTTPConnection(str(address.hostname), address.port)
        idle.request("GET", "/-/healthy")
        idle.getresponse().read()
        yield Figure("end of the exporter with a connection open", 1000 * seconds(exporter.stop), 2000, "ms")
        idle.close()
        exporter, page = product.start_exporter(), product.start_page()
        exporter.kill()
        product.simulator.reset_requests()
        took = seconds(lambda: until(lambda: product.simulator.requests()["counts"]))
        yield Figure("from the exporter's death to the page's probe", took, 15, "s")
        yield Figure("end of the page", 1000 * seconds(page.stop), 2000, "ms")


def of_commands() -> Iterator[Figure]:
    """Measure the start of a command that loads nothing."""
    for name, module in COMMANDS.items():
        start = f"import sys; from {module} import main; sys.exit(main())"
        command = [sys.executable, "-c", start, "--help"]

        def run(command: list[str] = command) -> object:
            return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)  # noqa: S603

        yield Figure(f"{name} --help, median", 1000 * median_of(run), 500, "ms")


def of_redaction() -> Iterator[Figure]:
    """Measure redaction of an ordinary log line and of hostile ones."""
    for number in range(30):
        register_secret(f"secret-number-{number}")
    line = "request method=GET route=/api/{session}/status-session server=main status=200 seconds=0.012"
    ordinary = seconds(lambda: [redact(line) for _ in range(1000)])
    yield Figure("redaction of an ordinary line", 1000 * ordinary, 500, "µs")
    worst = max(seconds(lambda text=text: redact(text)) for text in HOSTILE.values())  # type: ignore[misc]
    yield Figure("redaction of the most hostile line", 1000 * worst, 1000, "ms")


def of_events() -> Iterator[Figure]:
    """Measure from the gateway's webhook to the metric, without a probe in between."""
    port = free_port()
    webhook = f"http://127.0.0.1:{port}/webhook/{TOKEN}"
    with watched("300", webhook, EXPORTER_WEBHOOK_TOKEN=TOKEN) as product:
        product.start_exporter(port=port)
        gateway, took = product.simulator, []
        for _ in range(TIMES):
            gateway.pair(SESSION)
            until(lambda: product.connected() == "1")
            known = len(gateway.events("webhook"))
            gateway.unlink(SESSION)
            until(lambda before=known: len(gateway.events("webhook")) > before)  # type: ignore[misc]
            took.append(seconds(lambda: until(lambda: product.connected() == "0")))
        yield Figure("from the webhook to the metric, median", 1000 * statistics.median(took), 1000, "ms")


def of_silence() -> Iterator[Figure]:
    """Measure a session's page, then a gateway, that accepts every request and never responds."""
    with watched("1", WPPCONNECT_TIMEOUT_HEALTHZ_SECONDS="0.5") as product:
        product.start_exporter()
        until(lambda: product.connected() == "1")
        product.simulator.freeze(SESSION)
        ask = {"server": "main", "session": SESSION}
        patience = {"X-Prometheus-Scrape-Timeout-Seconds": "2"}
        took = seconds(
            lambda: requests.get(
                f"{product.exporter_url}/probe", ask, headers=patience, timeout=60
            ).raise_for_status()
        )
        yield Figure("/probe of a frozen page, of 2 s that it has", 1000 * took, 2000, "ms")
        product.simulator.set_fault("hang", endpoint="healthz")
        took = seconds(lambda: until(lambda: product.metric('wppconnect_up{server="main"}') == "0"))
        # An interval of 1 s and two timeouts of 0.5 s, doubled.
        yield Figure("from a gateway's silence to unreachable", took, 4, "s")


def of_passwords() -> Iterator[Figure]:
    """Measure scrapes with a password, of which only the first is hashed, and the end of a sign-in."""
    with watched("1") as product, tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "web.yml"
        hashed = bcrypt.hashpw(ALICE[1].encode(), bcrypt.gensalt(10)).decode()
        config.write_text(f"basic_auth_users:\n  alice: {hashed}\n")
        port = free_port()
        product.start_program(
            "exporter.cli",
            EXPORTER_WEB_LISTEN_ADDRESS=f"127.0.0.1:{port}",
            EXPORTER_WEB_CONFIG_FILE=str(config),
        )
        url = f"http://127.0.0.1:{port}"
        until(lambda: answers(f"{url}/-/healthy"))
        with requests.Session() as session:
            session.auth, session.trust_env = ALICE, False
            session.get(f"{url}/metrics", timeout=60).raise_for_status()
            took = median_of(lambda: session.get(f"{url}/metrics", timeout=60).raise_for_status(), times=50)
        yield Figure("scrape with a password, median", 1000 * took, 30, "ms")
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        person = create_administrator(server)
        form = hidden_fields(person.get(f"{server.url}/sign-out").text) | {"where": "here"}
        with open_stream(server, cookie_of(person), server.url) as stream:
            yield Figure(
                "sign-out", 1000 * seconds(lambda: person.post(f"{server.url}/sign-out", form)), 2000, "ms"
            )
            with suppress(ConnectionClosed):
                began = time.monotonic()
                read_for_ever(stream)
            took = time.monotonic() - began
        yield Figure("from the sign-out to the end of its websocket", 1000 * took, 2000, "ms")


def of_many_sessions() -> Iterator[Figure]:
    """Measure the probe intervals of 190 healthy sessions beside ten frozen ones."""
    seen: dict[str, set[float]] = defaultdict(set)
    with (
        Simulator(secret_key=SECRET, times=Times(scale=0.05, frozen_pend=60.0), paired=SESSIONS) as simulator,
        tempfile.TemporaryDirectory() as folder,
        stack(simulator, Path(folder), Process, WPPCONNECT_SESSIONS=",".join(SESSIONS)) as product,
    ):
        product.start_exporter()
        until(lambda: product.connected(SESSIONS[-1]) == "1")
        interval = float(product.metric('wppconnect_probe_interval_seconds{server="main"}') or "nan")
        for name in FROZEN:
            simulator.freeze(name)
        ends = time.monotonic() + 2 * interval + 2

        def is_over() -> bool:
            for request in simulator.requests()["recent"]:
                if request["route"].endswith("status-session"):
                    seen[request["session"]].add(request["time"])
            return time.monotonic() > ends

        until(is_over, seconds=4 * interval)
        connected = sum(product.connected(name) == "1" for name in HEALTHY)
    gaps = [after - before for name in HEALTHY for before, after in pairwise(sorted(seen[name])[1:])]
    yield Figure("healthy sessions not connected beside ten frozen ones", len(HEALTHY) - connected, 1, "")
    yield Figure(f"interval of {interval:.0f} s kept, median", statistics.median(gaps), 1.1 * interval, "s")
    # Waiting for ten frozen pages one after the other would take 30 s and more.
    yield Figure(f"interval of {interval:.0f} s kept, at most", max(gaps), interval + 10, "s")


@contextmanager
def watched(interval: str, webhook: str | None = None, **changes: str) -> Iterator[Stack]:
    """Run a paired session and the product's stack, whose programs are started on demand."""
    with (
        Simulator(secret_key=SECRET, times=FAST, paired=[SESSION], webhook_url=webhook) as gateway,
        tempfile.TemporaryDirectory() as folder,
        stack(
            gateway,
            Path(folder),
            Process,
            WPPCONNECT_SESSIONS=SESSION,
            WPPCONNECT_INTERVAL_SECONDS=interval,
            **changes,
        ) as product,
    ):
        gateway.pair(SESSION)
        yield product


def answers(url: str) -> bool:
    """Return whether a server responds without an error."""
    try:
        return requests.get(url, timeout=60).ok
    except requests.ConnectionError:
        return False


def seconds(act: Callable[[], object]) -> float:
    """Return the duration of one call."""
    began = time.monotonic()
    act()
    return time.monotonic() - began


def median_of(act: Callable[[], object], *, times: int = TIMES) -> float:
    """Return the median duration of several calls."""
    return statistics.median(seconds(act) for _ in range(times))
