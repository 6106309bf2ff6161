"""What several tests of the command line use."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes.docker import FakeDocker
from tests.unit.cli.checkout import Checkout

PORTS = (
    "OPS_PAGE_PORT",
    "OPS_EXPORTER_PORT",
    "OPS_PROMETHEUS_PORT",
    "OPS_ALERTMANAGER_PORT",
    "OPS_GRAFANA_PORT",
)


def free_ports(count: int) -> set[int]:
    """Find free ports among those that no program gets which asks the kernel for any."""
    found: set[int] = set()
    while len(found) < count:
        port = random.SystemRandom().randrange(10_000, 30_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.add(port)
    return found


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """An empty checkout on a machine with free ports, an engine and Compose."""
    ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    (tmp_path / "machine").mkdir()
    (tmp_path / "checkout").mkdir()
    docker = FakeDocker(tmp_path / "machine")
    return Checkout(tmp_path / "checkout", docker, {"PATH": str(docker.path), **ports})
