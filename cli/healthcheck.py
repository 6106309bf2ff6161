"""`wppconnect-ops healthy`: does the part that runs in this container answer? For a container's health check.

Only the standard library is imported: the check runs every few seconds, in each container.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

from cli.health import answers

FAILED = 1

PARTS = {
    "exporter": ("EXPORTER_WEB_LISTEN_ADDRESS", "127.0.0.1:21466", "/-/healthy"),
    "dashboard": ("DASHBOARD_LISTEN_ADDRESS", "127.0.0.1:8501", "/-/healthy"),
    "simulator": ("SIMULATOR_GATEWAY_PORT", "21465", "/healthz"),
}
"""Where each part listens by its variable, by default, and what it answers without asking who we are."""

SYNC = "sync"
"""The sync agent, which listens nowhere: its sign of life is a file."""
SIGN_OF_LIFE = Path("sync", "agent.json")
SIGN_SECONDS = 15.0
"""As the page: older signs do not count (core/sync/agent_status.py)."""


def healthy(environ: Mapping[str, str], part: str | None) -> int:
    """Return 0 when the part answers; without a name when any part answers."""
    wanted = [part] if part else list(PARTS)
    if any(_gave_a_sign(environ) if one == SYNC else _answers(environ, one) for one in wanted):
        return 0
    sys.stderr.write(f"wppconnect-ops healthy: no answer of {' or '.join(wanted)}\n")
    return FAILED


def _gave_a_sign(environ: Mapping[str, str]) -> bool:
    path = Path(environ.get("WPPCONNECT_DATA_DIR", "").strip() or "data") / SIGN_OF_LIFE
    try:
        return abs(time.time() - path.stat().st_mtime) <= SIGN_SECONDS
    except OSError:
        return False


def _answers(environ: Mapping[str, str], part: str) -> bool:
    variable, default, path = PARTS[part]
    host, _, port = (environ.get(variable, "").strip() or default).rpartition(":")
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(host, host.strip("[]"))
    if not port.isdecimal():
        return False
    place = f"[{host}]:{port}{path}" if ":" in host else f"{host}:{port}{path}"
    # With a web.yml the exporter speaks TLS.
    return answers(f"http://{place}") or (part == "exporter" and answers(f"https://{place}"))
