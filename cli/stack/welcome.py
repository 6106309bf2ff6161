"""What `make up` says at the end: where everything is, and whether the gateway answers."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Mapping

from cli.stack.gateway import Gateway
from cli.stack.project import Project

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
    """Write addresses, the way to the first sign-in, and what is known of the gateway."""
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
    """Ask the exporter; None when it has not looked yet."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{exporter_port}/metrics", timeout=ANSWER_SECONDS
        ) as answer:
            found = UP.search(answer.read().decode())
    except OSError:
        return None
    return found[1] == "1" if found else None
