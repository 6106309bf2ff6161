"""A Compose project as its files say it: which files there are, what they include, which names they know."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from core.propagation.compose_file import ComposeFile
from core.propagation.compose_links import Include
from core.propagation.env_file import EnvFile
from core.propagation.folders import FileMissingError, FileUnreadableError
from core.propagation.places import NotParseableError, interpolate
from core.propagation.targets import ContainerSettings, FileTarget, SyncSettings

DOTENV = ".env"
DEFAULT_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""In the order in which Compose looks for them."""
DEEPEST_INCLUDE = 10

ReadText = Callable[[str, str], str]
"""Folder and file to text; raises FileMissingError, FileUnreadableError and NotParseableError."""

UNREADABLE = (FileMissingError, FileUnreadableError, NotParseableError)


@dataclass(frozen=True)
class Group:
    """Compose files that are merged into one: a project's own, or what one `include` brings in."""

    directory: str
    """Relative to the project's folder; its env files are looked for there."""
    files: Mapping[str, ComposeFile]
    names: Mapping[str, str]
    """What references get their values from."""


@dataclass(frozen=True)
class Project:
    """All groups of one folder; the first holds the project's own files."""

    folder: str
    groups: tuple[Group, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The project's own files, in Compose's order."""
        return tuple(self.groups[0].files)

    def find_service(self, container: ContainerSettings) -> tuple[Group, str] | None:
        """Return the service that a container belongs to, and the group that defines it."""
        found = [
            (group, one)
            for group in self.groups
            for file in group.files.values()
            for one in file.services.values()
        ]
        wanted = container.service
        if not wanted:
            named = [one.name for _, one in found if one.container_name == container.name]
            wanted = named[0] if named else container.name
        return next(((group, wanted) for group, one in found if one.name == wanted), None)


def read_project(folder: str, files: Sequence[str], read: ReadText) -> Project:
    """Read a project's files and all that they include; raises what `read` raises."""
    # The folder of the first file is the project's. A COMPOSE_FILE is found from where Compose is started.
    directory = str(PurePosixPath(files[0]).parent) if files else "."
    names = _values(folder, [join(directory, DOTENV)], read)
    started = _values(folder, [DOTENV], read)
    if "COMPOSE_FILE" in started:
        names |= started
    return Project(folder, tuple(_groups(folder, files, directory, names, read, DEEPEST_INCLUDE)))


def names_for(folder: str, file: str, settings: SyncSettings, read: ReadText) -> Mapping[str, str]:
    """Return what Compose puts in for references of a file, as far as that can be told."""
    if PurePosixPath(file).name == DOTENV:
        return {}
    try:
        project = read_project(folder, compose_files(folder, settings, read), read)
    except UNREADABLE:
        return _values(folder, [join(str(PurePosixPath(file).parent), DOTENV)], read)
    path = join(".", file)
    for group in project.groups:
        if path in group.files:
            return group.names
    return _values(folder, [join(str(PurePosixPath(file).parent), DOTENV)], read)


def compose_files(folder: str, settings: SyncSettings, read: ReadText) -> tuple[str, ...]:
    """Return the compose files of a folder's project, in the order in which Compose merges them."""
    names = _values(folder, [DOTENV], read)
    if chosen := names.get("COMPOSE_FILE"):
        parts = chosen.split(names.get("COMPOSE_PATH_SEPARATOR") or ":")
        return tuple(join(".", one) for one in parts if one)
    for name in DEFAULT_FILES:
        if _is_there(folder, name, read):
            stem, _, suffix = name.rpartition(".")
            overrides = [f"{stem}.override.{one}" for one in dict.fromkeys((suffix, "yml", "yaml"))]
            present = [one for one in overrides if _is_there(folder, one, read)]
            return (name, *present[:1])
    listed = [
        target.file
        for target in settings.targets
        if isinstance(target, FileTarget) and target.is_compose and target.folder == folder
    ]
    return tuple(dict.fromkeys(listed))


def join(directory: str, path: str) -> str:
    """Name a file from the project's folder on, as it is named from a directory of it."""
    return (PurePosixPath(directory) / path).as_posix()


def _groups(
    folder: str, files: Sequence[str], directory: str, names: Mapping[str, str], read: ReadText, deepest: int
) -> Iterator[Group]:
    if not deepest:
        raise NotParseableError("its `include` goes round in circles")
    parsed = {file: ComposeFile(read(folder, file)) for file in files}
    yield Group(directory, parsed, names)
    for file, one in parsed.items():
        for include in one.includes:
            beside = str(PurePosixPath(file).parent)
            paths = [join(beside, interpolate(path, names)) for path in include.paths]
            place = _directory(include, paths, beside, names)
            named = [join(beside, interpolate(path, names)) for path in include.env_files]
            theirs = _values(folder, named or [join(place, DOTENV)], read)
            yield from _groups(folder, paths, place, theirs | dict(names), read, deepest - 1)


def _directory(include: Include, paths: Sequence[str], beside: str, names: Mapping[str, str]) -> str:
    if include.directory:
        return join(beside, interpolate(include.directory, names))
    return str(PurePosixPath(paths[0]).parent)


def _values(folder: str, files: Sequence[str], read: ReadText) -> dict[str, str]:
    """Read files of names as far as they are there; later ones win."""
    found: dict[str, str] = {}
    for file in files:
        try:
            found |= EnvFile(read(folder, file)).values(found)
        except UNREADABLE:
            continue
    return found


def _is_there(folder: str, file: str, read: ReadText) -> bool:
    try:
        read(folder, file)
    except FileMissingError:
        return False
    except UNREADABLE:
        return True
    return True
