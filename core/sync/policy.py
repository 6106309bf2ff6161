"""What has to happen to a container, from its image, Compose and the engine. Pure functions."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.messages import Message
from core.sync.compose import Service
from core.sync.engine import (
    LABEL,
    SWARM_TASK,
    Inspection,
    environment_of,
    image_of,
    labels_of,
    name_of,
    project_of,
    value_in,
    words_of,
)
from core.sync.images import KnownImage, known_image, precious_folders
from core.sync.plan import ContainerAction, ContainerChange, WantedValue
from core.sync.readiness import down_seconds
from core.sync.targets import ContainerSettings


@dataclass(frozen=True)
class DesiredConfig:
    """What a container should run with, for the keys that targets write."""

    values: Mapping[str, str] = field(repr=False)
    """By variable or option."""
    overridden: Mapping[str, str]
    """Keys that a target writes for it and that it gets with another value, and the file of the target."""
    unknown: Message | None = None
    """Why Compose cannot be asked; the values are then those of the targets."""


def desired_config(service: Service, name: str, wanted: Sequence[WantedValue]) -> DesiredConfig:
    """Return the values of a service, as Compose reads it, for the keys of targets."""
    keys = {one.key for one in wanted}
    secrets = {one.value for one in wanted if one.value}
    # Also a variable of another name that takes over what a target writes.
    environment = service.environment
    values = {key: text for key, text in environment.items() if key in keys or text in secrets}
    values |= {key: text for key in keys if key.startswith("--") and (text := service.value(key)) is not None}
    reaching = [one for one in wanted if one.services is None or name in one.services]
    overridden = {
        one.key: one.file
        for one in reaching
        if one.must_arrive
        and one.key in values
        and values[one.key] not in {other.value for other in reaching if other.key == one.key}
    }
    return DesiredConfig(values, overridden)


def desired_of_targets(info: Inspection, wanted: Sequence[WantedValue], why: Message) -> DesiredConfig:
    """Return the values of targets, for a container of which Compose cannot be asked."""
    environment, words = environment_of(info), words_of(info)
    standing = [one for one in wanted if one.value and value_in(environment, words, one.key) is not None]
    values = {one.key: one.value for one in standing}
    return DesiredConfig(values, {}, why)


def differing(desired: DesiredConfig, info: Inspection) -> tuple[str, ...]:
    """Return the keys whose values a container does not run with."""
    environment, words = environment_of(info), words_of(info)
    return tuple(key for key, value in desired.values.items() if value_in(environment, words, key) != value)


def read_keys(container: ContainerSettings, info: Inspection) -> frozenset[str] | None:
    """Return the keys that its image reads: what the administrator says, or what is known; or None."""
    if container.reads is not None:
        return frozenset(container.reads)
    image = known_image(image_of(info))
    return image.reads if image else None


def judge(container: ContainerSettings, desired: DesiredConfig, info: Inspection) -> ContainerChange:
    """Return what carrying out would do to a container, regardless of other containers."""

    def change(action: ContainerAction, why: Message, **more: Any) -> ContainerChange:
        return ContainerChange(container=container.name, action=action, why=why, **more)

    known = read_keys(container, info)
    for key, file in desired.overridden.items():
        if known is None or key in known:
            return change(ContainerAction.REFUSED, _overridden(key, file, info), keys=(key,))
    keys = differing(desired, info)
    if not keys:
        return change(ContainerAction.NOTHING, Message.of("containers.runs_already"))
    listed = ", ".join(keys)
    if known is not None and not known & set(keys):
        why = Message.of("containers.not_read", image=image_of(info), keys=listed)
        return change(ContainerAction.NOT_READ, why, keys=keys)
    command = _command(info)
    if not info["State"]["Running"]:
        stopped = "containers.stopped" if command else "containers.stopped_by_hand"
        why = Message.of(stopped, keys=listed)
        return change(ContainerAction.NOTHING, why, keys=keys)
    if known is None:
        return change(ContainerAction.REFUSED, _unknown_image(container, keys, info), keys=keys)
    if desired.unknown:
        why = Message.of("containers.by_hand", keys=listed)
        return change(ContainerAction.BY_HAND, why, keys=keys, command=command, notes=(desired.unknown,))
    if problem := _problem(container, info):
        return change(ContainerAction.REFUSED, problem, keys=keys)
    why = Message.of("containers.recreated")
    return change(ContainerAction.RECREATE, why, keys=keys, down_seconds=down_seconds(info))


def dependants(info: Inspection, others: Sequence[Inspection]) -> dict[str, str]:
    """Return the containers, running or stopped, that depend on this one, with what they share."""
    mine = {info["Id"], info["Id"][:12], name_of(info)}
    found = {}
    for other in others:
        if other["Id"] == info["Id"]:
            continue
        for what, owners in _owners(other).items():
            if owners & mine:
                found[name_of(other)] = what
    return found


def owners_of(info: Inspection) -> dict[str, frozenset[str]]:
    """Return the containers on which this one hangs, by what it shares with them."""
    return {what: owners for what, owners in _owners(info).items() if owners}


def is_gateway(container: ContainerSettings, info: Inspection) -> bool:
    """Whether sessions live in a container."""
    image = known_image(image_of(info))
    return bool(container.gateway or (image and image.is_gateway))


def _owners(info: Inspection) -> dict[str, frozenset[str]]:
    host = info["HostConfig"]
    shared = {
        "network": host.get("NetworkMode"),
        "process space": host.get("PidMode"),
        "memory": host.get("IpcMode"),
    }
    owners = {
        what: frozenset({str(mode).partition(":")[2]} if str(mode or "").startswith("container:") else ())
        for what, mode in shared.items()
    }
    links = (str(one).partition(":")[0].lstrip("/") for one in host.get("Links") or ())
    volumes = (str(one).partition(":")[0].lstrip("/") for one in host.get("VolumesFrom") or ())
    return {**owners, "links": frozenset(links), "volumes": frozenset(volumes)}


def _overridden(key: str, file: str, info: Inspection) -> Message:
    project = project_of(info)
    read = ", ".join(str(one) for one in (*project.env_files, *project.files)) if project else ""
    return Message.of("containers.overridden", key=key, file=file, files=read)


def _unknown_image(container: ContainerSettings, keys: Sequence[str], info: Inspection) -> Message:
    return Message.of(
        "containers.image_unknown",
        image=image_of(info),
        name=container.name,
        keys=str(list(keys)),
        differing=", ".join(keys),
    )


def _command(info: Inspection) -> str:
    project = project_of(info)
    return project.command([labels_of(info)[f"{LABEL}service"]]) if project else ""


def _problem(container: ContainerSettings, info: Inspection) -> Message | None:
    """Return why a container must not be recreated, with the next step."""
    if SWARM_TASK in labels_of(info):
        return Message.of("containers.swarm")
    if info["HostConfig"].get("AutoRemove") or labels_of(info).get(f"{LABEL}oneoff") == "True":
        return Message.of("containers.by_run")
    if info["State"].get("Paused"):
        return Message.of("containers.paused", name=container.name)
    return _unmounted(container, info)


def _unmounted(container: ContainerSettings, info: Inspection) -> Message | None:
    """Return which folder of a gateway would be lost with its container."""
    if not is_gateway(container, info):
        return None
    image: KnownImage | None = known_image(image_of(info))
    mounted = [posixpath.normpath(one["Destination"]) for one in info["Mounts"] if one["Type"] != "tmpfs"]
    working_directory = info["Config"].get("WorkingDir") or "/"
    for folder in precious_folders(image, working_directory, environment_of(info)):
        if not any(folder == one or folder.startswith(f"{one.rstrip('/')}/") for one in mounted):
            return Message.of("containers.folder_on_no_volume", folder=folder)
    return None
