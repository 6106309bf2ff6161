"""Read an older panel's files as Compose reads them: raw as they are written, and as they arrive."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from core.propagation.env_file import EnvFile
from core.propagation.places import NotParseableError, Style, interpolate

ENV_FILES = (".env", ".env.docker")
COMPOSE_FILES = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")


@dataclass(frozen=True)
class Value:
    """One value: where it stands, as it is written, and as it arrives."""

    file: str
    name: str
    written: str = field(repr=False)
    arrives: str = field(repr=False)

    @property
    def is_cut(self) -> bool:
        """Tell that Compose took a part of it for a variable that does not exist."""
        return "$2" in self.written and len(self.arrives) < len(self.written.replace("$$", "$"))


@dataclass(frozen=True)
class Service:
    """What a compose file says of one service, references resolved."""

    name: str
    container: str
    image: str
    hostname: str
    network_mode: str
    command: tuple[str, ...] = field(repr=False)
    ports: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    """Where volumes and folders are mounted inside."""
    environment: Mapping[str, Value] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Folder:
    """Everything that was found in an older panel's folder."""

    path: Path
    files: Mapping[str, Mapping[str, Value]]
    """Env files by name, with their values."""
    services: tuple[Service, ...] = ()
    compose_file: str = ""
    problems: tuple[str, ...] = ()
    """Files that could not be read, with the reason."""

    def value(self, *names: str) -> Value | None:
        """Return the first of these names that has a value, in .env before .env.docker."""
        for name in names:
            for values in self.files.values():
                if name in values and values[name].written:
                    return values[name]
        return None


def read_folder(path: Path) -> Folder:
    """Read what is there; what cannot be read becomes a problem and is left out."""
    problems: list[str] = []
    files: dict[str, Mapping[str, Value]] = {}
    for name in ENV_FILES:
        text = _text(path / name, problems)
        if text is not None:
            try:
                files[name] = _env_values(name, text)
            except NotParseableError as error:
                problems.append(f"{name}: {error.args[0]}; nothing of it was taken over")
    for name in COMPOSE_FILES:
        text = _text(path / name, problems)
        if text is not None:
            try:
                return Folder(path, files, tuple(_services(name, text, files)), name, tuple(problems))
            except (
                YAMLError,
                NotParseableError,
                ValueError,
                TypeError,
                AttributeError,
                RecursionError,
            ) as error:
                # YAML's messages repeat the lines around the mistake, which may hold a secret.
                problems.append(
                    f"{name}: cannot be understood ({type(error).__name__}); nothing of it was taken over"
                )
    return Folder(path, files, problems=tuple(problems))


def _text(path: Path, problems: list[str]) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        problems.append(
            f"{path.name}: cannot be read ({getattr(error, 'strerror', None) or 'it is not UTF-8 text'})"
        )
        return None


def _env_values(file: str, text: str) -> dict[str, Value]:
    parsed = EnvFile(text)
    arriving = parsed.values()
    found = {}
    for name in parsed.keys:
        place = parsed.places(name)[-1]
        # In single quotes it is literal, so that it is written as it arrives.
        written = arriving[name] if place.style is Style.SINGLE else place.value
        found[name] = Value(file, name, written, arriving[name])
    return found


def _services(file: str, text: str, files: Mapping[str, Mapping[str, Value]]) -> Iterable[Service]:
    document = YAML(typ="safe", pure=True).load(text) or {}
    names = {name: value.arrives for name, value in files.get(".env", {}).items()}
    for name, fields in (document.get("services") or {}).items():
        yield _service(file, str(name), fields or {}, names, files)


def _service(
    file: str,
    name: str,
    fields: Mapping[str, Any],
    names: Mapping[str, str],
    files: Mapping[str, Mapping[str, Value]],
) -> Service:
    def resolved(text: object) -> str:
        return interpolate(str(text), names)

    environment: dict[str, Value] = {}
    for env_file in _list(fields.get("env_file")):
        path = str(env_file.get("path", "")) if isinstance(env_file, Mapping) else str(env_file)
        environment |= dict(files.get(path.removeprefix("./"), {}))
    for key, written in _pairs(fields.get("environment")):
        if written is None:
            if key in names:
                environment[key] = Value(file, key, names[key], names[key])
            continue
        environment[key] = Value(file, key, _unfolded(written, files), resolved(written))
    command = fields.get("command") or ()
    words = (
        shlex.split(resolved(command)) if isinstance(command, str) else [resolved(word) for word in command]
    )
    return Service(
        name=name,
        container=resolved(fields.get("container_name") or name),
        image=resolved(fields.get("image") or ("built here" if fields.get("build") else "")),
        hostname=resolved(fields.get("hostname") or ""),
        network_mode=resolved(fields.get("network_mode") or ""),
        command=tuple(words),
        ports=tuple(_port(one, resolved) for one in _list(fields.get("ports"))),
        mounts=tuple(_target(one, resolved) for one in _list(fields.get("volumes"))),
        environment=environment,
    )


def _unfolded(written: str, files: Mapping[str, Mapping[str, Value]]) -> str:
    """Follow a bare reference to the text in .env, so that a value that was cut there is seen to be cut."""
    for name, value in files.get(".env", {}).items():
        if written in (f"${name}", f"${{{name}}}"):
            return value.written
    return written


def _pairs(environment: object) -> Iterable[tuple[str, str | None]]:
    if isinstance(environment, Mapping):
        for key, value in environment.items():
            yield str(key), None if value is None else _scalar(value)
    for item in _list(environment) if not isinstance(environment, Mapping) else ():
        key, equals, value = str(item).partition("=")
        yield key, value if equals else None


def _scalar(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _port(port: object, resolved: Callable[[object], str]) -> str:
    if isinstance(port, Mapping):
        host = f"{port['host_ip']}:" if port.get("host_ip") else ""
        return resolved(f"{host}{port.get('published', '')}:{port.get('target', '')}")
    return resolved(port)


def _target(volume: object, resolved: Callable[[object], str]) -> str:
    if isinstance(volume, Mapping):
        return str(volume.get("target", ""))
    parts = [part for part in resolved(volume).split(":") if part]
    return "".join(parts[1:2] or parts[:1])


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
