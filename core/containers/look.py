"""One pass over the listed containers: what Compose says of their projects, and what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.containers.compose import Compose, ComposeError, Service
from core.containers.engine import Engine, Inspection
from core.containers.inspection import SERVICE, labels_of, name_of
from core.containers.mirror import mirror_of
from core.containers.policy import DesiredConfig, dependants, desired_config, owners_of
from core.exceptions import StoreError
from core.logs import register_secret
from core.propagation.reach import Project, Wanted, WantedValue
from core.propagation.targets import ContainerSettings

SOUNDS_SECRET = ("KEY", "SECRET", "TOKEN", "PASS")
NO_COMPOSE = "Docker Compose 2 is not installed beside the sync"


@dataclass
class Look:
    """One pass over the listed containers."""

    engine: Engine
    compose: Compose | None
    wanted: Wanted
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

    def _asked(self, compose: Compose, project: Project) -> dict[str, Service]:
        if not self.wanted.changes:
            return compose.services(project)
        try:
            with mirror_of(compose.scratch, self.wanted.changes, project.directory) as mirror:
                return compose.services(project, mirror)
        except (StoreError, OSError) as error:
            raise ComposeError(f"no copy of its project can be made ({type(error).__name__})") from None


def what_prevents(look: Look, seen: Inspection, service: Service) -> str | None:
    """Say why Compose must not recreate a container, from what stands beside it."""
    if problem := access_problem(look.engine):
        return problem
    others = look.engine.inspect_all()
    hanging = dependants(seen, others)
    if hanging:
        shared = ", ".join(f"{name} ({what})" for name, what in sorted(hanging.items()))
        return f"Others hang on it and would lose it: {shared}. Recreate them together by hand."
    gone = [name for owners in owners_of(seen).values() for name in owners if not _runs(others, name)]
    if gone:
        return f"It hangs on a container that does not run: {', '.join(sorted(gone))}. Start that first."
    labels: Mapping[str, str] = labels_of(seen)
    # What a Compose that was killed left of a recreation is no second container: its next `up` sees to it.
    left_over = {name_of(seen), f"{seen['Id'][:12]}_{name_of(seen)}"}
    same = [one for one in others if _is_of(one, labels) and name_of(one) not in left_over]
    if same:
        names = ", ".join(sorted(name_of(one) for one in same))
        return f"Its service has other containers, which would be recreated with it: {names}."
    if service.image and look.engine.image_id(service.image) is None:
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


def _is_of(seen: Inspection, labels: Mapping[str, str]) -> bool:
    keys = ("com.docker.compose.project", SERVICE)
    return all(labels_of(seen).get(key) == labels.get(key) for key in keys)


def register_secrets_of(seen: Inspection) -> None:
    """Keep out of every text what a container may print when it fails."""
    for line in seen["Config"].get("Env") or ():
        key, _, value = line.partition("=")
        if any(word in key.upper() for word in SOUNDS_SECRET):
            register_secret(value)
