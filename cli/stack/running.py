"""What runs of the services that were to be started."""

from __future__ import annotations

import json
import time
from typing import Any

from cli.stack.engine import Compose

RECOVERY_SECONDS = 60.0
"""A container that was healthy may miss its checks for a moment while others start on a busy machine."""


def await_running(compose: Compose, *, seconds: float = RECOVERY_SECONDS) -> list[str]:
    """List the services that were to run and do not, or that do not become healthy in `seconds`.

    All, where nobody can say. What does not run at all is not waited for.
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
