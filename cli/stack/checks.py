"""What has to be right before anything is started: ports, memory, what `.env` says."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping

from cli.monitoring_kit import SHORTEST_GRACE_SECONDS, parse_duration
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
    """Return the loopback port of everything that is published, by the variable that moves it."""
    wanted = dict(PORTS)
    if gateway.profile == "demo":
        wanted |= PHONES_PORT
    if "evolution" in profiles_of(values):
        wanted |= EVOLUTION_PORT
    return {name: values.get(name) or str(default) for name, default in wanted.items()}


def port_problems(ports: Mapping[str, str], engine: Engine, project: str) -> Iterator[str]:
    """Find ports that somebody else has; those of this very stack are its own."""
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
    """Find another Evolution API where one is asked for."""
    name = values.get(EVOLUTION.container) or EVOLUTION.container_default
    container = engine.container(name) if "evolution" in profiles_of(values) else None
    if container is not None and not is_ours(container, project):
        yield (
            f"COMPOSE_PROFILES: asks for Evolution API, but a container {name} is there already and is not "
            "of this stack; take `evolution` out, or name another in OPS_EVOLUTION_CONTAINER"
        )


def grace_problems(text: str) -> Iterator[str]:
    """Find a grace of the alerts that is no duration, or so short that it pages for nothing."""
    seconds = parse_duration(text) if text else SHORTEST_GRACE_SECONDS
    if seconds is None or seconds < SHORTEST_GRACE_SECONDS:
        yield f"OPS_ALERT_GRACE: write a duration of {SHORTEST_GRACE_SECONDS}s or more, like 90s or 3m"


def warnings(values: Mapping[str, str], engine: Engine, gateway: Gateway) -> Iterator[str]:
    """Find what works but probably not for long."""
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
