"""Compare the processor time of one HTTP request with that of blackbox_exporter, both at once in one run.

Needs nginx, which answers as a gateway, and Debian's prometheus-blackbox-exporter:

    .venv/bin/python -m scripts.bench_blackbox
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.bench_scale import NAMES, connected, cpu_seconds, free_ports, gateways, save_settings, scrape
from scripts.figures import Figure
from tests.support.processes import Process
from tests.support.stack import await_health, free_port
from tests.support.waiting import until

SESSIONS = NAMES[:100]
INTERVAL_SECONDS = 5.0
BLACKBOX = "/usr/bin/prometheus-blackbox-exporter"
MODULES = """
modules:
  connected:
    prober: http
    http:
      headers: {Authorization: Bearer token}
      fail_if_body_not_matches_regexp: [Connected]
"""


def measure(blackbox: str, seconds: float) -> Iterator[Figure]:
    """Have both probe 100 sessions with two requests each every interval, as the older routes take."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        directory, ports = Path(folder), free_ports(1)
        gateway = f"http://127.0.0.1:{ports[0]}"
        stack.enter_context(gateways(directory, ports, "legacy"))
        save_settings(directory / "data", ports, SESSIONS)
        url, peer_url = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        (directory / "blackbox.yml").write_text(MODULES)
        listen = f"--web.listen-address={peer_url.removeprefix('http://')}"
        peer = subprocess.Popen([blackbox, f"--config.file={directory}/blackbox.yml", listen])  # noqa: S603
        stack.callback(peer.wait)
        stack.callback(peer.terminate)
        environ = {
            "PATH": os.environ["PATH"],
            "WPPCONNECT_DATA_DIR": str(directory / "data"),
            "EXPORTER_WEB_LISTEN_ADDRESS": url.removeprefix("http://"),
            "WPPCONNECT_LOG_LEVEL": "warning",
        }
        process = Process("exporter.cli", directory / "exporter.log", environ)
        stack.callback(process.kill)
        await_health(url, process)
        until(lambda: connected(scrape(url)) == len(SESSIONS), what="the first round")
        yield from compare(process.pid, peer.pid, gateway, peer_url, seconds)


def compare(pid: int, peer_pid: int, gateway: str, peer_url: str, seconds: float) -> Iterator[Figure]:
    """Return the processor time per request of both."""
    before = cpu_seconds(pid), cpu_seconds(peer_pid), requests_of(gateway)
    began, probed = time.monotonic(), 0
    with requests.Session() as client:
        while time.monotonic() < began + seconds:
            target = f"{gateway}/api/{SESSIONS[probed % len(SESSIONS)]}/check-connection-session"
            found = client.get(f"{peer_url}/probe", params={"module": "connected", "target": target})
            assert "\nprobe_success 1\n" in found.text, found.text  # noqa: S101 - else nothing is compared
            probed += 1
            wait_seconds = began + probed * INTERVAL_SECONDS / (2 * len(SESSIONS)) - time.monotonic()
            time.sleep(max(0.0, wait_seconds))
    own_requests = requests_of(gateway) - before[2] - probed - 1
    own = 1e6 * (cpu_seconds(pid) - before[0]) / own_requests
    other = 1e6 * (cpu_seconds(peer_pid) - before[1]) / probed
    print(f"{own_requests} requests of ours, {probed} of blackbox_exporter")
    yield Figure("processor for a request, 100 sessions", own, 750, "µs")
    yield Figure("processor for a request, blackbox_exporter", other, float("inf"), "µs")
    yield Figure("share of blackbox_exporter's", 100 * own / other, 40, "%")


def requests_of(gateway: str) -> int:
    """Return how many requests nginx has received, this one included."""
    text = requests.get(f"{gateway}/requests", timeout=60).text
    found = re.search(r"^ \d+ \d+ (\d+)", text, re.MULTILINE)
    assert found, text  # noqa: S101 - nginx's own page
    return int(found[1])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blackbox", default=BLACKBOX)
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    for figure in measure(arguments.blackbox, arguments.seconds):
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
