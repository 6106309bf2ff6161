"""The product as `make up` deploys it: real containers on a real engine, reached by ports on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import compose  # type: ignore[import-untyped]
import requests
from docker.models.containers import Container

from tests.meta.source import own_files
from tests.support.docker_engine import Engine
from tests.support.exposition import samples
from tests.support.stack import SESSION, free_port
from tests.support.stand_ins import ALERTMANAGER, BASE, COMPOSE_BIN, GATEWAYS, GRAFANA, PROMETHEUS
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
COMPOSE = Path(str(compose.__file__)).with_name("docker-compose")
"""The program itself: the package's wrapper swallows its exit code."""
PORTS = {
    "page": "OPS_PAGE_PORT",
    "exporter": "OPS_EXPORTER_PORT",
    "prometheus": "OPS_PROMETHEUS_PORT",
    "alertmanager": "OPS_ALERTMANAGER_PORT",
    "grafana": "OPS_GRAFANA_PORT",
}
PUBLISHED = {
    "page": "/-/healthy",
    "exporter": "/-/healthy",
    "prometheus": "/-/healthy",
    "alertmanager": "/-/healthy",
    "grafana": "/api/health",
}
"""Each with what it answers without a question."""
STAND_INS = (BASE, PROMETHEUS, ALERTMANAGER, GRAFANA, *GATEWAYS, COMPOSE_BIN)
RECEIVER = """
import http.server, json
seen = []
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(b"")
    def do_GET(self):
        self.answer(json.dumps(seen).encode())
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""
ASK_PHONE = """
import sys, urllib.request
method, path = sys.argv[1:]
data = b"" if method == "POST" else None
request = urllib.request.Request("http://127.0.0.1:21467" + path, method=method, data=data)
sys.stdout.write(urllib.request.urlopen(request, timeout=5).read().decode())
"""


@dataclass
class Deployed:
    """One installation: a checkout, its project on the engine, and what can be asked of it."""

    engine: Engine
    directory: Path
    image: str
    name: str
    environ: dict[str, str]

    @classmethod
    def prepare(cls, engine: Engine, directory: Path, image: str, word: str, **variables: str) -> Deployed:
        """Make a checkout that has never been used."""
        copy_checkout(directory)
        # Nothing but the tests' patience depends on these intervals; a health check in one container costs a
        # quarter of a second of the processor.
        for file, slow, quick in (
            ("docker-compose.yml", "interval: 10s", "interval: 5s"),
            ("monitoring/prometheus/prometheus.yml", "_interval: 15s", "_interval: 5s"),
        ):
            text = (directory / file).read_text()
            assert slow in text
            (directory / file).write_text(text.replace(slow, quick))
        name = engine.name(word)
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "DOCKER_HOST": engine.host,
            "COMPOSE": str(COMPOSE),
            "PYTHON": sys.executable,
            "COMPOSE_PROJECT_NAME": name,
            "OPS_IMAGE": image,
            "OPS_GATEWAY_CONTAINER": f"{name}-gateway",
            "OPS_GATEWAY_NETWORK": f"{name}-gateway",
            "OPS_BUILD_NETWORK": "host",
            **{variable: str(free_port()) for variable in PORTS.values()},
            **variables,
        }
        return cls(engine, directory, image, name, environ)

    def make(self, *words: str, **variables: str) -> str:
        """Type `make ...`; fails with what it said unless it went well."""
        done = subprocess.run(
            ["make", "--no-print-directory", *words],
            cwd=self.directory,
            env=self.environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"make {' '.join(words)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def url(self, service: str) -> str:
        """Where a service is published."""
        return f"http://127.0.0.1:{self.environ[PORTS[service]]}"

    @property
    def page_url(self) -> str:
        """The page, as a visitor knows it."""
        return self.url("page")

    def container(self, service: str) -> Container:
        """The service's container."""
        name = self.environ["OPS_GATEWAY_CONTAINER"] if service == "gateway" else f"{self.name}-{service}-1"
        return self.engine.client.containers.get(name)

    def crash(self, *services: str) -> None:
        """Kill their first processes as the kernel would, and wait until the engine has started all again."""
        before = {service: self.container(service).attrs["State"] for service in services}
        for state in before.values():
            os.kill(state["Pid"], signal.SIGKILL)
        for service, state in before.items():
            until(lambda: self._is_new(service, state), seconds=90, what=f"{service}'s return")  # noqa: B023

    def is_healthy(self, service: str) -> bool:
        """Whether the engine says so."""
        state: dict[str, Any] = self.container(service).attrs["State"]
        return bool(state["Running"] and state.get("Health", {}).get("Status") == "healthy")

    def _is_new(self, service: str, before: Mapping[str, Any]) -> bool:
        state: dict[str, Any] = self.container(service).attrs["State"]
        return bool(state["Running"] and state["StartedAt"] != before["StartedAt"]) and self.answers(service)

    def answers(self, service: str) -> bool:
        """Whether a service responds, which its health check sees later."""
        path = PUBLISHED.get(service)
        return path is None or _answers(self.url(service) + path)

    def sample(self, name: str, **labels: str) -> str | None:
        """The value of one sample on the exporter; None when it is not there or the exporter is away."""
        try:
            text = requests.get(f"{self.url('exporter')}/metrics", timeout=60).text
        except requests.RequestException:
            return None
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        for series, value in samples(text).items():
            if series.partition("{")[0] == name and all(one in series for one in wanted):
                return f"{value:.15g}"
        return None

    def connected(self, session: str = SESSION) -> str | None:
        """`session_connected` of a session."""
        return self.sample("wppconnect_session_connected", session=session)

    def phone(self, method: str, path: str) -> str:
        """Ask the simulated phones, which are inside the gateway's container."""
        return ask_phone(self.container("gateway"), method, path)

    def urlcode(self, session: str) -> str | None:
        """The QR code that could be scanned now; a visitor compares it with the screen."""
        found = json.loads(self.phone("GET", "/control/state"))["sessions"]
        return next((one["urlcode"] for one in found if one["session"] == session), None)

    @property
    def simulator(self) -> Deployed:
        """What a visitor asks for the live code."""
        return self

    def start_receiver(self) -> str:
        """Start somebody whom Alertmanager can tell; returns where to read what arrived."""
        port = free_port()
        self.engine.client.containers.run(
            self.image,
            ["-c", RECEIVER],
            entrypoint=["python3"],
            name=f"{self.name}-receiver",
            detach=True,
            healthcheck={"test": ["NONE"]},
            ports={"8080/tcp": ("127.0.0.1", port)},
            network=f"{self.name}_monitoring",
        )
        url = f"http://127.0.0.1:{port}"
        until(lambda: _answers(url), what="the receiver")
        return url

    def destroy(self) -> None:
        """Remove containers, networks and volumes at once, as a burnt machine would."""
        command = [str(COMPOSE), "--project-name", self.name, "down", "--volumes", "--timeout", "0"]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def copy_checkout(directory: Path) -> None:
    """Copy what a clone of the repository would hold."""
    for path in own_files():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target)


def ask_phone(gateway: Container, method: str, path: str) -> str:
    """Ask the simulated phones, which are inside a gateway's container and not published."""
    asked = ["python3", "-c", ASK_PHONE, method, path]
    # Its first moment may be over before it listens.
    done = until(lambda: _ended_well(gateway, asked), what=f"the phones' answer to {path}")
    return str(done)


def _ended_well(gateway: Container, command: list[str]) -> str | None:
    done = gateway.exec_run(command)
    assert isinstance(done.output, bytes)
    return done.output.decode() if done.exit_code == 0 else None


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=60).ok
    except requests.RequestException:
        return False


def inspected(container: Mapping[str, Any]) -> dict[str, Any]:
    """What must not change about a container that is only looked at."""
    kept = ("Id", "Image", "Config", "HostConfig", "RestartCount")
    return {
        **{key: container[key] for key in kept},
        # The engine gives them in another order each time.
        "Mounts": {mount["Destination"]: mount for mount in container["Mounts"]},
        "StartedAt": container["State"]["StartedAt"],
    }
