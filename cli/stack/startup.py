"""The end of `make up`: the services that run, and their addresses."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

from cli.stack.engine import Compose
from cli.stack.gateway import Gateway
from cli.stack.project import Project

RECOVERY_SECONDS = 60.0
"""A healthy container may fail its checks for a moment while others start on a busy machine."""


def await_running(compose: Compose, *, seconds: float = RECOVERY_SECONDS) -> list[str]:
    """Return the services that do not run, or do not become healthy within `seconds`.

    Return all if their state is unknown, and a placeholder if Compose lists no services. Does not wait for
    services that do not run.
    """
    deadline = time.monotonic() + seconds
    wanted = _wanted(compose.ask("config", "--format", "json").stdout)
    if not wanted:
        return ["docker compose named no service"]
    while True:
        states = [_rows(line) for line in compose.ask("ps", "--all", "--format", "json").stdout.splitlines()]
        rows = {row.get("Service"): row for found in states for row in found}
        missing = sorted(name for name in wanted if not _is_healthy(rows.get(name, {})))
        running = all(rows.get(name, {}).get("State") == "running" for name in missing)
        if not missing or not running or time.monotonic() >= deadline:
            return missing
        time.sleep(1)


def _wanted(config: str) -> list[str]:
    """Return the services with a container. The database has none with Evolution API 1."""
    try:
        services = json.loads(config)["services"]
    except (ValueError, KeyError):
        return []
    return [name for name, one in services.items() if one.get("deploy", {}).get("replicas") != 0]


def _rows(line: str) -> list[dict[str, Any]]:
    """Return the containers of one line: one container, or all of them, as before Compose 2.21."""
    try:
        found = json.loads(line)
    except ValueError:
        return []
    rows = found if isinstance(found, list) else [found]
    return [row for row in rows if isinstance(row, dict)]


def _is_healthy(row: dict[str, Any]) -> bool:
    """Return whether a container runs and is healthy. Without a health check `Health` is empty."""
    return row.get("State") == "running" and row.get("Health") in ("healthy", "", None)


PLACES = {
    "Page": "OPS_PAGE_PORT",
    "Exporter": "OPS_EXPORTER_PORT",
    "Prometheus": "OPS_PROMETHEUS_PORT",
    "Alertmanager": "OPS_ALERTMANAGER_PORT",
    "Grafana": "OPS_GRAFANA_PORT",
    "Phones": "OPS_PHONES_PORT",
}
UP = re.compile(r"^wppconnect_up\{.*\} ([01])", re.MULTILINE)
ANSWER_SECONDS = 5


def welcome(project: Project, gateway: Gateway, ports: Mapping[str, str]) -> str:
    """Return the text with the addresses, the first sign-in, and the state of the gateway."""
    lines = ["", "Ready.", ""]
    for name, variable in PLACES.items():
        if variable in ports:
            path = "/metrics" if name == "Exporter" else ""
            address = f"http://127.0.0.1:{ports[variable]}{path}"
            if name == "Page":
                address = project.values.get("DASHBOARD_EXTERNAL_URL") or address
            lines.append(f"  {name:<13} {address}")
    if not project.values.get("DASHBOARD_EXTERNAL_URL"):
        tunnel = "{0}:127.0.0.1:{0}".format(ports["OPS_PAGE_PORT"])
        lines += [
            "",
            f"  Reached from this machine only. From another one: ssh -L {tunnel} THIS-MACHINE",
            "  For good: a reverse proxy, and its address as DASHBOARD_EXTERNAL_URL (docs/reverse-proxy.md).",
        ]
    lines += [
        "",
        f"  Grafana's user is admin, the password in {project.config.name}/secrets/grafana_admin_password.",
    ]
    if project.compose().ask("exec", "-T", "page", "test", "-e", "/data/first-sign-in-link").returncode == 0:
        lines.append("  First sign-in: `make link` prints the one-time link.")
    lines.append(
        f"  Who is told of alerts: {project.config.name}/alertmanager/alertmanager.yml (docs/monitoring.md)."
    )
    if _gateway_answers(ports["OPS_EXPORTER_PORT"]) is False:
        lines += ["", "  The gateway does not answer yet."]
        if gateway.is_adopted:
            lines.append("  Containers cannot reach one that listens on 127.0.0.1 of this host only.")
    return "\n".join([*lines, ""])


def _gateway_answers(exporter_port: str) -> bool | None:
    """Return whether the gateway is up, by the exporter; None if it has not been probed yet."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{exporter_port}/metrics", timeout=ANSWER_SECONDS
        ) as answer:
            found = UP.search(answer.read().decode())
    except OSError:
        return None
    return found[1] == "1" if found else None
