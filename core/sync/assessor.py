"""What would happen to each listed container, from the files, Compose and the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.exceptions import ContainerError
from core.logs import register_secret
from core.messages import Message
from core.sync.compose import ComposeError, Service
from core.sync.engine import (
    SERVICE,
    Engine,
    Inspection,
    host_name_of,
    labels_of,
    name_of,
    project_of,
)
from core.sync.pending_changes import due_at_next_up, is_of_another_compose, pending_changes
from core.sync.plan import (
    ContainerAction,
    ContainerChange,
    Project,
    Touched,
    Wanted,
    WantedValue,
)
from core.sync.policy import (
    DesiredConfig,
    dependants,
    desired_config,
    desired_of_targets,
    is_gateway,
    judge,
    owners_of,
)
from core.sync.projects import Projects
from core.sync.readiness import health_of
from core.sync.targets import ContainerSettings

SOUNDS_SECRET = ("KEY", "SECRET", "TOKEN", "PASS")


@dataclass(frozen=True)
class Assessment:
    """What would happen to one container, and what it takes."""

    change: ContainerChange
    touched: Touched | None = None

    @property
    def is_due(self) -> bool:
        """Whether it is recreated."""
        return self.change.action is ContainerAction.RECREATE


@dataclass
class Assessor:
    """One pass over the listed containers."""

    engine: Engine
    projects: Projects
    wanted: Wanted
    sessions_of: Callable[[ContainerSettings], tuple[str, ...]]

    def container(self, name: str) -> ContainerSettings | None:
        """Return the settings of a listed container."""
        return next((one for one in self.wanted.containers if one.name == name), None)

    def services_of(self, project: Project) -> dict[str, Service]:
        """Return a project's services as Compose reads them; raises ComposeError."""
        self.projects.compose  # noqa: B018 - what is missing first is said first
        if not project.is_here:
            raise ComposeError(Message.of("containers.files_not_here", path=str(project.directory)))
        return self.projects.services(project)

    def desired(self, project: Project, service: str, values: Sequence[WantedValue]) -> DesiredConfig:
        """Return what Compose says that a service runs with; raises ComposeError."""
        found = self.services_of(project).get(service)
        if found is None:
            raise ComposeError(Message.of("containers.service_gone", service=service))
        return desired_config(found, service, values)

    def assess_for_plan(self, container: ContainerSettings) -> Assessment:
        """Return what would happen to a container; never raises ContainerError."""
        try:
            return self.assess(container, is_plan=True)
        except ContainerError as error:
            return Assessment(_refused(container, error.explanation))

    def assess(self, container: ContainerSettings, *, is_plan: bool) -> Assessment:
        """Return what happens to a container; raises ContainerError. `is_plan`: with pending changes."""
        info = self.engine.inspect(container.name)
        values = self.wanted.values_for(container)
        for one in values:
            register_secret(one.value)
        if info is None:
            why = Message.of("containers.absent", name=container.name)
            return Assessment(
                ContainerChange(container=container.name, action=ContainerAction.ABSENT, why=why)
            )
        _register_secrets_of(info)
        project, has_host_name = self._project(info)
        service = labels_of(info).get(SERVICE, "")
        desired = self._desired(container, info, project)
        change = judge(container, desired, info)
        if change.action is not ContainerAction.RECREATE or project is None:
            return Assessment(change)
        found = self.services_of(project)[service]
        if problem := _what_prevents(self.engine, info, found):
            return Assessment(_refused(container, problem, change.keys))
        touched = Touched(
            name=container.name,
            old_id=info["Id"],
            service=service,
            project=project,
            host_name="" if found.host_name or not is_gateway(container, info) else host_name_of(info),
            was_healthy=health_of(info) in (None, "healthy"),
        )
        if is_plan:
            change = self._with_waiting(touched, change, info, has_host_name)
        if container.gateway:
            sessions = tuple(f"{container.gateway}/{one}" for one in self.sessions_of(container))
            change = change.model_copy(update={"sessions": sessions})
        return Assessment(change, touched)

    def due_at_next_up(self) -> tuple[str, ...]:
        """Name the containers that the next `up` of their owner recreates."""
        if self.projects.installed is None or not self.wanted.changes:
            return ()
        try:
            return tuple(due_at_next_up(self.projects, self.engine, self.wanted))
        except ContainerError:
            return ()  # Without the engine there is nothing to name.

    def _project(self, info: Inspection) -> tuple[Project | None, bool]:
        project = project_of(info)
        compose = self.projects.installed
        return compose.strip_ours(project) if project and compose else (project, False)

    def _desired(
        self, container: ContainerSettings, info: Inspection, project: Project | None
    ) -> DesiredConfig:
        values = self.wanted.values_for(container)
        if project is None:
            return desired_of_targets(info, values, Message.of("containers.not_by_compose"))
        service = labels_of(info).get(SERVICE, "")
        try:
            desired = self.desired(project, service, values)
            name = self.services_of(project)[service].container_name
        except ComposeError as error:
            return desired_of_targets(info, values, error.explanation)
        if name and name != container.name:
            return desired_of_targets(info, values, Message.of("containers.named_otherwise", name=name))
        return desired

    def _with_waiting(
        self,
        touched: Touched,
        change: ContainerChange,
        info: Inspection,
        has_host_name: bool,
    ) -> ContainerChange:
        keys = frozenset(change.keys)
        compose, config = self.projects.compose, self.projects.present(touched.project)
        waiting = pending_changes(compose, self.engine, touched, keys, info, config, ours=has_host_name)
        notes = []
        if waiting:
            notes.append(Message.of("containers.waiting", names=", ".join(waiting)))
        if is_of_another_compose(compose, info):
            notes.append(Message.of("containers.another_compose"))
        if touched.host_name:
            notes.append(Message.of("containers.host_name_kept", name=touched.host_name))
        return change.model_copy(update={"waiting": waiting, "notes": tuple(notes)})


