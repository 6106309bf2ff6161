"""Containers of a real Compose project: replaced by Compose from its own folder, otherwise by the engine."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.containers.compose import Compose
from core.containers.docker_containers import DockerContainers
from core.exceptions import ContainerError
from tests.meta.source import ROOT
from tests.support.containers import KEY, NEW, OLD, SERVES, Playground, Progress, containers, expectation
from tests.support.docker_engine import Engine
from tests.support.engine_proxy import engine_proxy
from tests.support.killed import kill_at

PROGRAMS = str(Path(sys.executable).parent)
FILE = """
services:
  app:
    image: {image}
    container_name: {name}
    init: true
    command: sh -c 'echo "$$API_KEY" > /tmp/key; {first}cat /relative/file; exec httpd -f -p 80 -h /tmp'
    environment:
      - API_KEY={key}
      - OTHER=1$$2
    volumes: ["./data:/relative:ro", "kept:/kept", "/anonymous"]
    stop_grace_period: 1s
    env_file: app.env
    restart: {restart}
    labels: {{com.example.owner: "some$$body"}}
{more}
volumes: {{kept: }}
"""


WAITING = (
    "    mem_limit: 64m",
    "    healthcheck: {test: 'true', interval: 30s}",
    "    cap_add: [NET_ADMIN]",
    "    user: '65534'",
    "    logging: {options: {max-size: 1m}}",
    "    deploy: {resources: {limits: {cpus: '0.5'}}}",
    "    extra_hosts: ['somewhere:10.0.0.1']",
    "    networks: [another]\nnetworks: {another: }",
    "networks: {default: {labels: {a: b}}}",
)


class Project:
    """A folder with a compose file, as an administrator keeps it."""

    def __init__(self, playground: Playground, folder: Path, word: str) -> None:
        self.playground = playground
        self.folder = folder
        self.name = playground.engine.name(word)
        (folder / "data").mkdir()
        (folder / "data" / "file").write_text("of the project\n")
        (folder / "app.env").write_text("FROM_FILE='$2b$10'\n")

    def write(self, key: str, *, restart: str = "unless-stopped", first: str = "", more: str = "") -> None:
        """Write the compose file."""
        image = self.playground.engine.busybox()
        text = FILE.format(image=image, name=self.name, key=key, restart=restart, first=first, more=more)
        (self.folder / "docker-compose.yml").write_text(text)

    def up(self) -> None:
        """Do what the administrator does by hand."""
        environ = {"DOCKER_HOST": self.playground.engine.host, "PATH": PROGRAMS}
        command = ["docker-compose", "--project-name", self.name, "up", "--detach"]
        subprocess.run(command, cwd=self.folder, env=environ, check=True, capture_output=True)

    def inspect(self) -> dict[str, Any]:
        """Look at the container."""
        return self.playground.inspect(self.name)


@pytest.fixture(scope="module")
def playground(docker_engine: Engine) -> Iterator[Playground]:
    docker_engine.busybox()
    yield Playground(docker_engine, "none")
    docker_engine.remove_own()


def part(playground: Playground, folder: Path) -> DockerContainers:
    """The part under test, on a machine that has Compose."""
    compose = Compose.find(playground.engine.host, PROGRAMS)
    assert compose is not None
    return containers(playground.engine.host, folder, compose=compose)


def test_compose_replaces_its_container_and_is_content_afterwards(
    playground: Playground, tmp_path: Path
) -> None:
    project = Project(playground, tmp_path, "own")
    project.write(OLD)
    project.up()
    playground.execute(project.name, "echo data > /anonymous/file")
    project.write(NEW)
    wanted = [expectation(project.name, folder=tmp_path)]

    told = part(playground, tmp_path).consequences(wanted)
    done = part(playground, tmp_path).carry_out(wanted, Progress())

    after = project.inspect()
    project.up()
    assert "by Compose" in told[0].why
    assert done.notes == ()
    assert playground.key_of(project.name) == NEW
    assert playground.execute(project.name, "cat /anonymous/file") == "data\n"
    assert project.inspect()["Id"] == after["Id"]
    assert playground.names("own") == {project.name: "running"}


def test_from_another_folder_the_engine_does_it_and_relative_mounts_stay(
    playground: Playground, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    project = Project(playground, tmp_path / "here", "away")
    project.write(OLD)
    project.up()
    project.write(NEW)
    wanted = [expectation(project.name, folder=tmp_path / "mounted-elsewhere")]

    told = part(playground, tmp_path).consequences(wanted)
    done = part(playground, tmp_path).carry_out(wanted, Progress())

    after = project.inspect()
    project.up()
    assert "through the Docker Engine" in told[0].why
    assert "once more" in done.notes[0]
    assert f"{tmp_path}/here/data:/relative:ro" in after["HostConfig"]["Binds"]
    assert {f"{KEY}={NEW}", "OTHER=1$2"} <= set(after["Config"]["Env"])
    assert project.inspect()["Id"] != after["Id"]
    assert playground.key_of(project.name) == NEW


def test_other_changes_that_wait_in_the_file_are_not_taken_along(
    playground: Playground, tmp_path: Path
) -> None:
    project = Project(playground, tmp_path, "pending")
    project.write(OLD)
    project.up()
    project.write(NEW, restart="always")

    wanted = [expectation(project.name, folder=tmp_path)]
    told = part(playground, tmp_path).consequences(wanted)
    done = part(playground, tmp_path).carry_out(wanted, Progress())

    assert "without the other changes that wait in its compose file" in told[0].why
    assert "once more" in done.notes[0]
    assert project.inspect()["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert playground.key_of(project.name) == NEW


def test_whatever_else_waits_in_the_files_is_named_before_the_click(
    playground: Playground, tmp_path: Path
) -> None:
    project = Project(playground, tmp_path, "waiting")
    project.write(OLD)
    project.up()

    def told(more: str = "", of_the_env_file: str = "'$2b$10'") -> bool:
        project.write(NEW, more=more)
        (tmp_path / "app.env").write_text(f"FROM_FILE={of_the_env_file}\n")
        (found,) = part(playground, tmp_path).consequences([expectation(project.name, folder=tmp_path)])
        return "without the other changes that wait" in found.why

    assert {more: told(more) for more in WAITING} == dict.fromkeys(WAITING, True)
    assert told(of_the_env_file="another")
    assert not told()


def test_container_that_compose_has_removed_is_made_again_when_the_new_one_is_no_good(
    playground: Playground, tmp_path: Path
) -> None:
    project = Project(playground, tmp_path, "failing")
    refuse = f'[ "$$API_KEY" = {OLD} ] || exit 3; '
    project.write(OLD, first=refuse, restart="'no'")
    project.up()
    playground.execute(project.name, "echo data > /anonymous/file")
    before = project.inspect()
    project.write(NEW, first=refuse, restart="'no'")

    with pytest.raises(ContainerError, match="exit code 3"):
        part(playground, tmp_path).carry_out([expectation(project.name, folder=tmp_path)], Progress())

    after = project.inspect()
    assert playground.key_of(project.name) == OLD
    assert playground.execute(project.name, "cat /anonymous/file") == "data\n"
    assert after["Config"] == before["Config"]
    assert playground.names("failing") == {project.name: "running"}


def test_killed_together_with_compose_it_is_repaired(playground: Playground, tmp_path: Path) -> None:
    project = Project(playground, tmp_path, "killed")
    project.write(OLD)
    project.up()
    project.write(NEW)
    with engine_proxy(tmp_path, playground.engine.host) as proxy:
        work = (tmp_path, project.name, f"{PROGRAMS}:/usr/bin")
        code = kill_at(proxy, work, ("", "DELETE"), 1, done=True)

    part(playground, tmp_path).repair(Progress())

    assert code == -signal.SIGKILL
    assert playground.names("killed") == {project.name: "running"}
    assert playground.key_of(project.name) == OLD


def test_compose_is_not_used_on_an_engine_elsewhere() -> None:
    assert Compose.find("tcp://127.0.0.1:2375", PROGRAMS) is None


def test_no_call_is_made_that_the_documentation_does_not_list(playground: Playground, tmp_path: Path) -> None:
    listed = set(re.findall(r"^\| `(\w+ /\S+)` \|", (ROOT / "docs" / "sync.md").read_text(), re.MULTILINE))
    engine = playground.engine
    for word in ("first", "second"):
        engine.client.networks.create(engine.name(word))
    refuse = f'[ "$API_KEY" != bad ] || exit 3; {SERVES}'
    plain = Playground(engine, engine.name("first")).run("plain", refuse)
    engine.client.networks.get(engine.name("second")).connect(plain)
    (tmp_path / "project").mkdir()
    project = Project(playground, tmp_path / "project", "listed")
    project.write(OLD)
    project.up()
    compose = Compose.find(engine.host, PROGRAMS)

    with engine_proxy(tmp_path, engine.host) as proxy:
        asking = containers(proxy.host, tmp_path, compose=compose)
        asking.carry_out([expectation(plain)], Progress())
        with pytest.raises(ContainerError, match="exit code 3"):
            asking.carry_out([expectation(plain, value="bad")], Progress())
        asking.restart(expectation(plain).container, Progress())
        asking.consequences([expectation(project.name, folder=project.folder)])

    made = {re.sub(r"/(containers|networks|images)/.+/(\w+)$", r"/\1/{id}/\2", call) for call in proxy.calls}
    made = {re.sub(r"^DELETE /containers/\w+$", "DELETE /containers/{id}", call) for call in made}
    assert made == listed
