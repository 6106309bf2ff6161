"""What has to happen to a container, from what the files say and what the engine tells. Pure functions."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

from core.containers.blueprint import CannotCopyError, argument_of, blueprint, environment_of
from core.containers.engine import Inspection
from core.containers.images import known_image, precious_folders
from core.containers.readiness import down_seconds
from core.propagation.reach import Consequence, ContainerAction, Expectation

WORKING_DIRECTORY = "com.docker.compose.project.working_dir"
CONFIG_FILES = "com.docker.compose.project.config_files"
SWARM_TASK = "com.docker.swarm.task.id"
ONCE_MORE = "the next `docker compose up -d` recreates it once more"


class Way(Enum):
    """How a container is recreated."""

    COMPOSE = auto()
    ENGINE = auto()
    ENGINE_LEAVING_CHANGES = auto()
    """Compose would bring along what else waits in the files."""


@dataclass(frozen=True)
class Difference:
    """The keys whose values a container does not run with."""

    keys: tuple[str, ...]
    read: tuple[str, ...]
    """Those of them that its image reads."""


def judge(
    expectation: Expectation, seen: Inspection | None, *, neighbours: Sequence[str], way: Way
) -> Consequence:
    """Tell what carrying out would do to a container, and in words why.

    `neighbours` are the containers that live in its network.
    """
    name = expectation.container.name

    def consequence(action: ContainerAction, why: str, **more: Any) -> Consequence:
        return Consequence(container=name, action=action, why=why, **more)

    if seen is None:
        return consequence(ContainerAction.ABSENT, f"There is no container {name}: the next `up` makes it.")
    blind = _blind(expectation, seen)
    if blind:
        return consequence(ContainerAction.REFUSED, blind)
    found = difference(expectation, seen)
    if not found.keys:
        return consequence(ContainerAction.NOTHING, "It runs with these values already.")
    keys = ", ".join(found.keys)
    if found.read == () and reads(expectation, seen) is not None:
        why = f"Written, no restart needed: its image {image_of(seen)} does not read {keys}."
        return consequence(ContainerAction.NOT_READ, why, keys=found.keys)
    if not seen["State"]["Running"]:
        why = (
            f"It is stopped. Bring it up with `docker compose up -d`: `docker start` keeps the old {keys}."
            if WORKING_DIRECTORY in labels_of(seen)
            else f"It is stopped, and keeps the old {keys} when it is started. Create it anew."
        )
        return consequence(ContainerAction.NOTHING, why, keys=found.keys)
    problem = _problem(expectation, seen, found, neighbours)
    if problem:
        return consequence(ContainerAction.REFUSED, problem, keys=found.keys)
    return consequence(
        ContainerAction.RECREATE,
        _means(seen, way),
        keys=found.keys,
        down_seconds=down_seconds(seen),
    )


def difference(expectation: Expectation, seen: Inspection) -> Difference:
    """Find the keys whose values the container does not run with."""
    environment = environment_of(seen)
    keys = [
        key
        for key, value in expectation.environment.items()
        if environment.get(key) != value.get_secret_value()
    ]
    keys += [
        option
        for option, value in expectation.arguments.items()
        if argument_of(seen, option) != value.get_secret_value()
    ]
    known = reads(expectation, seen)
    return Difference(tuple(keys), tuple(key for key in keys if known is not None and key in known))


def reads(expectation: Expectation, seen: Inspection) -> frozenset[str] | None:
    """Tell which keys the container's image reads: what the administrator says, or what is known; or None."""
    if expectation.container.reads is not None:
        return frozenset(expectation.container.reads)
    image = known_image(image_of(seen))
    return image.reads if image else None


def image_of(seen: Inspection) -> str:
    """Name the image that a container was made from."""
    return str(seen["Config"]["Image"])


def labels_of(seen: Inspection) -> dict[str, str]:
    """Return a container's labels."""
    return seen["Config"].get("Labels") or {}


