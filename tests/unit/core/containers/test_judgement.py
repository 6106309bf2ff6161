"""What has to happen to a container, and in words why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.containers.judgement import Way, judge
from core.propagation.reach import Consequence, ContainerAction, Expectation
from core.propagation.targets import ContainerSettings

COMPOSE = {"com.docker.compose.project.working_dir": "/srv/project"}
MOUNTS = [
    {"Type": "volume", "Name": "t", "Destination": "/srv/tokens", "RW": True},
    {"Type": "bind", "Destination": "/srv/userDataDir", "RW": True},
]


def seen(image: str = "my/own", **changes: Any) -> dict[str, Any]:
    """A running container with the old values."""
    config = {
        "Image": image,
        "Hostname": "h",
        "Env": ["TOKEN=old", "SECRET_KEY=old"],
        "Cmd": ["--secretKey", "old"],
        "WorkingDir": "/srv",
        "Labels": changes.pop("Labels", {}),
    } | changes.pop("Config", {})
    return {
        "Id": "1",
        "Name": "/app",
        "Config": config,
        "HostConfig": {"NetworkMode": "none"} | changes.pop("HostConfig", {}),
        "Mounts": changes.pop("Mounts", MOUNTS),
        "NetworkSettings": {"Networks": {}},
        "State": {"Running": True} | changes.pop("State", {}),
    }


def judged(
    container: dict[str, Any] | None,
    *,
    keys: tuple[str, ...] = ("TOKEN",),
    reads: tuple[str, ...] | None = ("TOKEN",),
    value: str = "new",
    gateway: str | None = None,
    neighbours: tuple[str, ...] = (),
    way: Way = Way.ENGINE,
) -> Consequence:
    """Judge a container for which the files give every key the same value."""
    given = {key: SecretStr(value) for key in keys}
    expectation = Expectation(
        container=ContainerSettings(name="app", folder="project", reads=reads, gateway=gateway),
        project_folder=Path("/srv/project"),
        environment={key: one for key, one in given.items() if not key.startswith("--")},
        arguments={key: one for key, one in given.items() if key.startswith("--")},
    )
    return judge(expectation, container, neighbours=neighbours, way=way)


CLI = "wppconnect/server-cli:latest"
SERVER = "wppconnect/wppconnect-server"


@pytest.mark.parametrize(
    ("container", "arguments", "action", "words"),
    [
        (None, {}, ContainerAction.ABSENT, "no container app"),
        (seen(), {"value": "old"}, ContainerAction.NOTHING, "already"),
        (seen(), {}, ContainerAction.RECREATE, "through the Docker Engine."),
        (seen(), {"way": Way.COMPOSE}, ContainerAction.RECREATE, "by Compose"),
        (seen(), {"way": Way.ENGINE_LEAVING_CHANGES}, ContainerAction.RECREATE, "other changes that wait"),
        (seen(Labels=COMPOSE), {}, ContainerAction.RECREATE, "recreates it once more"),
        (seen(), {"reads": ()}, ContainerAction.NOT_READ, "my/own does not read TOKEN"),
        (seen(CLI), {"reads": None, "keys": ("SECRET_KEY", "TOKEN")}, ContainerAction.NOT_READ, "SECRET_KEY"),
        (seen(CLI), {"reads": None, "keys": ("--secretKey",)}, ContainerAction.RECREATE, ""),
        (seen(SERVER), {"reads": None, "keys": ("TOKEN",)}, ContainerAction.NOT_READ, ""),
        (seen(SERVER), {"reads": None, "keys": ("SECRET_KEY",)}, ContainerAction.RECREATE, ""),
        (seen(), {"reads": None}, ContainerAction.REFUSED, "reads = ['TOKEN']"),
        (seen(State={"Running": False}), {}, ContainerAction.NOTHING, "It is stopped, and keeps the old"),
        (
            seen(State={"Running": False}, Labels=COMPOSE),
            {},
            ContainerAction.NOTHING,
            "`docker compose up -d`: `docker start` keeps",
        ),
        (
            seen(Config={"Cmd": ["run"]}),
            {"reads": ("--secretKey",), "keys": ("--secretKey",)},
            ContainerAction.REFUSED,
            "no --secretKey to replace",
        ),
        (seen(Labels={"com.docker.swarm.task.id": "1"}), {}, ContainerAction.REFUSED, "Swarm"),
        (seen(HostConfig={"AutoRemove": True}), {}, ContainerAction.REFUSED, "--rm"),
        (seen(State={"Paused": True}), {}, ContainerAction.REFUSED, "docker unpause app"),
        (seen(), {"neighbours": ("sidecar",)}, ContainerAction.REFUSED, "sidecar lives in its network"),
        (seen(HostConfig={"NetworkMode": "net"}), {}, ContainerAction.REFUSED, "taken out of it"),
        (seen(Mounts=MOUNTS[:1]), {"gateway": "main"}, ContainerAction.REFUSED, "/srv/userDataDir is on no"),
        (seen(Mounts=MOUNTS[1:]), {"gateway": "main"}, ContainerAction.REFUSED, "/srv/tokens is on no"),
        (
            seen(Mounts=[*MOUNTS[:1], {"Type": "tmpfs", "Destination": "/srv/userDataDir"}]),
            {"gateway": "main"},
            ContainerAction.REFUSED,
            "is on no volume",
        ),
        (
            seen(CLI, Mounts=[]),
            {"reads": None, "keys": ("--secretKey",)},
            ContainerAction.REFUSED,
            "paired anew",
        ),
        (
            seen(Mounts=[{"Type": "bind", "Destination": "/srv/"}]),
            {"gateway": "main"},
            ContainerAction.RECREATE,
            "",
        ),
        (seen(Mounts=[]), {}, ContainerAction.RECREATE, ""),
    ],
)
def test_judgement(
    container: dict[str, Any] | None, arguments: dict[str, Any], action: ContainerAction, words: str
) -> None:
    told = judged(container, **arguments)

    assert told.action is action
    assert words in told.why
    assert told.why.endswith(".")
    assert "new" not in told.why.replace("anew", "")


def test_every_key_that_differs_is_named_and_the_time_estimated() -> None:
    told = judged(seen(Config={"StopTimeout": 4}), keys=("TOKEN", "SECRET_KEY"))

    assert told.keys == ("TOKEN", "SECRET_KEY")
    assert told.down_seconds == 4


def doubtful(reads: tuple[str, ...] | None, **more: Any) -> Consequence:
    """Judge a container that was made from two files, and of which the files do not tell everything."""
    labels = COMPOSE | {"com.docker.compose.project.config_files": "/srv/project/a.yml,/srv/project/b.yml"}
    expectation = Expectation(
        container=ContainerSettings(name="app", folder="project", reads=reads),
        project_folder=Path("/mounted/elsewhere"),
        environment={"TOKEN": SecretStr("new")},
        **more,
    )
    return judge(expectation, seen(Labels=labels), neighbours=(), way=Way.ENGINE)


@pytest.mark.parametrize("doubt", ["unknown", "overridden"])
@pytest.mark.parametrize("reads", [("TOKEN",), None])
def test_what_the_files_do_not_tell_is_refused_and_named(doubt: str, reads: tuple[str, ...] | None) -> None:
    found = doubtful(reads, **{doubt: {"TOKEN": "b.env wins"}})

    assert found.action is ContainerAction.REFUSED
    assert found.why == "It cannot be told which TOKEN it has to run with; b.env wins"


@pytest.mark.parametrize("doubt", ["unknown", "overridden"])
def test_doubts_about_a_key_that_the_image_does_not_read_are_none(doubt: str) -> None:
    found = doubtful((), **{doubt: {"TOKEN": "b.env wins"}}, compose_files=("a.yml",))

    assert found.action is ContainerAction.NOT_READ


def test_a_container_made_from_other_files_is_refused_with_the_remedy() -> None:
    found = doubtful(("TOKEN",), compose_files=("a.yml",))

    assert found.action is ContainerAction.REFUSED
    assert found.why == (
        "It was made from a.yml, b.yml: say `compose_files: [a.yml, b.yml]` for it in the sync file, or run "
        "`docker compose up -d` once by hand."
    )


def test_files_in_a_folder_of_the_folder_are_the_same_ones() -> None:
    found = doubtful(("TOKEN",), compose_files=("docker/a.yml", "docker/b.yml"))

    assert found.action is ContainerAction.RECREATE


def test_a_container_may_be_made_from_fewer_files_than_there_are_now() -> None:
    found = doubtful(("TOKEN",), compose_files=("a.yml", "b.yml", "b.override.yml"))

    assert found.action is ContainerAction.RECREATE
