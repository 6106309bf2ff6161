"""The services of an older installation: image, command, environment, ports and mounts of each."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from cli.importing.project import Part, Parts, Project, listed, merged_field
from cli.importing.texts import Scalar, Tree, read_text
from cli.importing.values import Value, env_values, raw_env_values
from cli.importing.words import Word, program_words, shell_words, split_words

_PORT = re.compile(
    r"(?:(?:(?P<address>\[[^\]]*\]|[^:\[\]]*):)?(?P<published>[\d-]*):)?(?P<target>[\d-]+)(?:/(?P<protocol>\w+))?"
)
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]")
_SHARED_NETWORK = re.compile(r"(?P<kind>service|container):(?P<name>.+)")
MEMORY_FOLDERS = ("/dev/shm", "/run", "/var/run")  # noqa: S108 - none is written to


@dataclass(frozen=True)
class Port:
    """A published port."""

    address: str
    """The host address; "" for all addresses."""
    published: str
    """The host port; "" if Docker chooses one."""
    target: str


@dataclass(frozen=True)
class Mount:
    """A mount of a container."""

    target: str
    source: str
    """A volume's name, a folder of the host, or "" for an anonymous volume."""
    is_kept: bool
    """Whether files written there survive the container."""


@dataclass(frozen=True)
class Service:
    """One service of the compose files, with references resolved."""

    name: str
    file: str
    """The first compose file that defines it."""
    container: str
    has_own_container_name: bool = False
    """Whether `container_name` sets the name, instead of Compose."""
    image: str = ""
    build: str = ""
    """Folder or URL from which its image is built."""
    hostname: str = ""
    network_mode: str = ""
    working_directory: str = ""
    entrypoint: tuple[Word, ...] = field(default=(), repr=False)
    command: tuple[Word, ...] = field(default=(), repr=False)
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    environment: Mapping[str, Value] = field(default_factory=dict, repr=False)
    missing_env_files: tuple[str, ...] = ()
    aliases: frozenset[str] = frozenset()
    """Names by which other containers reach it, besides its own."""

    @property
    def variables(self) -> dict[str, str]:
        """The environment as it arrives in the container."""
        return {name: value.arrives for name, value in self.environment.items()}

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of the program that runs, also if a shell starts it."""
        return tuple(program_words(shell_words([*self.entrypoint, *self.command], self.variables)))


class ServiceReader:
    """Reads the services of a project, and keeps each env file that it read."""

    def __init__(self, folder: Path, project: Project) -> None:
        self._folder = folder
        self._project = project
        self._names = {name: value.arrives for name, value in project.names.items()}
        self.env_files: dict[str, dict[str, Value]] = {}

    def read(self) -> tuple[Service, ...]:
        """Return every service, including those of profiles. Raise UnusableFileError."""
        found = [self._service(name, parts) for name, parts in self._project.services.items()]
        return tuple(_with_shared_ports(one, found) for one in found)

    def _service(self, name: str, parts: Parts) -> Service:
        missing: list[str] = []
        environment = self._environment(parts, missing)
        own = _text(parts, "container_name")
        return Service(
            name=name,
            file=self._project.defined_in[name],
            container=own or f"{self._project.name}-{name}-1",
            has_own_container_name=bool(own),
            image=_text(parts, "image"),
            build=_build(parts),
            hostname=_text(parts, "hostname"),
            network_mode=_text(parts, "network_mode"),
            working_directory=_text(parts, "working_dir"),
            entrypoint=tuple(_words(parts, "entrypoint")),
            command=tuple(_words(parts, "command")),
            ports=tuple(port for part, tree in _items(parts, "ports") for port in _ports(part, tree)),
            mounts=self._all_mounts(name, ()),
            environment=environment,
            missing_env_files=tuple(missing),
            aliases=frozenset(_aliases(parts)),
        )

    def _environment(self, parts: Parts, missing: list[str]) -> dict[str, Value]:
        own: dict[str, Value | None] = {}
        for part in merged_field(parts, "environment"):
            for key, written in _pairs(part):
                if written is not None:
                    arrives = part.scalar(Scalar(written, 0))
                    own[key] = Value(part.file, key, self._unfolded(written), arrives)
                elif key in part.names:
                    own[key] = Value(part.file, key, part.names[key], part.names[key])
                else:
                    own[key] = None
        # References in env files take the project's values, also below `include`, then the service's own.
        outside = {key: value.arrives for key, value in own.items() if value} | self._names
        merged = self._env_file_values(parts, outside, missing) | own
        return {key: value for key, value in merged.items() if value is not None}

    def _env_file_values(
        self, parts: Parts, outside: Mapping[str, str], missing: list[str]
    ) -> dict[str, Value | None]:
        found: dict[str, Value] = {}
        for part, tree in _items(parts, "env_file"):
            fields = tree if isinstance(tree, dict) else {"path": tree}
            file = os.path.normpath(PurePath(part.directory, part.text(fields.get("path"))))
            text = read_text(self._folder / file, file)
            if text is None:
                if part.scalar(fields.get("required")) != "false":
                    missing.append(file)
                continue
            before = {key: value.arrives for key, value in found.items()}
            is_raw = part.text(fields.get("format")) == "raw"
            values = raw_env_values(file, text) if is_raw else env_values(file, text, outside, before)
            self.env_files[file] = values
            found |= values
        return dict(found)

    def _unfolded(self, written: str) -> str:
        """Return the text in .env for a bare reference, so that a value that is cut there counts as cut."""
        for name, value in self._project.names.items():
            if written in (f"${name}", f"${{{name}}}"):
                return value.written
        return written

    def _all_mounts(self, name: str, asking: tuple[str, ...]) -> tuple[Mount, ...]:
        """Return a service's mounts by target; its own take precedence over those of `volumes_from`."""
        if name in asking or name not in self._project.services:
            return ()
        parts = self._project.services[name]
        found: dict[str, Mount] = {}
        for part, tree in _items(parts, "volumes_from"):
            other, _, mode = part.text(tree).partition(":")
            for mount in self._all_mounts(other, (*asking, name)):
                found[mount.target] = Mount(mount.target, mount.source, mount.is_kept and mode != "ro")
        for part, tree in _items(parts, "volumes"):
            mount = self._mount(part, tree)
            found[mount.target] = mount
        for part, tree in _items(parts, "tmpfs"):
            target = _clean(part.text(tree).partition(":")[0])
            found[target] = Mount(target, "", is_kept=False)
        return tuple(mount for mount in found.values() if mount.target)

    def _mount(self, part: Part, tree: Tree) -> Mount:
        if isinstance(tree, dict):
            source, target = part.text(tree.get("source")), part.text(tree.get("target"))
            kind = part.text(tree.get("type")) or "volume"
            is_read_only = part.scalar(tree.get("read_only")) == "true"
        else:
            source, target, modes = _short_mount(part.text(tree))
            is_folder = source.startswith((".", "/", "~")) or bool(_WINDOWS.match(source))
            kind, is_read_only = "bind" if is_folder else "volume", "ro" in modes
        is_in_memory = kind == "bind" and any(
            f"{_clean(source)}/".startswith(f"{folder}/") for folder in MEMORY_FOLDERS
        )
        is_kept = (
            kind in ("volume", "bind")
            and bool(source)
            and not is_read_only
            and not is_in_memory
            and source not in self._project.temporary_volumes
        )
        return Mount(_clean(target), source, is_kept)


