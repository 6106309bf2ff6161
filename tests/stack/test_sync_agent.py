"""The sync agent as a container of the stack: it brings a new key into a neighbour's file and container."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.plugins.leaks import keep_secret
from tests.stack.visits import signed_in
from tests.support.deployed import COMPOSE, Deployed
from tests.support.docker_engine import Engine
from tests.support.waiting import until

pytestmark = pytest.mark.browser

OLD = "the-old-key-of-the-neighbour"
OURS = 10001
FILE = """
services:
  neighbour:
    image: {image}
    container_name: {name}
    init: true
    command: sleep 1000000
    network_mode: none
    environment: {{API_KEY: "${{API_KEY}}"}}
    stop_grace_period: 1s
"""
SYNC_FILE = """
folders: {{project: {folder}}}
targets: [{{file: .env, key: API_KEY, receives: api_key}}]
containers: [{{name: {name}, reads: [API_KEY]}}]
"""


@pytest.fixture
def neighbour(docker_engine: Engine, tmp_path: Path) -> Iterator[Path]:
    """Somebody's own project with one running container; the agent may write its `.env`, and no more."""
    folder = tmp_path / "neighbour"
    folder.mkdir(mode=0o755)
    name = docker_engine.name("neighbour")
    (folder / "docker-compose.yml").write_text(FILE.format(image=docker_engine.busybox(), name=name))
    (folder / ".env").write_text(f"# Ours\nAPI_KEY={OLD}\n")
    os.chown(folder / ".env", 0, OURS)
    (folder / ".env").chmod(0o660)
    environ = {"PATH": os.environ["PATH"], "DOCKER_HOST": docker_engine.host}
    command = [str(COMPOSE), "--project-name", name, "up", "--detach"]
    subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True)
    yield folder
    docker_engine.client.containers.get(name).remove(force=True)


def key_of(engine: Engine) -> str:
    """The key that the neighbour's container runs with."""
    container = engine.client.containers.get(engine.name("neighbour"))
    (found,) = [one for one in container.attrs["Config"]["Env"] if one.startswith("API_KEY=")]
    return str(found.partition("=")[2])


def test_an_approved_plan_reaches_a_neighbours_file_and_container(
    browser: Browser, deployed: Deployed, docker_engine: Engine, neighbour: Path
) -> None:
    listed = deployed.directory / "config" / "sync" / "sync.yml"
    listed.parent.mkdir()
    listed.write_text(SYNC_FILE.format(folder=neighbour, name=docker_engine.name("neighbour")))
    before = (neighbour / ".env").stat()

    deployed.make("up", OPS_SYNC_FOLDER=str(neighbour))

    agent = deployed.container("sync-agent")
    host = agent.attrs["HostConfig"]
    assert agent.attrs["Config"]["User"] == "10001:10001"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["GroupAdd"] == [str(Path(docker_engine.host.removeprefix("unix://")).stat().st_gid)]
    assert set(agent.attrs["NetworkSettings"]["Networks"]) == {deployed.environ["OPS_GATEWAY_NETWORK"]}
    writable = {one["Destination"] for one in agent.attrs["Mounts"] if one["RW"]}
    assert writable == {"/data", "/var/run/docker.sock", str(neighbour)}

    # Killed while it waits for an order, it comes back and takes the next one.
    deployed.crash("sync-agent")
    visitor = signed_in(browser, deployed)
    visitor.open("/sync")
    visitor.press("sync-generate-api_key")
    visitor.reads("A new API key is created; the current one stops working.")
    visitor.reads(f"{docker_engine.name('neighbour')} is down for about")
    visitor.press("sync-approve")
    visitor.reads("Done. Everything is in sync.")
    visitor.close()

    key = key_of(docker_engine)
    keep_secret("API key", [key])
    assert key != OLD
    assert (neighbour / ".env").read_text() == f"# Ours\nAPI_KEY={key}\n"
    after = (neighbour / ".env").stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    owners = agent.exec_run(["sh", "-c", "find /data ! -user 10001 | wc -l"]).output
    assert owners.strip() == b"0"

    deployed.make("up")
    running = docker_engine.client.containers.list(all=True, filters={"name": f"{deployed.name}-sync-agent"})
    assert running == []
    until(lambda: deployed.is_healthy("page"), what="the page's health")
