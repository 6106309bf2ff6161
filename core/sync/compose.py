"""Docker Compose: what it makes of a project's files, and the one that recreates containers."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.disk import make_private_directory, open_private, replace_file
from core.exceptions import ContainerError, StoreError
from core.logs import redact
from core.messages import Message
from core.sync.engine import value_in
from core.sync.plan import Project, Touched
from core.sync.value_span import unescaped

UP = ("up", "--detach", "--no-deps", "--no-build", "--pull", "never")
CONFIG_SECONDS = 60
UP_SECONDS = 900
POLL_SECONDS = 0.1
LONGEST_WORDS = 600
LOCK_FLAGS = os.O_RDWR

_FROM_ENGINE = re.compile(r"^.*Error response from daemon: (.+)$", re.MULTILINE)
_FILE_AND_LINE = re.compile(r"failed to read (\S+): line (\d+)")
_LINE = re.compile(r"\bline (\d+)\b")
_MISSING = re.compile(r"env file (\S+) not found|open (\S+): no such file or directory")
_NO_FILES = re.compile(r"no configuration file provided")
_VARIABLE = re.compile(r"required variable (\w+) is missing a value")


class ComposeError(ContainerError):
    """Compose could not be asked, or refuses the files; the message repeats nothing of what they hold."""


class IncompleteProjectError(ComposeError):
    """Something that Compose needs beside the files is missing, or it did not answer."""


class NoFilesError(IncompleteProjectError):
    """Compose finds no compose file where it was asked."""


@dataclass(frozen=True)
class Service:
    """What Compose makes of one service."""

    config: Mapping[str, Any]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that its container gets."""
        given = self.config.get("environment") or {}
        return {key: unescaped(str(value)) for key, value in given.items() if value is not None}

    @property
    def words(self) -> list[str]:
        """Its command line, as far as the files give one."""
        parts = (*(self.config.get("entrypoint") or ()), *(self.config.get("command") or ()))
        return [unescaped(str(word)) for word in parts]

    @property
    def container_name(self) -> str:
        """The container's name that the files give; empty when they leave it to Compose."""
        return str(self.config.get("container_name") or "")

    @property
    def host_name(self) -> str:
        """The host name that the files give; empty when they leave it to the engine."""
        return str(self.config.get("hostname") or "")

    @property
    def image(self) -> str:
        """The image by its name; empty when it is built."""
        return str(self.config.get("image") or "")

    def value(self, key: str) -> str | None:
        """Return what a variable, or an option such as `--secretKey`, holds."""
        return value_in(self.environment, self.words, key)