def compose_folder(seen: Inspection) -> Path | None:
    """Return the project folder from which Compose made a container; None when it did not."""
    folder = labels_of(seen).get(WORKING_DIRECTORY)
    return Path(folder) if folder else None


def _means(seen: Inspection, way: Way) -> str:
    if way is Way.COMPOSE:
        return "It is recreated by Compose, from its own folder."
    if way is Way.ENGINE_LEAVING_CHANGES:
        return (
            "It is recreated through the Docker Engine, without the other changes that wait in its compose "
            "file or image; the next `docker compose up -d` brings them."
        )
    if compose_folder(seen):
        return f"It is recreated through the Docker Engine; {ONCE_MORE}."
    return "It is recreated through the Docker Engine."


def _problem(
    expectation: Expectation, seen: Inspection, found: Difference, neighbours: Sequence[str]
) -> str | None:
    """Say why a container must not be recreated, with the next step."""
    name = expectation.container.name
    if reads(expectation, seen) is None:
        keys = ", ".join(found.keys)
        return (
            f"It is not known which keys the image {image_of(seen)} reads: say so with `reads` for container "
            f"{name} in the sync file, for example reads = {list(found.keys)}, or [] when it reads none. "
            f"Not the same: {keys}."
        )
    for option in expectation.arguments:
        if option in found.read and argument_of(seen, option) is None:
            return f"Its command has no {option} to replace: run `docker compose up -d` once by hand."
    if SWARM_TASK in labels_of(seen):
        return "It belongs to a Swarm service, which alone may replace it: use `docker service update`."
    if seen["HostConfig"].get("AutoRemove"):
        return "It was started with --rm: the engine deletes it when it stops, and nothing could be put back."
    if seen["State"].get("Paused"):
        return f"It is paused: `docker unpause {name}` first."
    if neighbours:
        return (
            f"{' and '.join(neighbours)} lives in its network and would lose it: recreate both by hand with "
            "`docker compose up -d`."
        )
    try:
        blueprint(seen)
    except CannotCopyError as error:
        return f"It cannot be made anew as it is: {error}."
    return _unmounted(expectation, seen)


def _blind(expectation: Expectation, seen: Inspection) -> str | None:
    """Say why the files do not tell what the container has to run with, for keys that its image reads."""
    known = reads(expectation, seen)
    doubts = {**expectation.overridden, **expectation.unknown}
    for key, why in doubts.items():
        if known is None or key in known:
            return f"It cannot be told which {key} it has to run with; {why}"
    if known is not None and not known & {*expectation.environment, *expectation.arguments}:
        return None
    folder = labels_of(seen).get(WORKING_DIRECTORY, "")
    made_from = [
        posixpath.relpath(one, folder) for one in labels_of(seen).get(CONFIG_FILES, "").split(",") if one
    ]
    files = expectation.compose_files
    looked_into = {posixpath.relpath(one, posixpath.dirname(files[0]) or ".") for one in files}
    if files and not set(made_from) <= looked_into:
        listed = ", ".join(made_from)
        return (
            f"It was made from {listed}: say `compose_files: [{listed}]` for it in the sync file, or run "
            "`docker compose up -d` once by hand."
        )
    return None


def _unmounted(expectation: Expectation, seen: Inspection) -> str | None:
    """Say which folder of a gateway would be lost with its container."""
    image = known_image(image_of(seen))
    if not expectation.container.gateway and not (image and image.is_gateway):
        return None
    mounted = [posixpath.normpath(one["Destination"]) for one in seen["Mounts"] if one["Type"] != "tmpfs"]
    working_directory = seen["Config"].get("WorkingDir") or "/"
    for folder in precious_folders(image, working_directory, environment_of(seen)):
        if not any(folder == one or folder.startswith(f"{one.rstrip('/')}/") for one in mounted):
            return (
                f"Its folder {folder} is on no volume: every session would have to be paired anew. Put it on "
                "a volume first (copy what is in it with `docker cp`)."
            )
    return None
