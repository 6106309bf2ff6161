"""Measure one exporter that monitors many gateways. Needs nginx, which answers as the gateways.

`make bench` prints these figures with its own. Alone, with options:

    .venv/bin/python -m scripts.bench_scale --protocol legacy --hanging 20 --seconds 60
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import requests

sys.path.insert(0, str(Path(__file__).parents[1]))

from core.settings.environment import CoreEnvironment
from core.settings.source import SettingsSource
from core.store import FileStore
from scripts.figures import Figure
from tests.support.processes import Process
from tests.support.reverse_proxies import NGINX
from tests.support.stack import await_health, free_port
from tests.support.waiting import until

GATEWAYS, SESSIONS = 50, 200
SECRET = "S3pWq9vZx2Lr7TnYk4Hd8Bm1Fc6Jg5Qa"  # noqa: S105 - of this program alone; strong, so tokens are cheap
NAMES = [f"session-{number:03}" for number in range(SESSIONS)]
TICKS = os.sysconf("SC_CLK_TCK")
SCRAPE_SECONDS = 2.0
FIRST_ROUND_SECONDS = 120.0
NGINX_CONF = """
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_timeout 5s; keepalive_requests 1000000; default_type application/json;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  map $http_authorization $is_refused {{ default 0; "" 1; }}
  map $http_authorization $is_foreign {{ default 1; "Bearer {secret}" 0; }}
  server {{
    {listen}
    location = /healthz {{ return 200 '{{"uptime":1000,"message":"OK","timestamp":1700000000000}}'; }}
    location ~ /check-connection-session$ {{
      if ($is_refused) {{
        return 401 '{{"message":"Token is not present. Check your header and try again"}}';
      }}
      return 200 '{{"status":true,"message":"Connected"}}';
    }}
    location ~ /status-session$ {{
      return 200 '{{"status":"CONNECTED","qrcode":null,"urlcode":null,"version":"2.10.18"}}';
    }}
    location ~ /host-device$ {{
      return 200 '{{"status":"success","response":{{"phoneNumber":"5511999990000@c.us","pushname":"A"}}}}';
    }}
    location = /api/{secret}/show-all-sessions {{ alias {directory}/names.json; }}
    location ~ /show-all-sessions$ {{ return 400 '{{"response":false,"message":"The token is incorrect"}}'; }}
    {manager}
    location = /requests {{ stub_status; }}
    location / {{ default_type text/html; return 404 'Cannot GET'; }}
  }}
}}
"""
MANAGER = """
    location = /api/manager/info {{
      return 200 '{{"protocol":1,"serverVersion":"2.10.18","features":[]}}';
    }}
    location = /api/manager/sessions {{
      if ($is_foreign) {{ return 401 '{{"message":"Unauthorized"}}'; }}
      alias {directory}/states.json;
    }}
"""


@dataclass(frozen=True)
class Load:
    """What an exporter monitors."""

    protocol: str
    """manager, or legacy: the older routes."""
    gateways: int = GATEWAYS
    hanging: int = 0
    """How many of them take connections and never answer."""

    @property
    def name(self) -> str:
        """The load in words."""
        hanging = f", {self.hanging} hang" if self.hanging else ""
        return f"{self.protocol} {self.gateways}x{SESSIONS}{hanging}"

    @property
    def sessions(self) -> int:
        """The number of sessions on gateways that answer."""
        return (self.gateways - self.hanging) * SESSIONS

    @property
    def round_seconds(self) -> float:
        """The interval by the rule (docs/design.md), for the gateway's processor and for ours."""
        calls = 1 if self.protocol == "manager" else 2
        return max(SESSIONS * calls * 0.04, self.gateways * SESSIONS * calls * 0.0016)


def of_scale() -> Iterator[Figure]:
    """Measure both protocols, and gateways that hang."""
    for load in (Load("manager"), Load("legacy"), Load("manager", hanging=20)):
        yield from measure(load)


