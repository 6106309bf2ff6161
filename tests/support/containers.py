"""Containers to be recreated, and the part of the sync agent that does it, in the words of a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr

from core.containers.compose import Compose
from core.containers.docker_containers import DockerContainers
from core.containers.engine import Engine as OurEngine
from core.containers.readiness import Patience
from core.containers.sessions import GatewaySessions
from core.propagation.reach import Expectation, StepEvent
from core.propagation.targets import ContainerSettings
from tests.support.docker_engine import Engine
from tests.support.waiting import until

KEY, OLD, NEW = "API_KEY", "the-old-value-of-the-key", "the-new-value-of-the-key"
SERVES = "echo $API_KEY > /tmp/key; exec httpd -f -p 80 -h /tmp"
"""Serves the key that it was started with at /key."""


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


def containers(
    host: str, folder: Path, *, sessions: object = None, compose: Compose | None = None
) -> DockerContainers:
    """Build the part under test, with little patience."""
    return DockerContainers(
        lambda: OurEngine(host),
        journal=folder / "containers.json",
        sessions=cast(GatewaySessions, sessions or NoSessions()),
        compose=lambda: compose,
        patience=Patience(settle_seconds=0.5),
    )


def expectation(
    name: str,
    *,
    value: str = NEW,
    reads: tuple[str, ...] | None = (KEY,),
    gateway: str | None = None,
    folder: Path = Path("/nowhere"),
    arguments: Mapping[str, str] | None = None,
) -> Expectation:
    """What the files say: the new value."""
    return Expectation(
        container=ContainerSettings(name=name, folder="project", reads=reads, gateway=gateway),
        project_folder=folder,
        environment={KEY: SecretStr(value)},
        arguments={option: SecretStr(one) for option, one in (arguments or {}).items()},
    )


class Progress:
    """What was reported."""

    def __init__(self) -> None:
        self.events: list[StepEvent] = []

    def __call__(self, event: StepEvent) -> None:
        self.events.append(event)

    @property
    def words(self) -> list[str]:
        """Each step with how it went, without its subject."""
        return [f"{one.step} {one.state}" for one in self.events]


@dataclass
class Playground:
    """One network, and containers on it."""

    engine: Engine
    network: str

    def run(self, word: str, command: str = SERVES, **body: Any) -> str:
        """Start a container with the old value; returns its name."""
        name = self.engine.name(word)
        host = {"NetworkMode": self.network, "Init": True} | body.pop("HostConfig", {})
        order = {
            "Image": self.engine.busybox(),
            "Cmd": ["sh", "-c", command],
            "Env": [f"{KEY}={OLD}"],
            "StopTimeout": 1,
            "HostConfig": host,
        }
        api = self.engine.client.api
        created = api.create_container_from_config(order | body, name)  # type: ignore[no-untyped-call]
        api.start(created["Id"])
        return name

    def inspect(self, name: str) -> dict[str, Any]:
        """Everything that the engine tells of a container."""
        return dict(self.engine.client.api.inspect_container(name))

    def key_of(self, name: str) -> str:
        """The value that a running container was started with."""
        return until(lambda: self.execute(name, "cat /tmp/key").strip(), what=f"the key of {name}")

    def execute(self, name: str, command: str) -> str:
        """Run a command in a container, and return what it printed."""
        api = self.engine.client.api
        started = api.exec_create(name, ["sh", "-c", command], stderr=False)
        return bytes(api.exec_start(started["Id"])).decode()

    def names(self, word: str) -> dict[str, str]:
        """All containers whose name begins with a container's, and whether they run."""
        found = self.engine.client.containers.list(all=True, filters={"name": self.engine.name(word)})
        return {str(one.name): str(one.status) for one in found}


def carry_out_alone(host: str, folder: Path, name: str, programs: str | None = None) -> None:
    """What a process of its own does until it is killed; `programs` is the PATH on which Compose is found."""
    compose = Compose.find(host, programs) if programs else None
    containers(host, folder, compose=compose).carry_out([expectation(name, folder=folder)], Progress())
