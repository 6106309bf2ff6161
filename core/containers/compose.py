"""Compose v2, where this machine has it and the project's own folder: its way is the one without a trace.

From another folder Compose would silently take relative bind mounts from there, and a file with other changes
in it would bring them along. In both cases the engine's own way is taken.
"""

from __future__ import annotations

import copy
import json
import posixpath
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.containers.blueprint import argument_of, environment_of, with_arguments
from core.containers.engine import Engine, Inspection
from core.containers.judgement import (
    CONFIG_FILES,
    WORKING_DIRECTORY,
    Way,
    compose_folder,
    image_of,
    labels_of,
)
from core.exceptions import ContainerError
from core.logs import redact
from core.propagation.reach import Expectation

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
CONFIG_HASH = "com.docker.compose.config-hash"
ENVIRONMENT_FILE = f"{PROJECT}.environment_file"
UP = ("up", "--detach", "--no-deps", "--no-build", "--pull", "never")
REMAKES = re.compile(r"^\s*DRY-RUN MODE -\s+(?:Network|Volume)\s", re.MULTILINE)
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

    def way(self, engine: Engine, expectation: Expectation, seen: Inspection) -> Way:
        """Tell how a container is recreated: by Compose where its folder is right and nothing else changes.

        Compose marks a container with a hash of what the files said of its service. With the old values put
        back for our keys the files have to give that hash again: then nothing else waits in them.
        """
        folder, files = compose_folder(seen), _files(seen)
        if folder is None or folder != expectation.project_folder or not folder.is_dir():
            return Way.ENGINE
        if not files or not all(file.is_file() for file in files):
            return Way.ENGINE
        service, config = labels_of(seen).get(SERVICE, ""), self._config(seen)
        if config is None or service not in config.get("services", {}):
            return Way.ENGINE
        wanted = config["services"][service]
        if expectation.container.gateway and wanted.get("hostname") != seen["Config"]["Hostname"]:
            # Its browser profiles are locked with the name of their host.
            return Way.ENGINE
        before = self._hash(seen, service, _with_old_values(config, service, expectation, seen))
        is_same_image = engine.image_id(image_of(seen)) == seen["Image"]
        if before != labels_of(seen).get(CONFIG_HASH) or not is_same_image:
            return Way.ENGINE_LEAVING_CHANGES
        rehearsed = self._run([*_project(seen), "--dry-run", *UP, service], CONFIG_SECONDS)
        if rehearsed is None or rehearsed.returncode:
            return Way.ENGINE
        # A network or volume that Compose makes anew costs all who use it.
        remakes = REMAKES.search(rehearsed.stderr + rehearsed.stdout)
        is_more = remakes or _has_other_places(config, wanted, seen)
        return Way.ENGINE_LEAVING_CHANGES if is_more else Way.COMPOSE

    def recreate(self, seen: Inspection) -> None:
        """Have the service's container recreated; raise ContainerError when Compose cannot."""
        done = self._run([*_project(seen), *UP, labels_of(seen)[SERVICE]], UP_SECONDS)
        if done is None:
            raise ContainerError(f"Compose did not end within {UP_SECONDS} s")
        if done.returncode:
            said = redact(" ".join(done.stderr.split()))[-LONGEST_WORDS:]
            raise ContainerError(f"Compose failed: {said}")

    def _config(self, seen: Inspection) -> dict[str, Any] | None:
        # Also what a profile keeps from being started: this container was.
        done = self._run([*_project(seen), "--profile", "*", "config", "--format", "json"], CONFIG_SECONDS)
        if done is None or done.returncode:
            return None
        try:
            found = json.loads(done.stdout)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def _hash(self, seen: Inspection, service: str, config: Mapping[str, Any]) -> str | None:
        """Ask for the mark of a service; None when Compose does not tell."""
        project = [
            "--project-directory",
            labels_of(seen)[WORKING_DIRECTORY],
            "--project-name",
            labels_of(seen)[PROJECT],
        ]
        words = [*project, "--profile", "*", "--file", "-", "config", "--hash", service]
        done = self._run(words, CONFIG_SECONDS, json.dumps(config))
        name, _, mark = done.stdout.strip().partition(" ") if done else ("", "", "")
        return mark if name == service else None

    def _run(
        self, arguments: Sequence[str], seconds: float, said: str = ""
    ) -> subprocess.CompletedProcess[str] | None:
        # Nothing of our own environment: a variable of ours would win over the project's .env file.
        environ = {"PATH": self.path, "DOCKER_HOST": self.host, "HOME": str(Path.home())}
        try:
            return subprocess.run(  # noqa: S603 - a program of the administrator's, without a shell
                [*self.program, *arguments],
                env=environ,
                input=said,
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
        *("--project-directory", labels[WORKING_DIRECTORY], "--project-name", labels[PROJECT]),
        *files,
        *(argument for file in variables for argument in ("--env-file", file)),
    ]


def _with_old_values(
    config: dict[str, Any], service: str, expectation: Expectation, seen: Inspection
) -> dict[str, Any]:
    """Return the file's meaning with the values that the container runs with, for our keys alone."""
    changed: dict[str, Any] = copy.deepcopy(config)
    wanted = changed["services"][service]
    environment = environment_of(seen)
    variables = wanted.get("environment") or {}
    for key in expectation.environment:
        if key in environment:
            variables[key] = _doubled(environment[key])
        else:
            variables.pop(key, None)
    arguments = {option: argument_of(seen, option) for option in expectation.arguments}
    old = {option: _doubled(value) for option, value in arguments.items() if value is not None}
    for part in ("command", "entrypoint"):
        if wanted.get(part):
            wanted[part] = with_arguments(wanted[part], old)
    return changed


def _has_other_places(config: Mapping[str, Any], service: Mapping[str, Any], seen: Inspection) -> bool:
    """Tell whether volumes or networks lead elsewhere now: their own sections are not in a service's mark."""
    return _mounts_asked(config, service) != _mounts_seen(seen) or _networks_asked(config, service) != set(
        seen["NetworkSettings"]["Networks"] or ()
    )


def _doubled(text: str) -> str:
    """Write a dollar sign as Compose reads it."""
    return text.replace("$", "$$")


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


def finder(host: str, path: str) -> Callable[[], Compose | None]:
    """Return what finds Compose once; one that is missing or did not answer is looked for again."""
    found: Compose | None = None

    def find() -> Compose | None:
        nonlocal found
        found = found or Compose.find(host, path)
        return found

    return find