def mount_at(mounts: Sequence[Mount], folder: str) -> Mount | None:
    """Return the mount that contains a folder of the container: the nearest one at or above it."""
    holding = [one for one in mounts if f"{folder}/".startswith(f"{one.target.rstrip('/')}/")]
    return max(holding, key=lambda one: len(one.target), default=None)


def _with_shared_ports(service: Service, others: Iterable[Service]) -> Service:
    """Return the service with the ports of the service whose network it uses: its own are not published."""
    shared = _SHARED_NETWORK.fullmatch(service.network_mode)
    for other in others if shared else ():
        if shared and shared["name"] == (other.name if shared["kind"] == "service" else other.container):
            return replace(service, ports=other.ports)
    return service


def _text(parts: Parts, name: str) -> str:
    return next((part.text(part.tree) for part in merged_field(parts, name)), "")


def _build(parts: Parts) -> str:
    contexts = [
        (part.text(part.tree.get("context")) if isinstance(part.tree, dict) else part.text(part.tree)) or "."
        for part in merged_field(parts, "build")
    ]
    return contexts[-1] if contexts else ""


def _items(parts: Parts, name: str) -> Iterator[tuple[Part, Tree]]:
    for part in merged_field(parts, name):
        yield from ((part, tree) for tree in listed(part.tree))


def _aliases(parts: Parts) -> Iterator[str]:
    for part in merged_field(parts, "networks"):
        if not isinstance(part.tree, dict):
            for tree in listed(part.tree):
                part.text(tree)
            continue
        for network in part.tree.values():
            fields = part.typed(network, dict)
            aliases = part.typed(fields.get("aliases"), list) if isinstance(fields, dict) else None
            yield from (part.text(one) for one in listed(aliases))


def _words(parts: Parts, name: str) -> Iterator[Word]:
    for part in merged_field(parts, name):
        words = (
            [part.text(one) for one in part.tree]
            if isinstance(part.tree, list)
            else split_words(part.text(part.tree))
        )
        yield from (Word(word, part.file) for word in words)


def _pairs(part: Part) -> Iterator[tuple[str, str | None]]:
    if isinstance(part.tree, dict):
        for key, tree in part.tree.items():
            part.scalar(tree)
            yield key, tree.text if isinstance(tree, Scalar) else None
        return
    for item in listed(part.tree):
        part.text(item)
        if isinstance(item, Scalar):
            key, equals, text = item.text.partition("=")
            yield key, text if equals else None


def _ports(part: Part, tree: Tree) -> Iterator[Port]:
    if isinstance(tree, dict):
        if part.scalar(tree.get("protocol")) in ("", "tcp"):
            published = part.scalar(tree.get("published"))
            yield Port(
                part.scalar(tree.get("host_ip")).strip("[]"), published, part.scalar(tree.get("target"))
            )
        return
    found = _PORT.fullmatch(part.scalar(tree))
    if found is None or found["protocol"] not in (None, "tcp"):
        return
    address, published = (found["address"] or "").strip("[]"), found["published"] or ""
    targets, chosen = _range(found["target"]), _range(published)
    for number, target in enumerate(targets):
        of_its_own = str(chosen[number]) if len(chosen) == len(targets) else published
        yield Port(address, of_its_own, str(target))


def _range(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if not first.isdecimal():
        return []
    return (
        list(range(int(first), min(int(last or first), int(first) + 65535) + 1))
        if last.isdecimal()
        else [int(first)]
    )


def _short_mount(text: str) -> tuple[str, str, list[str]]:
    drive = _WINDOWS.match(text)
    head, rest = (text[:2], text[2:]) if drive else ("", text)
    first, *others = rest.split(":")
    if not others:
        # A path alone is an anonymous volume. Compose also reads a one-letter volume name this way.
        return "", text, []
    return f"{head}{first}", others[0], others[1].split(",") if len(others) > 1 else []


def _clean(path: str) -> str:
    return posixpath.normpath(path) if path else ""
