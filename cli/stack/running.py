"""What runs of the services that were to be started."""

from __future__ import annotations

import json
from typing import Any

from cli.stack.engine import Compose


def not_running(compose: Compose) -> list[str]:
    """List the services that were to run and do not, or that are not healthy; all where nobody can say."""
    wanted = _wanted(compose.ask("config", "--format", "json").stdout)
    states = [_rows(line) for line in compose.ask("ps", "--all", "--format", "json").stdout.splitlines()]
    healthy = {row.get("Service") for rows in states for row in rows if _is_healthy(row)}
    return sorted(set(wanted) - healthy) if wanted else ["docker compose named no service"]


def _wanted(config: str) -> list[str]:
    """List the services that have a container; Evolution API 1 has no database."""
    try:
        services = json.loads(config)["services"]
    except (ValueError, KeyError):
        return []
    return [name for name, one in services.items() if one.get("deploy", {}).get("replicas") != 0]


def _rows(line: str) -> list[dict[str, Any]]:
    """Read one line: a container, or all of them, as Compose before 2.21 wrote them."""
    try:
        found = json.loads(line)
    except ValueError:
        return []
    rows = found if isinstance(found, list) else [found]
    return [row for row in rows if isinstance(row, dict)]


def _is_healthy(row: dict[str, Any]) -> bool:
    """Return whether it runs; one without a health check has nothing in `Health`."""
    return row.get("State") == "running" and row.get("Health") in ("healthy", "", None)
