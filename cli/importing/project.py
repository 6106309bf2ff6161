"""The services of a Compose project: files found, included, extended and merged as Compose does it.

Compose itself is not called. The import reports the file of each value and how much of it is cut off, and
`docker compose config` returns neither; it fails if one env file is missing; and the command runs on machines
without Docker. The tests compare the result with a real Compose's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from cli.importing.references import interpolate, required_names
from cli.importing.texts import Replacing, Scalar, Tree, UnusableFileError, parse_compose, read_text, unusable
from cli.importing.values import Value, env_values

FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
"""Both in Compose's order of precedence; of each the first existing file is used."""
DOTENV = ".env"
DEEPEST = 20
REPLACED = frozenset(
    {"image", "container_name", "hostname", "network_mode", "working_dir", "command", "entrypoint"}
)
"""Fields of a service that a later file replaces. Others are merged."""
FIELDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(REPLACED - {"command", "entrypoint"}, (Scalar,)),
    **dict.fromkeys(("command", "entrypoint", "env_file", "tmpfs"), (Scalar, list)),
    **dict.fromkeys(("ports", "volumes", "volumes_from"), (list,)),
    **dict.fromkeys(("environment", "networks"), (dict, list)),
    "build": (Scalar, dict),
}
"""The fields of a service that are read, with the types that Compose accepts."""
TYPES = {Scalar: "a text", list: "a list", dict: "a mapping"}


@dataclass(frozen=True)
class Part:
    """A field of a service in one file."""

    tree: Tree
    file: str
    directory: str
    """The folder to which the file's paths are relative."""
    names: Mapping[str, str] = field(repr=False)
    """The variables for references."""

    what: str = ""
    """What the tree is, for errors."""

    def text(self, tree: Tree) -> str:
        """Return a text with references resolved; "" for none. Raise UnusableFileError for anything else."""
        if isinstance(tree, Scalar) and not tree.is_text:
            raise unusable(self.file, tree.line, f"gives {self.what} as a number or switch without quotes")
        return self.scalar(tree)

    def scalar(self, tree: Tree) -> str:
        """Return a text, number or switch likewise."""
        tree = self.typed(tree, Scalar)
        return interpolate(tree.text, self.names) if isinstance(tree, Scalar) else ""

    def typed(self, tree: Tree, *types: type) -> Tree:
        """Return a tree without its tag. Raise UnusableFileError if it is of another type than these."""
        if isinstance(tree, Replacing):
            tree = tree.tree
        if tree is not None and not isinstance(tree, types):
            raise wrong_type(self.file, tree, self.what, types)
        return tree

    def with_tree(self, tree: Tree, what: str = "") -> Part:
        """Return the part of another field of the same file."""
        return Part(tree, self.file, self.directory, self.names, what or self.what)


Parts = dict[str, tuple[Part, ...]]
"""By field: the parts of all files, in ascending precedence."""


@dataclass
class Project:
    """A Compose project, from its files."""

    name: str
    files: list[str] = field(default_factory=list)
    services: dict[str, Parts] = field(default_factory=dict)
    defined_in: dict[str, str] = field(default_factory=dict)
    """By service: the first file that defines it."""
    temporary_volumes: set[str] = field(default_factory=set)
    """Named volumes that a reboot empties."""
    names: dict[str, Value] = field(default_factory=dict)
    """The values of its `.env`."""
    unset: dict[str, str] = field(default_factory=dict)
    """Variables that a file requires and that nothing sets, with that file."""


def read_project(folder: Path) -> Project | None:
    """Return the project of a folder; None if there is none. Raise UnusableFileError."""
    names = _dotenv(folder, ".", {})
    files = _files(folder, names)
    if not files:
        return None
    directory = _parent(files[0])
    names = _dotenv(folder, directory, {}) | names
    project = Project("", names=names)
    _Reader(folder, project).read_group(files, directory, _arriving(names), DEEPEST)
    chosen = _arriving(names).get("COMPOSE_PROJECT_NAME") or project.name or folder.resolve().name
    project.name = re.sub(r"[^a-z0-9_-]", "", chosen.lower()).lstrip("_-")
    return project


def merged_field(parts: Parts, name: str) -> tuple[Part, ...]:
    """Return the parts of a field, without those that a later file replaces."""
    kept: list[Part] = []
    for part in parts.get(name, ()):
        if isinstance(part.tree, Replacing):
            kept = [part.with_tree(part.tree.tree)]
        elif part.tree is not None:
            kept = [part] if name in REPLACED else [*kept, part]
    return tuple(part for part in kept if part.tree is not None)


def listed(tree: Tree) -> list[Tree]:
    """Return the items of a list; of a single value a list with it."""
    if tree is None:
        return []
    return tree if isinstance(tree, list) else [tree]


