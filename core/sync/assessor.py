"""What would happen to each listed container, from the files, Compose and the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from core.exceptions import ContainerError, StoreError
from core.logs import register_secret
from core.sync.compose import Compose, ComposeError, Service
from core.sync.container_access import (
    Consequence,
    ContainerAction,
    Project,
    Touched,
    Wanted,
    WantedValue,
)
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
from core.sync.policy import (
    DesiredConfig,
    dependants,
    desired_config,
    desired_of_targets,
    is_gateway,
    judge,
    owners_of,
)
from core.sync.readiness import health_of
from core.sync.scratch_copy import scratch_copy
from core.sync.targets import ContainerSettings

SOUNDS_SECRET = ("KEY", "SECRET", "TOKEN", "PASS")
NO_COMPOSE = "Docker Compose 2 is not installed beside the sync"


@dataclass(frozen=True)
class Assessment:
    """What would happen to one container, and what it takes."""

    consequence: Consequence
    touched: Touched | None = None

    @property
    def is_due(self) -> bool:
        """Whether it is recreated."""
        return self.consequence.action is ContainerAction.RECREATE


@dataclass
class Assessor:
    """One pass over the listed containers; Compose is asked once for each project."""

    engine: Engine
    compose: Compose | None
    wanted: Wanted
    sessions_of: Callable[[ContainerSettings], tuple[str, ...]]
    services: dict[Project, dict[str, Service]] = field(default_factory=dict)

    def container(self, name: str) -> ContainerSettings | None:
        """Return the settings of a listed container."""
        return next((one for one in self.wanted.containers if one.name == name), None)

    def services_of(self, project: Project) -> dict[str, Service]:
        """Ask Compose once for each project; raises ComposeError."""
        if self.compose is None:
            raise ComposeError(NO_COMPOSE)
        if not project.is_here:
            raise ComposeError(f"the files of its project are not all found in {project.directory} here")
        if project not in self.services:
            self.services[project] = self._asked(self.compose, project)
        return self.services[project]

    def desired(self, project: Project, service: str, values: Sequence[WantedValue]) -> DesiredConfig:
        """Return what Compose says that a service runs with; raises ComposeError."""
        found = self.services_of(project).get(service)
        if found is None:
            raise ComposeError(f"its project has no service {service} any more")
        return desired_config(found, service, values)

    def assess_for_plan(self, container: ContainerSettings) -> Assessment:
        """Say what would happen to a container; never raises."""
        try:
            return self.assess(container, is_plan=True)
        except ContainerError as error:
            return Assessment(_refused(container, sentence(error)))

    def assess(self, container: ContainerSettings, *, is_plan: bool) -> Assessment:
        """Say what happens to a container; raises ContainerError. `is_plan`: also what else comes along."""
        info = self.engine.inspect(container.name)
        values = self.wanted.values_for(container)
        for one in values:
            register_secret(one.value)
        if info is None:
            why = f"There is no container {container.name}: the next `up` makes it."
            return Assessment(Consequence(container=container.name, action=ContainerAction.ABSENT, why=why))
        _register_secrets_of(info)
        project, has_host_name = self._project(info)
        service = labels_of(info).get(SERVICE, "")
        desired = self._desired(container, info, project)
        consequence = judge(container, desired, info)
        if consequence.action is not ContainerAction.RECREATE or project is None or self.compose is None:
            return Assessment(consequence)
        found = self.services_of(project)[service]
        if problem := _what_prevents(self.engine, info, found):
            return Assessment(_refused(container, problem, consequence.keys))
        touched = Touched(
            name=container.name,
            old_id=info["Id"],
            service=service,
            project=project,
            host_name="" if found.host_name or not is_gateway(container, info) else host_name_of(info),
            was_healthy=health_of(info) in (None, "healthy"),
        )
        if is_plan:
            consequence = self._with_waiting(self.compose, touched, consequence, info, has_host_name)
        if container.gateway:
            sessions = tuple(f"{container.gateway}/{one}" for one in self.sessions_of(container))
            consequence = consequence.model_copy(update={"sessions": sessions})
        return Assessment(consequence, touched)

    def due_at_next_up(self) -> tuple[str, ...]:
        """Name the containers that the next `up` of their owner recreates."""
        if self.compose is None or not self.wanted.changes:
            return ()
        try:
            return tuple(due_at_next_up(self.compose, self.engine, self.wanted))
        except ContainerError:
            return ()  # Without the engine there is nothing to name.

    def _asked(self, compose: Compose, project: Project) -> dict[str, Service]:
        if not self.wanted.changes:
            return compose.services(project)
        try:
            with scratch_copy(compose.scratch, self.wanted.changes, project.directory) as scratch:
                return compose.services(project, scratch)
        except (StoreError, OSError) as error:
            raise ComposeError(f"no copy of its project can be made ({type(error).__name__})") from None

    def _project(self, info: Inspection) -> tuple[Project | None, bool]:
        project = project_of(info)
        if project is None or self.compose is None:
            return project, False
        return self.compose.strip_ours(project)

    def _desired(
        self, container: ContainerSettings, info: Inspection, project: Project | None
    ) -> DesiredConfig:
        values = self.wanted.values_for(container)
        if project is None:
            return desired_of_targets(info, values, "Compose did not make it.")
        service = labels_of(info).get(SERVICE, "")
        try:
            desired = self.desired(project, service, values)
            name = self.services_of(project)[service].container_name
        except ComposeError as error:
            return desired_of_targets(info, values, sentence(error))
        if name and name != container.name:
            return desired_of_targets(info, values, f"Its files name it {name} now.")
        return desired

    def _with_waiting(
        self,
        compose: Compose,
        touched: Touched,
        consequence: Consequence,
        info: Inspection,
        has_host_name: bool,
    ) -> Consequence:
        keys = frozenset(consequence.keys)
        waiting = pending_changes(compose, self.engine, touched, keys, info, ours=has_host_name)
        notes = []
        if waiting:
            notes.append(f"Other changes wait in its files and come along: {', '.join(waiting)}.")
        if is_of_another_compose(compose, info):
            notes.append("Another Compose made it, so it cannot be told whether more waits in its files.")
        if touched.host_name:
            notes.append(
                f"It keeps its host name {touched.host_name}, which its browser profiles need; write "
                f"`hostname: {touched.host_name}` into its file, or your own next `up` gives it another one."
            )
        return consequence.model_copy(update={"waiting": waiting, "notes": tuple(notes)})


def sentence(error: ContainerError | str) -> str:
    """Write what went wrong as a sentence of its own."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _what_prevents(engine: Engine, info: Inspection, service: Service) -> str | None:
    """Say why Compose must not recreate a container, from what stands beside it."""
    if problem := access_problem(engine):
        return problem
    others = engine.inspect_all()
    hanging = dependants(info, others)
    if hanging:
        shared = ", ".join(f"{name} ({what})" for name, what in sorted(hanging.items()))
        return f"Others hang on it and would lose it: {shared}. Recreate them together by hand."
    gone = [name for owners in owners_of(info).values() for name in owners if not _runs(others, name)]
    if gone:
        return f"It hangs on a container that does not run: {', '.join(sorted(gone))}. Start that first."
    labels: Mapping[str, str] = labels_of(info)
    # What a Compose that was killed left of a recreation is no second container: its next `up` sees to it.
    left_over = {name_of(info), f"{info['Id'][:12]}_{name_of(info)}"}
    same = [one for one in others if _is_of(one, labels) and name_of(one) not in left_over]
    if same:
        names = ", ".join(sorted(name_of(one) for one in same))
        return f"Its service has other containers, which would be recreated with it: {names}."
    if service.image and engine.image_id(service.image) is None:
        return f"The image {service.image} of its file is not on this machine: pull or build it first."
    return None


def access_problem(engine: Engine) -> str | None:
    """Say what a proxy in front of the engine has to let through; None when nothing is missing."""
    refused = engine.refused_calls()
    if not refused:
        return None
    return (
        f"The proxy in front of the engine at {engine.host} refuses calls that Compose needs: "
        f"{', '.join(refused)}. Let them through."
    )


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


def _refused(container: ContainerSettings, why: str, keys: tuple[str, ...] = ()) -> Consequence:
    return Consequence(container=container.name, action=ContainerAction.REFUSED, why=why, keys=keys)