@dataclass(frozen=True)
class Compose:
    """A Compose program and the engine that it speaks to."""

    program: tuple[str, ...]
    version: str
    host: str
    path: str
    """PATH for the program."""
    directory: Path
    """Ours, for the lock, scratch copies and host names."""

    @classmethod
    def find(cls, host: str, path: str, directory: Path) -> Compose | None:
        """Find Compose v2 on this machine."""
        for program in (("docker", "compose"), ("docker-compose",)):
            if shutil.which(program[0], path=path):
                found = cls(program, "", host, path, directory)
                answer = found._run(["version", "--short"])
                version = answer.stdout.strip().lstrip("v") if answer else ""
                major = version.partition(".")[0]
                if major.isdecimal() and int(major) >= 2:
                    return cls(program, version, host, path, directory)
        return None

    @property
    def scratch(self) -> Path:
        """Where scratch copies of folders are made."""
        return self.directory / "scratch"

    def config(self, project: Project, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return a project as Compose reads it, services of profiles too; raises ComposeError.

        `variables` win over those of the project's env files, as those of a shell do.
        """
        words = [*project.options, "--profile", "*", "config", "--format", "json"]
        return self._parsed(words, cwd=project.directory, variables=variables)

    def config_of_text(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return what Compose makes of a project that stands in no file; raises ComposeError."""
        words = ["--project-directory", str(self.scratch), "--file", "-", "config", "--format", "json"]
        return self._parsed(words, said=json.dumps(config))

    def config_hashes(self, project: Project, config: Mapping[str, Any]) -> dict[str, str]:
        """Return the mark that Compose would put on each service's container; raises ComposeError."""
        words = [*_options_of_text(project), "--profile", "*", "config", "--hash", "*"]
        lines = self._answer(words, said=json.dumps(config)).splitlines()
        return dict(line.split(" ", 1) for line in lines if " " in line)

    def variables(self, project: Project) -> dict[str, str]:
        """Return the variables with which Compose resolves a project's references; raises ComposeError."""
        lines = self._answer([*project.options, "config", "--environment"], cwd=project.directory)
        return dict(line.partition("=")[::2] for line in lines.splitlines())

    def rehearse(self, project: Project, service: str, config: Mapping[str, Any]) -> str:
        """Return what Compose says that `up` would do by itself; raises ComposeError when it cannot tell."""
        words = [*_options_of_text(project), "--dry-run", *UP, service]
        done = self._run(words, said=json.dumps(config))
        if done is None or done.returncode:
            raise ComposeError(Message.of("containers.compose_fails_dry_run"))
        return done.stdout + done.stderr

    def recreate(self, one: Touched) -> None:
        """Recreate exactly one service's container; raises ComposeError.

        Compose is not ended in the middle, whatever ends us: it would leave no container of that name.
        """
        project = self._with_host_name(one)
        with self._alone() as descriptor:
            process = subprocess.Popen(  # noqa: S603 - a program of the administrator's, without a shell
                [*self.program, *project.options, *UP, "--force-recreate", one.service],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                pass_fds=(descriptor,),
                start_new_session=True,
            )
            said = _wait(process)
        if process.returncode:
            reasons = redact(" ".join(dict.fromkeys(_FROM_ENGINE.findall(said))))[-LONGEST_WORDS:]
            words = reasons or Message.joined(_reasons(said))
            raise ComposeError(Message.of("containers.compose_failed", words=words))

    def wait_until_idle(self) -> None:
        """Wait for a Compose that outlived a killed process of ours; raises ComposeError."""
        with self._alone():
            return

    def strip_ours(self, project: Project) -> tuple[Project, bool]:
        """Return the project without our host name file, and whether it was there."""
        kept = tuple(one for one in project.files if one.parent != self._host_names)
        return project.model_copy(update={"files": kept}), kept != project.files

    @property
    def _host_names(self) -> Path:
        return self.directory / "host-names"

    @property
    def _environ(self) -> dict[str, str]:
        # Nothing of our own environment: a variable of ours would win over the project's .env file. Files
        # that an `include` takes from elsewhere are not fetched.
        return {
            "PATH": self.path,
            "DOCKER_HOST": self.host,
            "HOME": str(Path.home()),
            "COMPOSE_EXPERIMENTAL_GIT_REMOTE": "false",
            "COMPOSE_EXPERIMENTAL_OCI_REMOTE": "false",
        }

    def _with_host_name(self, one: Touched) -> Project:
        if not one.host_name:
            return one.project
        file = self._host_names / f"{one.project.name}.{one.service}.yml"
        text = json.dumps({"services": {one.service: {"hostname": one.host_name}}})
        try:
            make_private_directory(file.parent)
            replace_file(file, text.encode(), durable=True)
        except StoreError as error:
            raise ComposeError(error.explanation) from None
        return one.project.model_copy(update={"files": (*one.project.files, file)})

    @contextmanager
    def _alone(self) -> Iterator[int]:
        """Hold the lock that a Compose keeps which outlives us."""
        try:
            make_private_directory(self.directory)
        except StoreError as error:
            raise ComposeError(error.explanation) from None
        with open_private(self.directory / "compose.lock", LOCK_FLAGS) as descriptor:
            deadline = time.monotonic() + UP_SECONDS
            while not _try_lock(descriptor):
                if time.monotonic() > deadline:
                    raise ComposeError(Message.of("containers.compose_lock", seconds=UP_SECONDS))
                time.sleep(POLL_SECONDS)
            yield descriptor

    def _parsed(self, words: Sequence[str], **more: Any) -> dict[str, Any]:
        answer = self._answer(words, **more)
        try:
            found = json.loads(answer)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ComposeError(Message.of("containers.compose_not_read"))
        return found

    def _answer(self, words: Sequence[str], **more: Any) -> str:
        done = self._run(words, **more)
        if done is None:
            raise IncompleteProjectError(Message.of("containers.compose_silent", seconds=CONFIG_SECONDS))
        if not done.returncode:
            return done.stdout
        why = Message.joined([Message.of("containers.compose_not_read"), *_reasons(done.stderr)])
        if _NO_FILES.search(done.stderr):
            raise NoFilesError(why)
        is_incomplete = _VARIABLE.search(done.stderr) or _MISSING.search(done.stderr)
        raise (IncompleteProjectError if is_incomplete else ComposeError)(why)

    def _run(
        self,
        arguments: Sequence[str],
        *,
        said: str = "",
        cwd: Path | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str] | None:
        try:
            return subprocess.run(  # noqa: S603 - a program of the administrator's, without a shell
                [*self.program, *arguments],
                env={**(variables or {}), **self._environ},
                input=said,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=CONFIG_SECONDS,
                cwd=cwd,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None


def _options_of_text(project: Project) -> tuple[str, ...]:
    """Return Compose's options for a project whose configuration it is given on standard input."""
    return ("--project-directory", str(project.directory), "--project-name", project.name, "--file", "-")


def finder(host: str, path: str, directory: Path) -> Callable[[], Compose | None]:
    """Return what finds Compose once; one that is missing or did not answer is looked for again."""
    found: Compose | None = None

    def find() -> Compose | None:
        nonlocal found
        found = found or Compose.find(host, path, directory)
        return found

    return find


def _wait(process: subprocess.Popen[str]) -> str:
    """Return what a program printed once it has ended; Ctrl-C comes through afterwards."""
    interrupted: BaseException | None = None
    while True:
        try:
            said = process.communicate(timeout=UP_SECONDS)[1]
        except subprocess.TimeoutExpired:
            process.terminate()
        except (KeyboardInterrupt, SystemExit) as error:
            interrupted = error
        else:
            if interrupted:
                raise interrupted
            return said


def _reasons(said: str) -> list[Message]:
    """Return why Compose refuses files, without its words: they repeat lines that hold secrets."""
    if found := _VARIABLE.search(said):
        return [Message.of("containers.variable_missing", name=found[1])]
    if found := _MISSING.search(said):
        return [Message.of("containers.something_missing", path=str(found[1] or found[2]))]
    says_why = Message.of("containers.says_why")
    if found := _FILE_AND_LINE.search(said):
        return [Message.of("containers.refuses_line_of", file=found[1], line=found[2]), says_why]
    if found := _LINE.search(said):
        return [Message.of("containers.refuses_line", line=found[1]), says_why]
    return [Message.of("containers.refuses_files"), says_why]


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
