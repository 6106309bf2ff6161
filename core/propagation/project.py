"""What the files of a folder say together: names that Compose puts in, and what a service runs with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from core.propagation.compose_file import ComposeFile, Service
from core.propagation.env_file import EnvFile
from core.propagation.folders import FileMissingError, FileUnreadableError
from core.propagation.places import NotParseableError, interpolate
from core.propagation.targets import ContainerSettings, FileTarget, SyncSettings

DOTENV = ".env"
DEFAULT_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""In the order in which Compose looks for them."""

ReadText = Callable[[str, str], str]
"""Folder and file to text; raises FileMissingError, FileUnreadableError and NotParseableError."""

UNREADABLE = (FileMissingError, FileUnreadableError, NotParseableError)


@dataclass
class Environment:
    """What a service runs with."""

    variables: dict[str, str] = field(default_factory=dict, repr=False)
    options: dict[str, str] = field(default_factory=dict, repr=False)
    unknown: str = ""
    """Why more may be set than is known here."""


def names_for(folder: str, file: str, read: ReadText) -> dict[str, str]:
    """Return what Compose puts in for references: the `.env` beside the file, unless it is that itself."""
    if PurePosixPath(file).name == DOTENV:
        return {}
    try:
        return EnvFile(read(folder, _beside(file, DOTENV))).values()
    except UNREADABLE:
        return {}


def compose_files_of(container: ContainerSettings, settings: SyncSettings, read: ReadText) -> tuple[str, ...]:
    """Return the compose files of a container's project, in Compose's order."""
    for name in DEFAULT_FILES:
        if _is_there(container.folder, name, read):
            stem, _, suffix = name.rpartition(".")
            overrides = [f"{stem}.override.{one}" for one in dict.fromkeys((suffix, "yml", "yaml"))]
            present = [one for one in overrides if _is_there(container.folder, one, read)]
            return (name, *present[:1])
    listed = [
        target.file
        for target in settings.targets
        if isinstance(target, FileTarget) and target.is_compose and target.folder == container.folder
    ]
    return tuple(dict.fromkeys(listed))


def find_service(container: ContainerSettings, files: Mapping[str, ComposeFile]) -> str:
    """Return the service that a container belongs to; "" when none does."""
    services = [service for file in files.values() for service in file.services.values()]
    if container.service:
        return container.service if any(one.name == container.service for one in services) else ""
    for one in services:
        if one.container_name == container.name:
            return one.name
    return next((one.name for one in services if one.name == container.name), "")


def service_environment(
    container: ContainerSettings, name: str, files: Mapping[str, ComposeFile], read: ReadText
) -> Environment:
    """Resolve what a service runs with, as Compose does: env files first, then `environment`."""
    found = Environment()
    names = names_for(container.folder, next(iter(files)), read)
    parts = [(file, parsed.services[name]) for file, parsed in files.items() if name in parsed.services]
    for file, service in parts:
        if service.extends_file:
            found.unknown = f"{name} extends {service.extends_file}, which is not looked into"
        for env_file in service.env_files:
            try:
                text = read(container.folder, _beside(file, env_file))
                found.variables |= EnvFile(text).values(names)
            except UNREADABLE as error:
                found.unknown = str(error.args[0])
    for _, service in parts:
        _add_own(found, service, names)
    return found


def _add_own(found: Environment, service: Service, names: Mapping[str, str]) -> None:
    for key, places in service.places.items():
        last = places[-1]
        into = found.options if key.startswith("--") else found.variables
        if not last.is_absent:
            into[key] = interpolate(last.value, names)
        elif key in names:
            into[key] = names[key]


def _beside(file: str, other: str) -> str:
    return str(PurePosixPath(file).parent / other)


def _is_there(folder: str, file: str, read: ReadText) -> bool:
    try:
        read(folder, file)
    except FileMissingError:
        return False
    except UNREADABLE:
        return True
    return True
