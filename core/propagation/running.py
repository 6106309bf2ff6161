"""What a service runs with, as Compose works it out: bases, env files, `environment`, merged files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from core.propagation.compose_file import ComposeFile, Service
from core.propagation.compose_links import EnvFileLink
from core.propagation.env_file import EnvFile, raw_values
from core.propagation.folders import FileMissingError
from core.propagation.places import NotParseableError, interpolate
from core.propagation.project import UNREADABLE, Group, ReadText, join

DEEPEST_BASE = 10


@dataclass
class Environment:
    """What a service runs with."""

    variables: dict[str, str] = field(default_factory=dict, repr=False)
    options: dict[str, str] = field(default_factory=dict, repr=False)
    unknown: str = ""
    """Why more may be set than is known here."""
    givers: dict[str, str] = field(default_factory=dict)
    """By key: the file that it has its value from."""
    offers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By file: the keys that it gives or would give, whether another one wins or not."""
    raw_files: set[str] = field(default_factory=set)
    """Env files that are read with `format: raw`."""


@dataclass(frozen=True)
class _Layer:
    """What one file says of a service."""

    file: str
    directory: str
    """From where its env files are named."""
    service: Service


def service_environment(group: Group, folder: str, name: str, read: ReadText) -> Environment:
    """Resolve what a service runs with, as Compose does: env files first, then `environment`."""
    found = Environment()
    try:
        layers = [
            layer
            for file, parsed in group.files.items()
            if name in parsed.services
            for layer in _layers(file, parsed, name, group.directory, folder, read, DEEPEST_BASE)
        ]
    except UNREADABLE as error:
        found.unknown = str(error.args[0])
        return found
    for layer, link in _env_files(layers):
        _add_env_file(found, layer, link, group.names, folder, read)
    for number, layer in enumerate(layers):
        if any("environment" in later.service.replaced for later in layers[number + 1 :]):
            continue
        _add_own(found, layer, group.names)
    return found


def _layers(
    file: str, parsed: ComposeFile, name: str, directory: str, folder: str, read: ReadText, deepest: int
) -> Iterator[_Layer]:
    """Yield a service's bases in other files first, then what the file itself says."""
    service = parsed.services[name]
    if service.extends:
        other, base = service.extends
        path = join(str(PurePosixPath(file).parent), other)
        there = ComposeFile(read(folder, path))
        if base not in there.services or not deepest:
            raise NotParseableError(f"the service {name} extends {base}, which is not there or extends it")
        yield from _layers(path, there, base, str(PurePosixPath(path).parent), folder, read, deepest - 1)
    yield _Layer(file, directory, service)


def _env_files(layers: list[_Layer]) -> Iterator[tuple[_Layer, EnvFileLink]]:
    for number, layer in enumerate(layers):
        if not any("env_file" in later.service.replaced for later in layers[number + 1 :]):
            yield from ((layer, link) for link in layer.service.env_files)


def _add_env_file(
    found: Environment,
    layer: _Layer,
    link: EnvFileLink,
    names: Mapping[str, str],
    folder: str,
    read: ReadText,
) -> None:
    path = join(layer.directory, interpolate(link.path, names))
    try:
        text = read(folder, path)
        values = raw_values(text) if link.is_raw else EnvFile(text).values(names, found.variables)
    except FileMissingError as error:
        if link.is_required:
            found.unknown = str(error.args[0])
        return
    except UNREADABLE as error:
        found.unknown = str(error.args[0])
        return
    found.variables |= values
    found.givers |= dict.fromkeys(values, path)
    found.offers[path] = (*found.offers.get(path, ()), *values)
    if link.is_raw:
        found.raw_files.add(path)


def _add_own(found: Environment, layer: _Layer, names: Mapping[str, str]) -> None:
    if layer.service.has_command:
        found.options.clear()
    for key, places in layer.service.places.items():
        last = places[-1]
        into = found.options if key.startswith("--") else found.variables
        if not last.is_absent:
            into[key] = interpolate(last.value, names)
        elif key in names:
            into[key] = names[key]
        else:
            into.pop(key, None)
        found.givers[key] = layer.file
    found.offers[layer.file] = (*found.offers.get(layer.file, ()), *layer.service.places)
