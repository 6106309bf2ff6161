"""What happens to each listed container, by what Compose says of its project and the engine of what runs."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from core.exceptions import ContainerError
from core.logs import register_secret
from core.messages import Message
from core.sync.compose import ComposeError, Service
from core.sync.engine import (
    LABEL,
    PROJECT,
    SERVICE,
    SWARM_TASK,
    Engine,
    Inspection,
    down_seconds,
    environment_of,
    health_of,
    host_name_of,
    image_of,
    labels_of,
    name_of,
    project_of,
    value_in,
    words_of,
)
from core.sync.images import keys_read, known_image, precious_folders
from core.sync.pending_changes import (
    changed_by_file,
    due_at_next_up,
    is_of_another_compose,
    pending_changes,
)
from core.sync.plan import ContainerAction, ContainerChange, Project, Touched, Wanted, WantedValue
from core.sync.projects import Projects
from core.sync.targets import ContainerSettings

SOUNDS_SECRET = ("KEY", "SECRET", "TOKEN", "PASS")
SHARED = {"NetworkMode": "network", "PidMode": "process space", "IpcMode": "memory"}
LISTED = {"Links": "links", "VolumesFrom": "volumes"}
"""What a container may share with another one, by the part of its host configuration."""


@dataclass(frozen=True)
class DesiredConfig:
    """What a container should run with, for the keys that targets write."""

    values: Mapping[str, str] = field(repr=False)
    """By variable or option."""
    unknown: Message | None = None
    """Why Compose cannot be asked; the values are then those of the targets."""

    def differing(self, info: Inspection) -> tuple[str, ...]:
        """Return the keys whose values a container does not run with."""
        environment, words = environment_of(info), words_of(info)
        return tuple(key for key, value in self.values.items() if value_in(environment, words, key) != value)


@dataclass
class Assessor:
    """One pass over the listed containers."""

    engine: Engine
    projects: Projects
    wanted: Wanted
    sessions_of: Callable[[ContainerSettings], tuple[str, ...]]

    @cached_property
    def made_by_compose(self) -> dict[str, tuple[Project, str]]:
        """The project and service of every container that Compose made; empty without the engine."""
        try:
            listed = self.engine.list_all()
        except ContainerError:
            return {}
        found = {}
        for one in listed:
            labels = one["Labels"] or {}
            project, _ = self._project(labels)
            if project and one["Names"]:
                found[str(one["Names"][0]).lstrip("/")] = (project, labels[SERVICE])
        return found

    def changes(self) -> tuple[ContainerChange, ...]:
        """Return what would happen to containers; never raises for one of them or an absent engine."""
        found = {}
        for one in self.wanted.containers:
            try:
                found[one.name] = self.assess(one, is_plan=True)[0]
            except ContainerError as error:
                found[one.name] = _change(one, ContainerAction.REFUSED, error.explanation)
        for name in due_at_next_up(self.projects, self.made_by_compose, self.wanted):
            present = found.get(name)
            if present is None or present.action is ContainerAction.NOT_READ:
                why = Message.of("containers.next_up")
                found[name] = ContainerChange(container=name, action=ContainerAction.NEXT_UP, why=why)
        return tuple(found.values())

    def assess(
        self, container: ContainerSettings, *, is_plan: bool
    ) -> tuple[ContainerChange, Touched | None]:
        """Return what happens to a container, and what Compose is told where it is recreated.

        `is_plan`: with what else changes. Raises ContainerError.
        """
        info = self.engine.inspect(container.name)
        for one in self.wanted.values_for(container):
            register_secret(one.value)
        if info is None:
            why = Message.of("containers.absent", name=container.name)
            return _change(container, ContainerAction.ABSENT, why), None
        _register_secrets_of(info)
        service: Service | None = None
        project, has_host_name = self._project(labels_of(info))
        try:
            service = self._own_service(container, info, project)
        except ComposeError as error:
            desired = self._desired_of_targets(container, info, error.explanation)
        else:
            desired = desired_config(service, self.wanted.values_for(container))
        change = _judge(container, desired, info)
        is_left = change.action is ContainerAction.NOT_READ or not change.keys
        if is_plan and is_left and service and project:
            change = self._changed_by_file(container, info, project, service) or change
        if change.action is not ContainerAction.RECREATE or service is None or project is None:
            return change, None
        if problem := self._what_prevents(info, service):
            return _change(container, ContainerAction.REFUSED, problem, keys=change.keys), None
        touched = Touched(
            name=container.name,
            old_id=info["Id"],
            service=labels_of(info)[SERVICE],
            project=project,
            host_name="" if service.host_name or not _is_gateway(container, info) else host_name_of(info),
            was_healthy=health_of(info) in (None, "healthy"),
        )
        if is_plan:
            change = self._with_waiting(touched, change, info, has_host_name)
        if container.gateway:
            sessions = tuple(f"{container.gateway}/{one}" for one in self.sessions_of(container))
            change = change.model_copy(update={"sessions": sessions})
        return change, touched

    def desired(self, touched: Touched) -> DesiredConfig:
        """Return what Compose says that a container runs with; raises ComposeError."""
        container = next((one for one in self.wanted.containers if one.name == touched.name), None)
        values = self.wanted.values_for(container) if container else ()
        return desired_config(self._service(touched.project, touched.service), values)

    def _service(self, project: Project, name: str) -> Service:
        self.projects.compose  # noqa: B018 - what is missing first is said first
        if not project.is_here:
            raise ComposeError(Message.of("containers.files_not_here", path=str(project.directory)))
        found = self.projects.services(project).get(name)
        if found is None:
            raise ComposeError(Message.of("containers.service_gone", service=name))
        return found

    def _own_service(
        self, container: ContainerSettings, info: Inspection, project: Project | None
    ) -> Service:
        if project is None:
            raise ComposeError(Message.of("containers.not_by_compose"))
        service = self._service(project, labels_of(info)[SERVICE])
        if service.container_name not in ("", container.name):
            raise ComposeError(Message.of("containers.named_otherwise", name=service.container_name))
        return service

    def _project(self, labels: Mapping[str, str]) -> tuple[Project | None, bool]:
        """Return the project that labels name, without our host name file, and whether that was in it."""
        project = project_of(labels)
        compose = self.projects.installed
        return compose.strip_ours(project) if project and compose else (project, False)

    def _desired_of_targets(
        self, container: ContainerSettings, info: Inspection, unknown: Message
    ) -> DesiredConfig:
        environment, words = environment_of(info), words_of(info)
        wanted = self.wanted.values_for(container)
        standing = [one for one in wanted if one.value and value_in(environment, words, one.key) is not None]
        return DesiredConfig({one.key: one.value for one in standing}, unknown=unknown)

    def _changed_by_file(
        self, container: ContainerSettings, info: Inspection, project: Project, service: Service
    ) -> ContainerChange | None:
        names = changed_by_file(self.projects, project, service)
        if not names:
            return None
        command = project.command([labels_of(info)[SERVICE]])
        why = Message.of("containers.by_file", names=", ".join(names), command=command)
        return _change(container, ContainerAction.REFUSED, why)

    def _with_waiting(
        self, touched: Touched, change: ContainerChange, info: Inspection, has_host_name: bool
    ) -> ContainerChange:
        compose, config = self.projects.compose, self.projects.present(touched.project)
        keys = frozenset(change.keys)
        waiting = pending_changes(compose, self.engine, touched, keys, info, config, ours=has_host_name)
        notes = []
        if waiting:
            notes.append(Message.of("containers.waiting", names=", ".join(waiting)))
        if is_of_another_compose(compose, info):
            notes.append(Message.of("containers.another_compose"))
        if touched.host_name:
            notes.append(Message.of("containers.host_name_kept", name=touched.host_name))
        return change.model_copy(update={"waiting": waiting, "notes": tuple(notes)})

    @cached_property
    def _access_problem(self) -> Message | None:
        return access_problem(self.engine)

    @cached_property
    def _others(self) -> list[Inspection]:
        return self.engine.inspect_all()

    def _what_prevents(self, info: Inspection, service: Service) -> Message | None:
        """Return why Compose must not recreate a container because of other containers or its image."""
        if self._access_problem:
            return self._access_problem
        others = self._others
        if hanging := dependants(info, others):
            shared = ", ".join(f"{name} ({what})" for name, what in sorted(hanging.items()))
            return Message.of("containers.dependants", names=shared)
        owners = sorted(name for found in _owners(info).values() for name in found)
        if gone := [name for name in owners if not _runs(others, name)]:
            return Message.of("containers.owner_down", names=", ".join(gone))
        labels = labels_of(info)
        # What a killed Compose left of a recreation is no second container: its next `up` sees to it.
        left_over = {name_of(info), f"{info['Id'][:12]}_{name_of(info)}"}
        same = [
            name_of(one)
            for one in others
            if name_of(one) not in left_over
            and all(labels_of(one).get(key) == labels.get(key) for key in (PROJECT, SERVICE))
        ]
        if same:
            return Message.of("containers.other_containers", names=", ".join(sorted(same)))
        if service.image and self.engine.image_id(service.image) is None:
            return Message.of("containers.image_missing", image=service.image)
        return None


def desired_config(service: Service, wanted: Sequence[WantedValue]) -> DesiredConfig:
    """Return the values of a service, as Compose reads it, for the keys of targets."""
    keys = {one.key for one in wanted}
    secrets = {one.value for one in wanted if one.value}
    # Also a variable of another name that takes over what a target writes.
    values = {key: text for key, text in service.environment.items() if key in keys or text in secrets}
    values |= {key: text for key in keys if key.startswith("--") and (text := service.value(key)) is not None}
    return DesiredConfig(values)


def dependants(info: Inspection, others: Sequence[Inspection]) -> dict[str, str]:
    """Return the containers, running or stopped, that depend on this one, with what they share."""
    mine = {info["Id"], info["Id"][:12], name_of(info)}
    return {
        name_of(other): what
        for other in others
        if other["Id"] != info["Id"]
        for what, owners in _owners(other).items()
        if owners & mine
    }


def access_problem(engine: Engine) -> Message | None:
    """Return what a proxy in front of the engine has to let through; None if nothing is missing."""
    refused = engine.refused_calls()
    if not refused:
        return None
    return Message.of("containers.proxy_refuses", host=engine.host, calls=", ".join(refused))


def _change(
    container: ContainerSettings, action: ContainerAction, why: Message, **more: Any
) -> ContainerChange:
    return ContainerChange(container=container.name, action=action, why=why, **more)


def _judge(container: ContainerSettings, desired: DesiredConfig, info: Inspection) -> ContainerChange:
    """Return what to do to a container, regardless of other containers."""
    known = keys_read(container.reads, image_of(info))
    project = project_of(labels_of(info))
    keys = desired.differing(info)
    if not keys:
        return _change(container, ContainerAction.NOTHING, Message.of("containers.runs_already"))
    listed = ", ".join(keys)
    if known is not None and not known & set(keys):
        why = Message.of("containers.not_read", image=image_of(info), keys=listed)
        return _change(container, ContainerAction.NOT_READ, why, keys=keys)
    command = project.command([labels_of(info)[SERVICE]]) if project else ""
    if not info["State"]["Running"]:
        why = Message.of("containers.stopped" if command else "containers.stopped_by_hand", keys=listed)
        return _change(container, ContainerAction.NOTHING, why, keys=keys)
    if known is None:
        why = Message.of(
            "containers.image_unknown",
            image=image_of(info),
            name=container.name,
            keys=str(list(keys)),
            differing=listed,
        )
        return _change(container, ContainerAction.REFUSED, why, keys=keys)
    if desired.unknown:
        why = Message.of("containers.by_hand", keys=listed)
        return _change(
            container, ContainerAction.BY_HAND, why, keys=keys, command=command, notes=(desired.unknown,)
        )
    if problem := _why_not_recreated(container, info):
        return _change(container, ContainerAction.REFUSED, problem, keys=keys)
    why = Message.of("containers.recreated")
    return _change(container, ContainerAction.RECREATE, why, keys=keys, down_seconds=down_seconds(info))


def _why_not_recreated(container: ContainerSettings, info: Inspection) -> Message | None:
    """Return why a container must not be recreated, with the next step."""
    if SWARM_TASK in labels_of(info):
        return Message.of("containers.swarm")
    if info["HostConfig"].get("AutoRemove") or labels_of(info).get(f"{LABEL}oneoff") == "True":
        return Message.of("containers.by_run")
    if info["State"].get("Paused"):
        return Message.of("containers.paused", name=container.name)
    if not _is_gateway(container, info):
        return None
    mounted = [posixpath.normpath(one["Destination"]) for one in info["Mounts"] if one["Type"] != "tmpfs"]
    directory = info["Config"].get("WorkingDir") or "/"
    for folder in precious_folders(known_image(image_of(info)), directory, environment_of(info)):
        if not any(folder == one or folder.startswith(f"{one.rstrip('/')}/") for one in mounted):
            return Message.of("containers.folder_on_no_volume", folder=folder)
    return None


def _owners(info: Inspection) -> dict[str, set[str]]:
    """Return the containers on which this one hangs, by what it shares with them."""
    host = info["HostConfig"]
    modes = {what: str(host.get(part) or "").partition(":") for part, what in SHARED.items()}
    found = {what: {name} for what, (kind, _, name) in modes.items() if kind == "container"}
    return found | {
        what: {str(one).partition(":")[0].lstrip("/") for one in host.get(part) or ()}
        for part, what in LISTED.items()
    }


def _runs(others: Sequence[Inspection], name: str) -> bool:
    return any(
        one["State"]["Running"] and (one["Id"].startswith(name) or name_of(one) == name) for one in others
    )


def _is_gateway(container: ContainerSettings, info: Inspection) -> bool:
    image = known_image(image_of(info))
    return bool(container.gateway or (image and image.is_gateway))


def _register_secrets_of(info: Inspection) -> None:
    """Keep out of every text what a container may print when it fails."""
    for key, value in environment_of(info).items():
        if any(word in key.upper() for word in SOUNDS_SECRET):
            register_secret(value)
