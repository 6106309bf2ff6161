"""A Compose project on a real engine whose key is changed by a sync, in the words of a test."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr

from core.sync.compose import finder
from core.sync.docker_containers import DockerContainers, Timeouts
from core.sync.engine import Engine as OurEngine
from core.sync.plan import ContainerChange, Plan
from core.sync.progress import Done, Report, StepEvent
from core.sync.projects import FindCompose
from core.sync.sessions import GatewaySessions
from core.sync.targets import ContainerSettings, FileTarget, SyncSettings
from tests.support.compose import compose_program
from tests.support.docker_engine import BUSYBOX, Engine
from tests.support.sync import API_KEY, Installation, target, write_files

KEY, OLD, NEW = "API_KEY", "the-old-value-of-the-key", "the-new-value-of-the-key"
PROGRAMS = str(compose_program().parent)
ENV = f"{KEY}={OLD}\n"
COMPOSE = """
services:
  app:
    image: {image}
    container_name: {name}
    init: true
    network_mode: none
    stop_grace_period: 1s
    command: sleep 1d
    environment:
      API_KEY: ${{API_KEY}}
"""


class NoSessions:
    """Of containers that are no gateway."""

    def connected(self, server: str, stop: object) -> tuple[str, ...]:
        return ()

    def lost(self, server: str, sessions: Sequence[str], **_: object) -> tuple[str, ...]:
        return ()


@dataclass
class RememberedSessions:
    """A gateway whose sessions are what a test says."""

    known: tuple[str, ...] = ()
    lose: tuple[str, ...] = ()
    waited_since: list[datetime] = field(default_factory=list)

    def connected(self, server: str, stop: object) -> tuple[str, ...]:
        return self.known

    def lost(self, server: str, sessions: Sequence[str], *, since: datetime, **_: object) -> tuple[str, ...]:
        self.waited_since.append(since)
        return tuple(one for one in sessions if one in self.lose)


class ImpatientSessions(RememberedSessions):
    """Somebody presses Ctrl-C while they reconnect."""

    def lost(self, server: str, sessions: Sequence[str], *, since: datetime, **_: object) -> tuple[str, ...]:
        raise KeyboardInterrupt


@dataclass
class ComposeProject:
    """A project's folder with its containers, and the sync that is allowed to touch `name`."""

    host: str
    root: Path
    name: str
    """Of the project and of the container of the service `app`."""
    targets: tuple[FileTarget, ...] = (target(".env", KEY),)
    listed: tuple[ContainerSettings, ...] = ()
    sessions: object = field(default_factory=NoSessions)
    programs: str = PROGRAMS
    compose_host: str = ""
    """The engine as Compose is told; empty: the same."""
    steps: list[StepEvent] = field(default_factory=list)
    expected: dict[str, str] = field(default_factory=dict)
    """Every container that is there after the test, and how it is."""

    def __post_init__(self) -> None:
        self.expected = self.expected or {self.name: "running"}

    @property
    def folder(self) -> Path:
        """Where the project's files are."""
        return self.root / "leguas"

    def write(self, compose: str = COMPOSE, **files: str) -> None:
        """Write the project's files: the compose file, `.env`, and others by name."""
        text = compose.format(image=BUSYBOX, name=self.name, old=OLD)
        write_files(self.folder, {"docker-compose.yml": text, ".env": ENV, **files})

    def up(self, *options: str, **variables: str) -> None:
        """Start it as its owner does."""
        command = [str(compose_program()), "--project-name", self.name, *options, "up", "--detach"]
        environ = {"DOCKER_HOST": self.host, "PATH": PROGRAMS, "HOME": str(self.root)} | variables
        done = subprocess.run(command, cwd=self.folder, env=environ, check=False, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()

    @property
    def installation(self) -> Installation:
        """The sync of a process of its own, with the new key to bring."""
        listed = self.listed or (ContainerSettings(name=self.name, folder="leguas", reads=(KEY,)),)
        settings = SyncSettings(folders={"leguas": self.folder}, targets=self.targets, containers=listed)
        installation = Installation(self.root, settings, steps=self.steps)
        installation.find_compose = self.finder(installation.data)
        installation.containers = self.containers(installation.data)
        return installation

    def containers(self, data: Path) -> DockerContainers:
        """The part of the sync that looks at containers, with little timeouts."""
        return DockerContainers(
            lambda: OurEngine(self.host),
            sessions=cast(GatewaySessions, self.sessions),
            compose=self.finder(data),
            timeouts=Timeouts(settle_seconds=0.3),
        )

    def finder(self, data: Path) -> FindCompose:
        """What finds the Compose of the test."""
        return finder(self.compose_host or self.host, self.programs, data / "sync")

    def plan(self, value: str = NEW) -> Plan:
        """What an apply would do."""
        return self.installation.sync.draft(fresh={API_KEY: SecretStr(value)}).plan

    def planned(self, value: str = NEW) -> ContainerChange:
        """What an apply would do to the first container that is listed."""
        return self.plan(value).containers[0]

    def apply(self, value: str = NEW, report: Report | None = None) -> Done:
        """Bring a key everywhere."""
        return self.installation.sync.apply(
            fresh={API_KEY: SecretStr(value)}, actor="ana", report=report or self.steps.append
        )

    def recover(self) -> Done | None:
        """Do what the next start of an agent does."""
        return self.installation.sync.recover(self.steps.append)

    def files(self) -> dict[str, str]:
        """Every file of the folder."""
        return {one.name: one.read_text() for one in self.folder.iterdir() if one.is_file()}

    def inspect(self, name: str = "") -> dict[str, Any]:
        """Everything that the engine tells of a container."""
        with OurEngine(self.host) as engine:
            found = engine.inspect(name or self.name)
        assert found is not None
        return found

    def key(self, name: str = "") -> str:
        """The key that a container runs with."""
        lines = self.inspect(name)["Config"]["Env"]
        return str(next(one for one in lines if one.startswith(f"{KEY}=")).partition("=")[2])

    @property
    def words(self) -> list[str]:
        """Each step with how it went, without its subject."""
        return [f"{one.step} {one.state}" for one in self.steps]


MakeProject = Callable[..., ComposeProject]
"""What the fixture `make_project` gives: it takes what `new_project` takes behind the folder."""


def new_project(engine: Engine, root: Path, word: str, **more: Any) -> ComposeProject:
    """Make a project's folder, with nothing in it yet."""
    engine.busybox()
    return ComposeProject(engine.host, root, engine.name(word), **more)


def apply_alone(host: str, root: Path, name: str) -> None:
    """Apply as a process of its own does until it is killed."""
    ComposeProject(host, root, name).apply()