class _Reader:
    """Reads compose files into a project."""

    def __init__(self, folder: Path, project: Project) -> None:
        self._folder = folder
        self._project = project
        self._documents: dict[str, list[dict[str, Tree]]] = {}

    def read_group(self, files: list[str], directory: str, names: Mapping[str, str], deepest: int) -> None:
        """Merge the files of a project, or of one `include`, which has its own folder and `.env`."""
        if not deepest:
            raise unusable(files[0], None, "includes itself")
        for file in files:
            for document in self._load(file):
                root = Part(document, file, directory, names)
                for scalar in _scalars(document):
                    self._project.unset |= dict.fromkeys(required_names(scalar.text, names), file)
                for entry in listed(document.get("include")):
                    self._include(root.with_tree(entry, "include"), deepest)
                self._project.name = (
                    root.with_tree(None, "name").scalar(document.get("name")) or self._project.name
                )
                self._volumes(root)
                for name, fields in _mapping(document.get("services"), file, "services").items():
                    own = _mapping(fields, file, f"the service {name}")
                    parts = self._service(root.with_tree(own), name, directory, deepest)
                    self._project.defined_in.setdefault(name, file)
                    _merge(self._project.services.setdefault(name, {}), parts)

    def _load(self, file: str) -> list[dict[str, Tree]]:
        if file not in self._documents:
            text = read_text(self._folder / file, file)
            if text is None:
                raise UnusableFileError(f"{file}: is named by this project and is not there; put it back")
            self._documents[file] = parse_compose(file, text)
            self._project.files.append(file)
        return self._documents[file]

    def _include(self, entry: Part, deepest: int) -> None:
        fields = entry.tree if isinstance(entry.tree, dict) else {"path": entry.tree}
        beside = _parent(entry.file)
        paths = [_join(beside, entry.text(one)) for one in listed(fields.get("path"))]
        if not paths:
            return
        chosen = entry.text(fields.get("project_directory"))
        directory = _join(beside, chosen) if chosen else _parent(paths[0])
        env_files = [_join(beside, entry.text(one)) for one in listed(fields.get("env_file"))]
        found = _arriving(_dotenv(self._folder, directory, entry.names))
        for file in env_files:
            if text := read_text(self._folder / file, file):
                found |= _arriving(env_values(file, text, entry.names))
        self.read_group(paths, directory, found | dict(entry.names), deepest - 1)

    def _service(self, own: Part, name: str, directory: str, deepest: int) -> Parts:
        """Return a service's fields, those of the extended service before its own."""
        fields = own.tree if isinstance(own.tree, dict) else {}
        parts: Parts = {}
        if base := fields.get("extends"):
            parts = self._base(
                own.with_tree(base, f"extends of the service {name}"), name, directory, deepest
            )
        for key in FIELDS.keys() & fields.keys():
            part = own.with_tree(fields[key], f"{key} of the service {name}")
            part.typed(part.tree, *FIELDS[key])
            _merge(parts, {key: (part,)})
        return parts

    def _base(self, link: Part, name: str, directory: str, deepest: int) -> Parts:
        fields = link.tree if isinstance(link.tree, dict) else {"service": link.tree}
        base, other = link.text(fields.get("service")), link.text(fields.get("file"))
        file = _join(_parent(link.file), other) if other else link.file
        place = _parent(file) if other else directory
        for document in self._load(file):
            services = _mapping(document.get("services"), file, "services")
            if base in services and deepest:
                root = Part(_mapping(services[base], file, f"the service {base}"), file, place, link.names)
                return self._service(root, base, place, deepest - 1)
        raise unusable(file, None, f"has no service {base}, which the service {name} extends")

    def _volumes(self, root: Part) -> None:
        document = root.tree if isinstance(root.tree, dict) else {}
        for name, tree in _mapping(document.get("volumes"), root.file, "volumes").items():
            options = tree.get("driver_opts") if isinstance(tree, dict) else None
            if (
                isinstance(options, dict)
                and root.with_tree(None, f"volume {name}").scalar(options.get("type")) == "tmpfs"
            ):
                self._project.temporary_volumes.add(name)


def _files(folder: Path, names: Mapping[str, Value]) -> list[str]:
    values = _arriving(names)
    if chosen := values.get("COMPOSE_FILE"):
        separator = values.get("COMPOSE_PATH_SEPARATOR") or ":"
        return [os.path.normpath(one) for one in chosen.split(separator) if one]
    for name in FILES:
        if os.path.lexists(folder / name):
            return [name, *[one for one in OVERRIDES if os.path.lexists(folder / one)][:1]]
    return []


def _dotenv(folder: Path, directory: str, outside: Mapping[str, str]) -> dict[str, Value]:
    file = _join(directory, DOTENV)
    text = read_text(folder / file, file)
    return {} if text is None else env_values(file, text, outside)


def _merge(into: Parts, added: Parts) -> None:
    for name, parts in added.items():
        into[name] = (*into.get(name, ()), *parts)


def _mapping(tree: Tree, file: str, what: str) -> dict[str, Tree]:
    if isinstance(tree, Replacing):
        tree = tree.tree
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise wrong_type(file, tree, what, (dict,))
    return tree


def wrong_type(file: str, tree: Tree, what: str, types: tuple[type, ...]) -> UnusableFileError:
    """Return the error for a field of another type than Compose accepts."""
    line = min((scalar.line for scalar in _scalars(tree)), default=None)
    expected = " or ".join(TYPES[one] for one in types)
    return unusable(file, line, f"gives {what} as something other than {expected}")


def _scalars(tree: Tree) -> Iterator[Scalar]:
    """Yield each scalar once, however many aliases repeat it."""
    found: set[int] = set()
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if id(one) in found:
            continue
        found.add(id(one))
        if isinstance(one, Scalar):
            yield one
        elif isinstance(one, Replacing):
            waiting.append(one.tree)
        elif one:
            waiting += one.values() if isinstance(one, dict) else one


def _parent(path: str) -> str:
    return PurePath(path).parent.as_posix()


def _join(directory: str, path: str) -> str:
    return os.path.normpath(PurePath(directory, path))


def _arriving(values: Mapping[str, Value]) -> dict[str, str]:
    return {name: value.arrives for name, value in values.items()}
