"""Checks before the start: ports, memory, and the settings in `.env`."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from cli.monitoring_kit import SHORTEST_GRACE_SECONDS, parse_duration, parse_objective
from cli.stack.engine import Engine
from cli.stack.gateway import Gateway, is_ours, profiles_of
from cli.stack.images import EVOLUTION

PORTS = {
    "OPS_PAGE_PORT": 8501,
    "OPS_EXPORTER_PORT": 21466,
    "OPS_PROMETHEUS_PORT": 9090,
    "OPS_ALERTMANAGER_PORT": 9093,
    "OPS_GRAFANA_PORT": 3000,
}
PHONES_PORT = {"OPS_PHONES_PORT": 21467}
EVOLUTION_PORT = {"OPS_EVOLUTION_PORT": 8080}
GIB = 1 << 30
PUBLIC_DEFAULT_SECRET = "THISISMYSECURETOKEN"  # noqa: S105 - printed in the gateway's documentation


def ports_of(values: Mapping[str, str], gateway: Gateway) -> dict[str, str]:
    """Return all published loopback ports, by the variable that sets them."""
    wanted = dict(PORTS)
    if gateway.profile == "demo":
        wanted |= PHONES_PORT
    if "evolution" in profiles_of(values):
        wanted |= EVOLUTION_PORT
    return {name: values.get(name) or str(default) for name, default in wanted.items()}


def port_problems(ports: Mapping[str, str], engine: Engine, project: str) -> Iterator[str]:
    """Yield a problem for each port that is invalid, used twice, or taken by a program outside this stack."""
    ours = engine.published_by(project)
    for variable, text in ports.items():
        if not text.isdecimal() or not 1 <= int(text) <= 65535:
            yield f"{variable}: {text} is no port; choose one from 1 to 65535"
        elif engine.is_local and f":{text}->" not in ours and not _is_free(int(text)):
            yield f"{variable}: port {text} of 127.0.0.1 is taken by another program; set another one in .env"
    for text in {text for text in ports.values() if list(ports.values()).count(text) > 1}:
        names = ", ".join(sorted(name for name, one in ports.items() if one == text))
        yield f"{names}: are both {text}; give each a port of its own"


def evolution_problems(values: Mapping[str, str], engine: Engine, project: str) -> Iterator[str]:
    """Yield a problem if Evolution API is to be started, but its container exists outside this stack."""
    name = values.get(EVOLUTION.container) or EVOLUTION.container_default
    container = engine.container(name) if "evolution" in profiles_of(values) else None
    if container is not None and not is_ours(container, project):
        yield (
            f"COMPOSE_PROFILES: asks for Evolution API, but a container {name} is there already and is not "
            "of this stack; take `evolution` out, or name another in OPS_EVOLUTION_CONTAINER"
        )


def grace_problems(text: str) -> Iterator[str]:
    """Yield a problem if the alerts' grace is no duration or too short."""
    seconds = parse_duration(text) if text else SHORTEST_GRACE_SECONDS
    if seconds is None or seconds < SHORTEST_GRACE_SECONDS:
        yield f"OPS_ALERT_GRACE: write a duration of {SHORTEST_GRACE_SECONDS}s or more, like 90s or 3m"


def objective_problems(text: str) -> Iterator[str]:
    """Yield a problem if the sessions' uptime objective is no percentage."""
    if text and parse_objective(text) is None:
        yield "OPS_UPTIME_OBJECTIVE: write a percentage between 50 and 100, like 99.5"


def warnings(values: Mapping[str, str], engine: Engine, gateway: Gateway) -> Iterator[str]:
    """Yield warnings about settings that work but are risky."""
    # A gateway's Chromium takes 300 to 500 MB for each session; ours and Prometheus together some 200 MB.
    needed = 4 if gateway.profile == "gateway" else 2
    if engine.memory_bytes < needed * GIB * 0.9:
        has = engine.memory_bytes / GIB
        yield f"memory: the engine has {has:.1f} GiB, and {needed} GiB are advisable; watch it"
    if values.get("WPPCONNECT_SECRET_KEY") == PUBLIC_DEFAULT_SECRET:
        yield (
            "WPPCONNECT_SECRET_KEY: is the gateway's public default: whoever reaches its port commands it; "
            "set another one there and here"
        )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


COMPOSE_FILE = Path(__file__).parents[2] / "docker-compose.yml"
REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)")
SETTING = re.compile(r"(?:WPPCONNECT|EXPORTER|DASHBOARD|ALERTMANAGER|SIMULATOR|OPS)_\w+")
READ_BY_MAKE_UP = {"WPPCONNECT_SECRET_KEY_FILE", "OPS_ALERT_GRACE", "OPS_UPTIME_OBJECTIVE"}
"""Variables that `make up` reads itself, so that docker-compose.yml does not contain them."""

MEANINGLESS_IN_A_CONTAINER = {
    "WPPCONNECT_DATA_DIR": "the containers keep their state in the volume `data`",
    "WPPCONNECT_SYNC_FILE": "the sync agent reads config/sync/sync.yml",
    "WPPCONNECT_DOCKER_HOST": "the sync agent gets the socket that OPS_DOCKER_SOCKET names",
    "ALERTMANAGER_URL_FILE": "write ALERTMANAGER_URL",
    "DASHBOARD_LISTEN_ADDRESS": "OPS_PAGE_PORT moves the page's port on this machine",
    "EXPORTER_WEB_LISTEN_ADDRESS": "OPS_EXPORTER_PORT moves the exporter's port on this machine",
    "SIMULATOR_GATEWAY_PORT": "containers reach the simulated gateway at http://gateway:21465",
    "SIMULATOR_PHONE_PORT": "OPS_PHONES_PORT moves the port of the phones on this machine",
    "SIMULATOR_LISTEN_ADDRESS": "the ports are published on 127.0.0.1 only",
}
"""Settings for a process on this machine, and what replaces them for containers."""


def passed_settings() -> frozenset[str]:
    """Return the variables that docker-compose.yml reads from `.env`."""
    return frozenset(REFERENCE.findall(COMPOSE_FILE.read_text(encoding="utf-8")))


def notes_on_settings(written: Mapping[str, str], *, has_override: bool) -> Iterator[str]:
    """Yield a note for each setting of `.env` that no container gets, and each file that none mounts."""
    passed = passed_settings()
    for name, value in written.items():
        if not value or not SETTING.fullmatch(name) or name in READ_BY_MAKE_UP:
            continue
        if name in MEANINGLESS_IN_A_CONTAINER:
            yield f"{name}: is not passed on to the containers: {MEANINGLESS_IN_A_CONTAINER[name]}"
        elif name not in passed:
            yield f"{name}: is not passed on, since it is no setting of docs/settings.md; is it misspelt?"
        elif name.endswith("_FILE") and not name.startswith("OPS_") and not has_override:
            yield (
                f"{name}: {value} is looked for inside the container, and nothing is mounted there; mount it "
                "by a docker-compose.override.yml (docs/deployment.md)"
            )


def settings_to_move(other: Mapping[str, str]) -> Iterator[str]:
    """Yield a problem for each setting in `ops.env` that is read from `.env`, even if unset there."""
    for name in sorted(set(other) & passed_settings()):
        yield f"ops.env: {name} is taken from .env now, which wins; move the line there"