def measure(load: Load, *, seconds: float = 60.0) -> Iterator[Figure]:
    """Run an exporter, wait until it has probed every session, and measure it for `seconds`."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        directory, ports = Path(folder), free_ports(load.gateways)
        stack.enter_context(gateways(directory, ports[load.hanging :], load.protocol))
        stack.enter_context(silence(ports[: load.hanging]))
        save_settings(directory / "data", ports)
        url = f"http://127.0.0.1:{free_port()}"
        environ = {
            "PATH": os.environ["PATH"],
            "WPPCONNECT_DATA_DIR": str(directory / "data"),
            "EXPORTER_WEB_LISTEN_ADDRESS": url.removeprefix("http://"),
            "WPPCONNECT_LOG_LEVEL": "warning",
        }
        process = Process("exporter.cli", directory / "exporter.log", environ)
        try:
            yield from observe(process, url, load, seconds)
        finally:
            process.kill()


def observe(process: Process, url: str, load: Load, seconds: float) -> Iterator[Figure]:
    """Scrape an exporter for a time, and end it."""
    began = time.monotonic()
    await_health(url, process)
    while connected(scrape(url)) < load.sessions and time.monotonic() < began + FIRST_ROUND_SECONDS:
        time.sleep(SCRAPE_SECONDS)
    yield Figure(f"{load.name}: first round, of the processor", cpu_seconds(process.pid), 60, "s")
    took, ages, threads = [], [], 0.0
    text, cpu, began = scrape(url), cpu_seconds(process.pid), time.monotonic()
    probed = probes(text)
    while time.monotonic() - began < seconds:
        at = time.monotonic()
        text = scrape(url)
        took.append(time.monotonic() - at)
        ages.append(oldest(text))
        threads = max(threads, status(process.pid, "Threads"))
        time.sleep(max(0.0, SCRAPE_SECONDS - (time.monotonic() - at)))
    wall, cpu, probed = time.monotonic() - began, cpu_seconds(process.pid) - cpu, probes(text) - probed
    memory = status(process.pid, "VmRSS") / 1024
    at = time.monotonic()
    code = process.stop()
    stopped = time.monotonic() - at
    yield Figure(f"{load.name}: not connected, of {load.sessions}", load.sessions - connected(text), 1, "")
    yield Figure(f"{load.name}: age of the oldest probe", max(ages), load.round_seconds + 5, "s")
    yield Figure(f"{load.name}: processor, of one core", 100 * cpu / wall, 100, "%")
    yield Figure(f"{load.name}: processor for a probe, scrapes too", 1000 * cpu / max(1.0, probed), 1.6, "ms")
    yield Figure(f"{load.name}: threads", threads, 60 + load.hanging, "")
    yield Figure(f"{load.name}: memory", memory, 300, "MB")
    yield Figure(f"{load.name}: /metrics, median", 1000 * median(took), 150, "ms")
    yield Figure(f"{load.name}: /metrics, slowest of {len(took)}", 1000 * max(took), 250, "ms")
    yield Figure(f"{load.name}: end on SIGTERM", stopped, 2, "s")
    yield Figure(f"{load.name}: exit code", code, 1, "")


@contextmanager
def gateways(directory: Path, ports: list[int], protocol: str) -> Iterator[None]:
    """Run nginx as gateways, all of whose sessions are connected."""
    states = [{"session": name, "status": "CONNECTED"} for name in NAMES]
    (directory / "names.json").write_text(json.dumps({"response": NAMES}))
    (directory / "states.json").write_text(json.dumps({"sessions": states}))
    manager = MANAGER.format(directory=directory) if protocol == "manager" else ""
    listen = " ".join(f"listen 127.0.0.1:{port};" for port in ports)
    conf = directory / "nginx.conf"
    conf.write_text(NGINX_CONF.format(directory=directory, secret=SECRET, listen=listen, manager=manager))
    process = subprocess.Popen([NGINX, "-c", str(conf), "-e", str(directory / "error.log")])  # noqa: S603
    try:
        until(lambda: _is_open(ports[-1]))
        yield
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def silence(ports: list[int]) -> Iterator[None]:
    """Accept connections and never answer: the kernel does it, and one thread drops what was given up."""
    servers = [socket.create_server(("127.0.0.1", port), backlog=64) for port in ports]
    stop = threading.Event()

    def accept() -> None:
        held: list[socket.socket] = []
        while not stop.wait(1.0):
            for server in servers:
                server.settimeout(0.0)
                while True:
                    try:
                        held.append(server.accept()[0])
                    except BlockingIOError:
                        break
            while len(held) > 8 * len(servers):
                held.pop(0).close()
        for one in (*held, *servers):
            one.close()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def free_ports(count: int) -> list[int]:
    """Find loopback ports that nobody listens on."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


def save_settings(data: Path, ports: list[int], sessions: Sequence[str] = NAMES) -> None:
    """Save the gateways as the page does."""
    environment = CoreEnvironment(data_dir=data)
    source = SettingsSource(environment, FileStore(data / "store"))
    saved = source.saved()
    for number, port in enumerate(ports):
        name = f"gateway-{number:02}"
        saved = saved.with_server(name, url=f"http://127.0.0.1:{port}", secret_key=SECRET)
        for session in sessions:
            saved = saved.with_session(name, session, enabled=True)
    source.save(saved, expected_revision=0, actor="bench")


def scrape(url: str) -> str:
    """Return `/metrics`, zipped on its way as for Prometheus."""
    return requests.get(f"{url}/metrics", timeout=600).text


def connected(text: str) -> int:
    """Return how many sessions are connected."""
    return int(sum(values(text, "wppconnect_session_connected")))


def probes(text: str) -> float:
    """Return how many probes of sessions were made."""
    return sum(values(text, "wppconnect_probe_duration_seconds_count"))


def oldest(text: str) -> float:
    """Return the age in seconds of the oldest probe of a session on a gateway that answers."""
    up = set(re.findall(r'^wppconnect_up\{server="([^"]*)"\} 1', text, re.MULTILINE))
    pattern = r'^wppconnect_session_last_probe_timestamp_seconds\{server="([^"]*)",[^}]*\} (\S+)$'
    moments = [float(at) for server, at in re.findall(pattern, text, re.MULTILINE) if server in up]
    return time.time() - min(moments)


def values(text: str, name: str) -> list[float]:
    """Return the values of a metric."""
    return [float(found) for found in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)]


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def status(pid: int, field: str) -> float:
    """Return a number from a process's status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> None:
    """Print the figures of one load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--protocol", choices=("manager", "legacy"), default="manager")
    parser.add_argument("--gateways", type=int, default=GATEWAYS)
    parser.add_argument("--hanging", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    load = Load(arguments.protocol, arguments.gateways, arguments.hanging)
    for figure in measure(load, seconds=arguments.seconds):
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
