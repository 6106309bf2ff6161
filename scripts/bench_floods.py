"""Measure whether requests are served while the exporter and the page are flooded with connections.

`scripts/bench.py` prints these figures with its own. The test suite fills the limits without a clock.
"""

from __future__ import annotations

import base64
import http.client
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import bcrypt

from scripts.figures import Figure
from simulator import Simulator
from tests.support.certificates import make_pair
from tests.support.live_core import FAST
from tests.support.processes import Process
from tests.support.stack import SECRET, SESSION, Stack, free_port, stack
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 20.0
EVERY = 0.1
IN_TIME = 1.0
ELSEWHERE = ("127.0.0.200", 0)
NAME, PASSWORD = "alice", "a password of wonderland"
FLOODS = {
    "one address": ["127.0.0.2"],
    "five addresses": [f"127.0.0.{number}" for number in range(2, 7)],
}

Ask = Callable[[], bool]


def of_floods() -> Iterator[Figure]:
    """Measure each server under floods from one address and from five; takes two and a half minutes."""
    with (
        Simulator(secret_key=SECRET, times=FAST, paired=[SESSION]) as gateway,
        tempfile.TemporaryDirectory() as folder,
        stack(
            gateway, Path(folder), Process, WPPCONNECT_SESSIONS=SESSION, WPPCONNECT_LOG_LEVEL="info"
        ) as product,
    ):
        plain = product.start_exporter()
        port = int(product.exporter_url.rpartition(":")[2])
        yield from flooded("scrapes", plain, port, lambda: is_served(plain_connection(port), "/metrics", {}))
        plain.stop()
        yield from of_protected_exporter(product, Path(folder))
        page = product.start_page()
        own = int(product.page_url.rpartition(":")[2])
        yield from flooded(
            "sign-in pages", page, own, lambda: is_served(plain_connection(own), "/sign-in", {})
        )


def of_protected_exporter(product: Stack, folder: Path) -> Iterator[Figure]:
    """Measure an exporter with TLS and a password under floods."""
    pair, config, port = make_pair(folder, "server"), folder / "web.yml", free_port()
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode()
    config.write_text(
        f"tls_server_config:\n  cert_file: {pair.certificate}\n  key_file: {pair.key}\n"
        f"basic_auth_users:\n  {NAME}: {hashed}\n"
    )
    process = product.start_program(
        "exporter.cli",
        EXPORTER_WEB_LISTEN_ADDRESS=f"127.0.0.1:{port}",
        EXPORTER_WEB_CONFIG_FILE=str(config),
    )
    trusting = ssl.create_default_context(cafile=str(pair.certificate))
    word = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()

    def scrape() -> bool:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=IN_TIME, source_address=ELSEWHERE, context=trusting
        )
        return is_served(connection, "/metrics", {"Authorization": f"Basic {word}"})

    until(scrape, what="the exporter with a password")
    yield from flooded("scrapes with TLS and password", process, port, scrape, "tls")
    process.stop()


def flooded(what: str, process: Process, port: int, ask: Ask, protocol: str = "http") -> Iterator[Figure]:
    """Measure requests, ten a second, under each flood."""
    for kind, addresses in FLOODS.items():
        command = [sys.executable, "-m", "scripts.flood", str(port), str(SECONDS), protocol, *addresses]
        memory_before, files, in_time = resident_mb(process), 0, []
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as flood:  # noqa: S603
            while flood.poll() is None:
                began = time.monotonic()
                in_time.append(ask() and time.monotonic() - began < IN_TIME)
                files = max(files, len(list(Path(f"/proc/{process.pid}/fd").iterdir())))
                with suppress(subprocess.TimeoutExpired):
                    flood.wait(max(0.01, began + EVERY - time.monotonic()))
            opened = flood.communicate()[0].strip()
        print(f"{what}, {kind}: {opened} connections opened, {in_time.count(False)} of {len(in_time)} late")
        late = 100 * in_time.count(False) / len(in_time)
        grown = resident_mb(process) - memory_before
        yield Figure(f"{what} not answered within 1 s, flood of {kind}", late, 1, "%")
        yield Figure(f"open files, {what}, flood of {kind}", files, 600, "")
        yield Figure(f"memory gained, {what}, flood of {kind}", grown, 60, "MB")


def plain_connection(port: int) -> http.client.HTTPConnection:
    """Return a connection from another address."""
    return http.client.HTTPConnection("127.0.0.1", port, timeout=IN_TIME, source_address=ELSEWHERE)


def is_served(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> bool:
    """Return whether one request is served in time, on a new connection."""
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def resident_mb(process: Process) -> float:
    """Return the resident memory of a process in MB."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


if __name__ == "__main__":
    for figure in of_floods():
        print(figure.line())
