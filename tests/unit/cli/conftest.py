"""What several tests of the command line use."""

from __future__ import annotations

import socket
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


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """An empty checkout on a machine with free ports, an engine and Compose."""
    free = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    ports = {name: str(one.getsockname()[1]) for name, one in zip(PORTS, free, strict=True)}
    for one in free:
        one.close()
    (tmp_path / "machine").mkdir()
    (tmp_path / "checkout").mkdir()
    docker = FakeDocker(tmp_path / "machine")
    return Checkout(tmp_path / "checkout", docker, {"PATH": str(docker.path), **ports})
