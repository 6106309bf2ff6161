"""`make up` beside an older panel's running stack: its gateway is used, and nothing of it changes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.leaks import inspect, keep_secret
from tests.support.deployed import Deployed
from tests.support.docker_engine import Engine
from tests.support.old_panel import API_KEY, GATEWAY, SECRET, OldPanel
from tests.support.stack import free_port
from tests.support.terminal import TerminalCommand
from tests.support.waiting import until


@pytest.fixture
def old(docker_engine: Engine, image: str, tmp_path: Path) -> Iterator[OldPanel]:
    """The older panel, running. `image` has made the stand-in of its gateway."""
    panel = OldPanel.start(docker_engine, tmp_path / "leguas", free_port())
    yield panel
    panel.stop()


@pytest.fixture
def fresh(docker_engine: Engine, image: str, tmp_path: Path) -> Iterator[Deployed]:
    """A checkout that knows nothing of it."""
    there = Deployed.prepare(docker_engine, tmp_path / "checkout", image, "beside")
    for variable in ("OPS_GATEWAY_CONTAINER", "OPS_GATEWAY_NETWORK"):
        del there.environ[variable]
    yield there
    there.destroy()


def test_a_running_old_stack_is_adopted_and_not_touched(old: OldPanel, fresh: Deployed) -> None:
    before = old.state()
    keep_secret("secret key", [SECRET])
    keep_secret("API key", [API_KEY])

    # The gateway is found by its container's name; its secret is asked for, and nothing starts without it.
    with TerminalCommand(["make", "up"], environ=fresh.environ, cwd=fresh.directory) as asking:
        until(lambda: "Secret key: " in asking.written, what="the question")
        asking.type("\x03")
        assert asking.process.wait(timeout=60) != 0
    assert not (fresh.directory / ".env").exists()

    # The older panel's own files tell it.
    command = [sys.executable, "-m", "cli.main", "import", str(old.folder), "--write"]
    environ = {"PATH": fresh.environ["PATH"], "PYTHONPATH": str(fresh.directory)}
    done = subprocess.run(
        command, cwd=fresh.directory, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    inspect("import", done.stdout)
    assert "WPPCONNECT_TOKEN is a raw key and no bcrypt token" in done.stdout

    said = fresh.make("up")
    inspect("make up", said)

    network = f"{old.project}_leguas"
    assert f"The container {GATEWAY} is used as it is, through its network {network}" in said
    until(lambda: fresh.connected() == "1", what="the sight of the connected session")
    assert fresh.sample("wppconnect_secret_key_valid") == "1"
    of_us = {"label": f"com.docker.compose.project={fresh.name}"}
    services = {
        one.labels["com.docker.compose.service"] for one in fresh.engine.client.containers.list(filters=of_us)
    }
    assert services == {"exporter", "page", "prometheus", "alertmanager", "grafana"}
    joined = (
        old.state()["networks"][network]["Containers"].keys()
        - before["networks"][network]["Containers"].keys()
    )
    assert joined == {fresh.container(service).id for service in ("exporter", "page")}
    assert {**old.state(), "networks": before["networks"]} == before

    fresh.make("down")
    assert old.state() == before