def _what_prevents(engine: Engine, info: Inspection, service: Service) -> Message | None:
    """Return why Compose must not recreate a container because of other containers or its image."""
    if problem := access_problem(engine):
        return problem
    others = engine.inspect_all()
    hanging = dependants(info, others)
    if hanging:
        shared = ", ".join(f"{name} ({what})" for name, what in sorted(hanging.items()))
        return Message.of("containers.dependants", names=shared)
    gone = [name for owners in owners_of(info).values() for name in owners if not _runs(others, name)]
    if gone:
        return Message.of("containers.owner_down", names=", ".join(sorted(gone)))
    labels: Mapping[str, str] = labels_of(info)
    # What a Compose that was killed left of a recreation is no second container: its next `up` sees to it.
    left_over = {name_of(info), f"{info['Id'][:12]}_{name_of(info)}"}
    same = [one for one in others if _is_of(one, labels) and name_of(one) not in left_over]
    if same:
        names = ", ".join(sorted(name_of(one) for one in same))
        return Message.of("containers.other_containers", names=names)
    if service.image and engine.image_id(service.image) is None:
        return Message.of("containers.image_missing", image=service.image)
    return None


def access_problem(engine: Engine) -> Message | None:
    """Return what a proxy in front of the engine has to let through; None if nothing is missing."""
    refused = engine.refused_calls()
    if not refused:
        return None
    return Message.of("containers.proxy_refuses", host=engine.host, calls=", ".join(refused))


def _runs(others: Sequence[Inspection], name: str) -> bool:
    return any(
        one["State"]["Running"] and (one["Id"].startswith(name) or name_of(one) == name) for one in others
    )


def _is_of(info: Inspection, labels: Mapping[str, str]) -> bool:
    keys = ("com.docker.compose.project", SERVICE)
    return all(labels_of(info).get(key) == labels.get(key) for key in keys)


def _register_secrets_of(info: Inspection) -> None:
    """Keep out of every text what a container may print when it fails."""
    for line in info["Config"].get("Env") or ():
        key, _, value = line.partition("=")
        if any(word in key.upper() for word in SOUNDS_SECRET):
            register_secret(value)


def _refused(container: ContainerSettings, why: Message, keys: tuple[str, ...] = ()) -> ContainerChange:
    return ContainerChange(container=container.name, action=ContainerAction.REFUSED, why=why, keys=keys)
