"""Pending changes of a container's files: recreating it applies them too, so a plan names them.

Compose marks a container with a hash of what its files said of the service. With the old values put back for
our keys, the files have to give that hash again.
"""

from __future__ import annotations

import copy
import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.messages import Message
from core.sync.compose import Compose, ComposeError, Service
from core.sync.engine import (
    CONFIG_HASH,
    VERSION,
    Engine,
    Inspection,
    argument_in,
    environment_of,
    labels_of,
    words_of,
)
from core.sync.plan import Project, Touched, Wanted
from core.sync.projects import FILE_KINDS, Projects
from core.sync.value_span import escaped

_log = logging.getLogger(__name__)

IMAGE = "image"
SETTINGS = "settings of the service"
PLACES = "volumes or networks"
REMAKES = re.compile(r"^\s*DRY-RUN MODE -\s+(?:Network|Volume)\s", re.MULTILINE)
"""A network or volume that Compose makes anew costs all who use it."""
RECREATES = re.compile(r"^\s*DRY-RUN MODE -\s+Container \S+\s+Recreate\b", re.MULTILINE)
"""Where hash and image are the same, the volumes or networks that the files name are others."""


def pending_changes(
    compose: Compose,
    engine: Engine,
    touched: Touched,
    keys: frozenset[str],
    info: Inspection,
    config: dict[str, Any],
    *,
    ours: bool,
) -> tuple[str, ...]:
    """Name what Compose would change of a container besides the keys; raises ComposeError.

    `config` is its project as the files are now. `ours`: its host name came from us when Compose made it.
    """
    service = (config.get("services") or {}).get(touched.service)
    if service is None:
        raise ComposeError(Message.of("containers.service_gone", service=touched.service))
    present = environment_of(info)
    image = str(service.get("image") or f"{touched.project.name}-{touched.service}")
    found = [f"{IMAGE} {image}"] if engine.image_id(image) != info["Image"] else []
    is_of_image = bool(found)
    found += sorted(
        key
        for key, value in Service(service).environment.items()
        if key not in keys and present.get(key) != value
    )
    before = _with_old_values(config, touched.service, keys, info)
    if ours:
        before["services"][touched.service]["hostname"] = touched.host_name
    rehearsed = compose.rehearse(touched.project, touched.service, before)
    is_elsewhere = bool(REMAKES.search(rehearsed))
    if not is_of_another_compose(compose, info):
        mark = compose.config_hashes(touched.project, before).get(touched.service)
        if mark != labels_of(info).get(CONFIG_HASH):
            found.append(SETTINGS)
        elif not is_of_image and RECREATES.search(rehearsed):
            is_elsewhere = True
    return (*found, PLACES) if is_elsewhere else tuple(found)


def changed_by_file(projects: Projects, project: Project, service: Service) -> list[str]:
    """Name the secrets and configs of a service whose content a plan changes; raises ComposeError.

    Compose puts them into the container as files: neither its mark nor the engine says what is in them.
    """
    mounted = [(kind, one["source"]) for kind in FILE_KINDS for one in service.config.get(kind) or ()]
    if not projects.changes or not mounted:
        return []
    before, after = projects.file_contents(project)
    return [name for kind, name in mounted if before.get((kind, name)) != after.get((kind, name))]


def is_of_another_compose(compose: Compose, info: Inspection) -> bool:
    """Whether another version of Compose made a container: then a differing hash proves nothing."""
    return labels_of(info).get(VERSION, compose.version) != compose.version


def due_at_next_up(
    projects: Projects, made: Mapping[str, tuple[Project, str]], wanted: Wanted
) -> Iterator[str]:
    """Name the containers that the next `up` of their owner recreates because of a plan's changes.

    `made` holds the project and service of every container that Compose made.
    """
    for name, (project, service) in made.items() if projects.installed and wanted.changes else ():
        if not project.is_here or not _may_read(project, wanted):
            continue
        try:
            before, after = projects.present(project), projects.planned(project)
        except ComposeError as error:
            _log.warning("sync_next_up_unknown project=%s problem=%s", project.name, error)
            continue
        after = json.loads(projects.scratch.without_root(json.dumps(after)))
        if _without_build(before, service) != _without_build(after, service):
            yield name


def _without_build(config: dict[str, Any], service: str) -> dict[str, Any]:
    """Return a service's configuration but for its build, which `up` does not look at."""
    found = (config.get("services") or {}).get(service) or {}
    return {key: value for key, value in found.items() if key != "build"}


def _may_read(project: Project, wanted: Wanted) -> bool:
    folders = [one.resolve() for one in wanted.folders.values()]
    directory = project.directory.resolve()
    return any(directory.is_relative_to(one) or one.is_relative_to(directory) for one in folders)


def _with_old_values(
    config: dict[str, Any], service: str, keys: frozenset[str], info: Inspection
) -> dict[str, Any]:
    """Return what Compose reads with the values that the container runs with, for our keys alone."""
    changed: dict[str, Any] = copy.deepcopy(config)
    wanted = changed["services"][service]
    environment = environment_of(info)
    variables = wanted.get("environment") or {}
    for key in keys & variables.keys():
        if key in environment:
            variables[key] = escaped(environment[key])
        else:
            variables.pop(key)
    words = words_of(info)
    options = {key: argument_in(words, key) for key in keys if key.startswith("--")}
    old = {key: escaped(value) for key, value in options.items() if value is not None}
    for part in ("command", "entrypoint"):
        if wanted.get(part):
            wanted[part] = _with_arguments(wanted[part], old)
    return changed


def _with_arguments(words: list[str], changes: Mapping[str, str]) -> list[str]:
    changed = []
    before = ""
    for word in words:
        option, equals, _ = word.partition("=")
        if before in changes:
            changed.append(changes[before])
        elif equals and option in changes:
            changed.append(f"{option}={changes[option]}")
        else:
            changed.append(word)
        before = "" if before in changes else word
    return changed
