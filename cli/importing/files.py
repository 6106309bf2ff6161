"""The contents of an older panel's folder: env files, services, and the file of each value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.importing.project import read_project
from cli.importing.services import Service, ServiceReader
from cli.importing.texts import read_text
from cli.importing.values import Value, env_values

ENV_FILES = (".env", ".env.docker")


@dataclass(frozen=True)
class Folder:
    """The contents of an older panel's folder."""

    path: Path
    env_files: Mapping[str, Mapping[str, Value]] = field(repr=False)
    """By name, with their values."""
    services: tuple[Service, ...] = ()
    compose_files: tuple[str, ...] = ()
    unset: Mapping[str, str] = field(default_factory=dict)
    """Variables that a compose file requires and that nothing sets, with that file."""

    def value(self, *names: str) -> Value | None:
        """Return the value of the first of these names that has one; .env comes before other files."""
        for name in names:
            for values in self.env_files.values():
                if name in values and values[name].written:
                    return values[name]
        return None

    def values(self) -> Iterator[Value]:
        """Yield every value of env files and services."""
        for held in self.env_files.values():
            yield from held.values()
        for service in self.services:
            yield from service.environment.values()


def read_folder(path: Path) -> Folder:
    """Return the contents of a folder. Raise UnusableFileError for a file that cannot be read or parsed."""
    env_files: dict[str, Mapping[str, Value]] = {}
    for name in ENV_FILES:
        text = read_text(path / name, name)
        if text is not None:
            env_files[name] = env_values(name, text)
    project = read_project(path)
    if project is None:
        return Folder(path, env_files)
    reader = ServiceReader(path, project)
    services = reader.read()
    for name, values in reader.env_files.items():
        env_files.setdefault(name, values)
    return Folder(path, env_files, services, tuple(project.files), project.unset)
