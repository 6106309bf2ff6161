"""Which settings of `.env` reach the containers, and what is said of those that do not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

COMPOSE_FILE = Path(__file__).parents[2] / "docker-compose.yml"
REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)")
SETTING = re.compile(r"(?:WPPCONNECT|EXPORTER|DASHBOARD|ALERTMANAGER|SIMULATOR|OPS)_\w+")
READ_BY_MAKE_UP = {"WPPCONNECT_SECRET_KEY_FILE", "OPS_ALERT_GRACE"}
"""Not named in docker-compose.yml, and yet in force."""

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
"""Settings of a process on this machine, and what takes their place."""


def passed_settings() -> frozenset[str]:
    """Return the variables that docker-compose.yml takes from `.env`."""
    return frozenset(REFERENCE.findall(COMPOSE_FILE.read_text(encoding="utf-8")))


def notes_on_settings(written: Mapping[str, str], *, has_override: bool) -> Iterator[str]:
    """Name each setting of `.env` that no container gets, and each file that no container may see."""
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
    """Find settings in `ops.env` that come from `.env`, where an absent one would win over `ops.env`."""
    for name in sorted(set(other) & passed_settings()):
        yield f"ops.env: {name} is taken from .env now, which wins; move the line there"
