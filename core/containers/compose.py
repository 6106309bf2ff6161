"""Compose v2, where this machine has it and the project's own folder: its way is the one without a trace.

From another folder Compose would silently take relative bind mounts from there, and a file with other changes
in it would bring them along. In both cases the engine's own way is taken.
"""

from __future__ import annotations

import json
import posixpath
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.containers.blueprint import environment_of, with_arguments
from core.containers.engine import Engine, Inspection
from core.containers.judgement import CONFIG_FILES, compose_folder, image_of, labels_of
from core.exceptions import ContainerError
from core.logs import redact
from core.propagation.reach import Expectation

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
ENVIRONMENT_FILE = f"{PROJECT}.environment_file"
CONFIG_SECONDS = 30
UP_SECONDS = 600
LONGEST_WORDS = 600


@dataclass(frozen=True)
class Compose:
    """A Compose program and the engine that it shall speak to."""

    program: tuple[str, ...]
    host: str
    path: str
    """PATH for the program."""

    @classmethod
    def find(cls, host: str, path: str) -> Compose | None:
        """Find Compose v2 on this machine; only an engine on this machine sees the same folders."""
        if not host.startswith("unix://"):
            return None
        for program in (("docker", "compose"), ("docker-compose",)):
            if shutil.which(program[0], path=path):
                found = cls((*_ending_with_us(path), *program), host, path)
                said = found._run(["version", "--short"], CONFIG_SECONDS)
                major = said.stdout.strip().lstrip("v").partition(".")[0] if said else ""
                if major.isdecimal() and int(major) >= 2:
                    return found
        return None

    def may_recreate(self, engine: Engine, expectation: Expectation, seen: Inspection) -> bool:
        """Tell whether Compose stands in the right folder and would change nothing else."""
        folder, files = compose_folder(seen), _files(seen)
        if folder is None or folder != expectation.project_folder or not folder.is_dir():
            return False
        if not files or not all(file.is_file() for file in files):
            return False
        config = self._config(seen)
        if config is None or labels_of(seen).get(SERVICE) not in config.get("services", {}):
            return False
        if engine.image_id(image_of(seen)) != seen["Image"]:
            return False
        return not list(_changes(config, expectation, seen))

    def recreate(self, seen: Inspection) -> None:
        """Have the service's container recreated; raise ContainerError when Compose cannot."""
        arguments = ["up", "--detach", "--no-deps", "--no-build", "--pull", "never"]
        done = self._run([*_project(seen), *arguments, labels_of(seen)[SERVICE]], UP_SECONDS)
        if done is None:
            raise ContainerError(f"Compose did not end within {UP_SECONDS} s")
        if done.returncode:
            said = redact(" ".join(done.stderr.split()))[-LONGEST_WORDS:]
            raise ContainerError(f"Compose failed: {said}")

    def _config(self, seen: Inspection) -> dict[str, Any] | None:
        done = self._run([*_project(seen), "config", "--format", "json"], CONFIG_SECONDS)
        if done is None or done.returncode:
            return None
        try:
            found = json.loads(done.stdout)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def _run(self, arguments: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str] | None:
        # Nothing of our own environment: a variable of ours would win over the project's .env file.
        environ = {"PATH": self.path, "DOCKER_HOST": self.host, "HOME": str(Path.home())}
        try:
            return subprocess.run(  # noqa: S603 - a program of the administrator's, without a shell
                [*self.program, *arguments],
                env=environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None


def _ending_with_us(path: str) -> tuple[str, ...]:
    """Have the kernel end the program when we are killed: a repair must not work against it."""
    return ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv", path=path) else ()


def _files(seen: Inspection) -> list[Path]:
    return [Path(one) for one in labels_of(seen).get(CONFIG_FILES, "").split(",") if one]


def _project(seen: Inspection) -> list[str]:
    labels = labels_of(seen)
    files = [argument for file in _files(seen) for argument in ("--file", str(file))]
    variables = [one for one in labels.get(ENVIRONMENT_FILE, "").split(",") if one]
    return [
        *("--project-directory", labels[f"{PROJECT}.working_dir"], "--project-name", labels[PROJECT]),
        *files,
        *(argument for file in variables for argument in ("--env-file", file)),
    ]


def _changes(config: Mapping[str, Any], expectation: Expectation, seen: Inspection) -> Iterator[str]:
    """Name what Compose would change besides the expected keys."""
    service = config["services"][labels_of(seen)[SERVICE]]
    environment = environment_of(seen)
    for key, value in (service.get("environment") or {}).items():
        wanted = None if value is None else _plain(str(value))
        if key not in expectation.environment and environment.get(key) != wanted:
            yield key
    arguments = {option: value.get_secret_value() for option, value in expectation.arguments.items()}
    for key, part in (("command", "Cmd"), ("entrypoint", "Entrypoint")):
        if service.get(key) is not None:
            wanted_words = [_plain(word) for word in service[key]]
            if wanted_words != with_arguments(seen["Config"].get(part) or [], arguments):
                yield key
    hostname = service.get("hostname")
    if hostname != seen["Config"]["Hostname"] and (hostname or expectation.container.gateway):
        yield "hostname"  # A gateway's browser profiles are locked with the name of their host.
    if _mounts_asked(config, service) != _mounts_seen(seen):
        yield "volumes"
    if _networks_asked(config, service) != set(seen["NetworkSettings"]["Networks"] or ()):
        yield "networks"
    if _ports_asked(service) != _ports_seen(seen):
        yield "ports"
    if (service.get("restart") or "no") != _restart_seen(seen):
        yield "restart"
    labels = labels_of(seen)
    if any(labels.get(key) != _plain(str(value)) for key, value in (service.get("labels") or {}).items()):
        yield "labels"


def _plain(text: str) -> str:
    """Undo the doubling by which Compose writes a dollar sign."""
    return text.replace("$$", "$")


def _mounts_asked(config: Mapping[str, Any], service: Mapping[str, Any]) -> set[tuple[str, str]]:
    volumes = config.get("volumes") or {}
    asked = set()
    for mount in service.get("volumes") or ():
        source = mount.get("source")
        if mount["type"] == "volume" and source:
            source = (volumes.get(source) or {}).get("name", source)
        if mount["type"] in ("bind", "volume") and source:
            asked.add((source, posixpath.normpath(mount["target"])))
    return asked


def _mounts_seen(seen: Inspection) -> set[tuple[str, str]]:
    """Collect the mounts that have a source of somebody's choice; anonymous ones are Compose's to keep."""
    host = seen["HostConfig"]
    found = set()
    for bind in host.get("Binds") or ():
        source, _, rest = bind.partition(":")
        found.add((source, posixpath.normpath(rest.partition(":")[0])))
    for mount in host.get("Mounts") or ():
        if mount.get("Source"):
            found.add((mount["Source"], posixpath.normpath(mount["Target"])))
    anonymous = {one["Name"] for one in seen["Mounts"] if one["Type"] == "volume" and len(one["Name"]) == 64}
    return {(source, target) for source, target in found if source not in anonymous}


def _networks_asked(config: Mapping[str, Any], service: Mapping[str, Any]) -> set[str]:
    if service.get("network_mode"):
        mode = str(service["network_mode"])
        return {mode} if mode in ("host", "none", "bridge") else set()
    networks = config.get("networks") or {}
    return {
        (networks.get(one) or {}).get("name", one) for one in service.get("networks") or {"default": None}
    }


def _ports_asked(service: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (
            f"{one['target']}/{one.get('protocol', 'tcp')}",
            one.get("host_ip", ""),
            str(one.get("published", "")),
        )
        for one in service.get("ports") or ()
    }


def _ports_seen(seen: Inspection) -> set[tuple[str, str, str]]:
    return {
        (port, one.get("HostIp", ""), one.get("HostPort", ""))
        for port, bindings in (seen["HostConfig"].get("PortBindings") or {}).items()
        for one in bindings or ()
    }


def _restart_seen(seen: Inspection) -> str:
    policy = seen["HostConfig"].get("RestartPolicy") or {}
    name, count = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    return f"{name}:{count}" if count else name
