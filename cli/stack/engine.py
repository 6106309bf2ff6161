"""The programs Docker and Compose: find, query and run them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class StackError(Exception):
    """The problems to correct first, one sentence each."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


OLDEST_ENGINE = (20, 10)
OLDEST_COMPOSE = (2, 24)
"""The first release that allows a missing env_file."""
ASKING_SECONDS = 60


@dataclass(frozen=True)
class Engine:
    """The engine behind the `docker` program."""

    environ: Mapping[str, str]
    version: str
    memory_bytes: int
    is_local: bool

    def container(self, name: str) -> dict[str, Any] | None:
        """Return the output of `docker inspect` for a container; None if it does not exist."""
        done = _ask(["docker", "inspect", "--type", "container", name], self.environ)
        if done.returncode != 0:
            return None
        found: dict[str, Any] = json.loads(done.stdout)[0]
        return found

    def has_volume(self, name: str) -> bool:
        """Return whether a volume of that name exists."""
        return _ask(["docker", "volume", "inspect", name], self.environ).returncode == 0

    def published_by(self, project: str) -> str:
        """Return the ports that a Compose project's containers publish, as `docker ps` prints them."""
        label = f"label=com.docker.compose.project={project}"
        return _ask(["docker", "ps", "--filter", label, "--format", "{{.Ports}}"], self.environ).stdout


def find_engine(environ: Mapping[str, str]) -> Engine:
    """Return the running engine. Raise StackError with the remedy if there is none or it is too old."""
    if shutil.which("docker", path=environ.get("PATH")) is None:
        raise StackError(
            "docker: not found; install Docker Engine 20.10 or later (docs.docker.com/engine/install)"
        )
    form = "{{.ServerVersion}} {{.MemTotal}}"
    done = _ask(["docker", "info", "--format", form], environ)
    words = done.stdout.split()
    if done.returncode != 0 or len(words) != 2:
        said = done.stderr.strip().splitlines()
        if "permission denied" in done.stderr:
            raise StackError(
                "docker: this account may not talk to the engine; use sudo, or add it to the group `docker` "
                "(which makes it as mighty as root) and sign in anew"
            )
        reason = said[-1] if said else "no answer"
        raise StackError(f"docker: the engine does not answer ({reason}); start it: systemctl start docker")
    version, memory = words
    if _numbers(version) < OLDEST_ENGINE:
        raise StackError(f"docker: engine {version} is too old; install 20.10 or later")
    host = environ.get("DOCKER_HOST", "")
    return Engine(environ, version, int(memory), is_local=not host or host.startswith("unix:"))


def find_compose(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the command of Compose. Raise StackError if there is none or it is too old."""
    candidates = [("docker", "compose"), ("docker-compose",)]
    if environ.get("COMPOSE"):
        candidates = [(environ["COMPOSE"],)]
    too_old = ""
    for words in candidates:
        if shutil.which(words[0], path=environ.get("PATH")) is None:
            continue
        done = _ask([*words, "version", "--short"], environ)
        version = done.stdout.strip()
        if done.returncode == 0 and _numbers(version) >= OLDEST_COMPOSE:
            return words
        too_old = version if done.returncode == 0 else too_old
    if too_old:
        raise StackError(f"docker compose: version {too_old} is too old; install 2.24 or later")
    raise StackError(
        "docker compose: not found; install Compose 2.24 or later (package docker-compose-plugin)"
    )


@dataclass(frozen=True)
class Compose:
    """Compose for one project folder with its env files."""

    words: tuple[str, ...]
    directory: Path
    environ: Mapping[str, str]
    env_files: tuple[Path, ...]

    def command(self, *arguments: str) -> list[str]:
        """Return the complete command line."""
        files = [word for path in self.env_files for word in ("--env-file", str(path))]
        return [*self.words, "--project-directory", str(self.directory), *files, *arguments]

    def run(self, *arguments: str, **options: Any) -> int:
        """Run Compose with the terminal's input and output, and return its exit code."""
        command = self.command(*arguments)
        return subprocess.run(command, env=dict(self.environ), check=False, **options).returncode  # noqa: S603

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Compose and return its captured output."""
        return _ask(self.command(*arguments), self.environ)


def _ask(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - our own fixed words
            command, env=dict(environ), capture_output=True, text=True, timeout=ASKING_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no answer within {ASKING_SECONDS} s")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
