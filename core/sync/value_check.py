"""Which values services get by a plan: Compose is asked on a scratch copy before a file is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.exceptions import StoreError
from core.messages import Message
from core.sync.compose import Compose, ComposeError, IncompleteProjectError, Service
from core.sync.compose_file import ComposeFile
from core.sync.compose_scalar import follows
from core.sync.container_access import CheckResult, PlannedValue, Project
from core.sync.env_file import EnvFile
from core.sync.scratch_copy import ScratchCopy, scratch_copy
from core.sync.targets import SyncSettings
from core.sync.value_span import FOLLOWING, NotParseableError, RefusedError

DOTENV = ".env"
COMPOSE_SUFFIXES = (".yml", ".yaml")
UNREADABLE = b"services: [\n"
"""A compose file that is read at all with this in it makes Compose refuse the project."""
NO_COMPOSE = Message.of("files.no_compose")


@dataclass
class ValueCheck:
    """Ask Compose whether services get the values that a plan brings into files."""

    compose: Callable[[], Compose | None]
    projects: Callable[[], Sequence[Project]]
    """The projects of the engine's containers, as their labels name them."""

    def __call__(
        self, settings: SyncSettings, values: Sequence[PlannedValue], changes: Mapping[Path, bytes]
    ) -> dict[str, CheckResult]:
        """Return what Compose says of each value, by its target; an unproven one says why."""
        compose = self.compose()
        if compose is None:
            return {one.target: CheckResult(unproven=NO_COMPOSE) for one in values}
        try:
            with scratch_copy(compose.scratch, changes) as scratch:
                asking = _Asking(compose, scratch, settings, tuple(self.projects()))
                return {one.target: asking.check(one) for one in values}
        except (StoreError, OSError) as error:
            why = Message.of("files.no_scratch_copy", reason=type(error).__name__)
            return {one.target: CheckResult(unproven=why) for one in values}


@dataclass
class _Model:
    """A project as Compose reads it: with its values, and as the files write it."""

    project: Project
    services: Mapping[str, Service]
    written: Mapping[str, Mapping[str, Any]]

    def links(self, service: str, scratch: ScratchCopy) -> list[Path]:
        """Return the env files of a service, in Compose's order."""
        given = self.written.get(service, {}).get("env_file") or ()
        return [scratch.real(Path(str(one["path"]))) for one in given]

    def reads(self, service: str, name: str) -> Iterator[str]:
        """Yield the variables of a service that take over a whole value of that name."""
        environment = self.written.get(service, {}).get("environment") or {}
        pairs = (
            [str(one).partition("=")[::2] for one in environment]
            if isinstance(environment, list)
            else [(str(key), "" if value is None else str(value)) for key, value in environment.items()]
        )
        for key, text in pairs:
            found = FOLLOWING.fullmatch(text)
            if (found and (found["bare"] or found["name"]) == name) or (not text and key == name):
                yield key


@dataclass
class _Asking:
    """One pass over the values of a plan."""

    compose: Compose
    scratch: ScratchCopy
    settings: SyncSettings
    labelled: tuple[Project, ...]
    models: dict[Project, _Model | ComposeError] = field(default_factory=dict)
    alone: dict[Path, Mapping[str, str] | Message | None] = field(default_factory=dict)

    def check(self, value: PlannedValue) -> CheckResult:
        """Ask about one value, first of the project that runs with it."""
        if value.services is None and (problem := self._alone(value)):
            return CheckResult(problem=problem)
        reason: Message | None = None
        for stage in self._stages(value):
            results = [found for one in stage if (found := self._in_project(value, one))]
            if refused := next((one for one in results if one.problem), None):
                return refused
            if proven := [one for one in results if not one.unproven]:
                return next((one for one in proven if one.note), proven[0])
            reason = reason or next((one.unproven for one in results), None)
        if value.services is None:
            # It may be another program's: by itself it was read as it should be.
            return CheckResult()
        return CheckResult(unproven=reason or Message.of("files.no_project", file=value.path.name))

    def _alone(self, value: PlannedValue) -> Message | None:
        """Say why the env file by itself does not give the value to a service."""
        if value.path not in self.alone:
            self.alone[value.path] = self._values_of(value.path)
        found = self.alone[value.path]
        if isinstance(found, Message) or found is None or found.get(value.key) == value.value:
            return found if isinstance(found, Message) else None
        return Message.of("files.not_alone", key=value.key, line=value.line)

    def _values_of(self, path: Path) -> Mapping[str, str] | Message | None:
        """Return what a service gets from an env file; None where Compose cannot be asked."""
        file = self.scratch.path(path) if path in self.scratch.changes else path
        config = {"services": {"check": {"image": "check", "env_file": [str(file)]}}}
        try:
            return Service(self.compose.config_of_text(config)["services"]["check"]).environment
        except IncompleteProjectError:
            return None
        except ComposeError as error:
            return Message.of("files.compose_refuses", reason=str(error))

    def _stages(self, value: PlannedValue) -> Iterator[Sequence[Project]]:
        """Yield the projects to ask: of containers, else of the sync file, else what Compose finds itself."""
        root = self.settings.folders[value.folder].resolve()
        yield [one for one in self.labelled if one.is_here and _concerns(one, root, value.path)]
        listed = dict.fromkeys(
            Project(
                directory=root,
                files=tuple(root / file for file in one.compose_files),
                env_files=tuple(root / file for file in one.env_files),
            )
            for one in self.settings.containers
            if one.folder == value.folder and (one.compose_files or one.env_files)
        )
        yield list(listed)
        yield [Project(directory=one) for one in dict.fromkeys((root, value.path.parent))]
        if value.services is not None:
            yield [Project(directory=value.path.parent, files=(value.path,))]

    def _in_project(self, value: PlannedValue, project: Project) -> CheckResult | None:
        """Return what a project makes of the value; None where it has nothing to do with it."""
        model = self._model(project)
        if isinstance(model, IncompleteProjectError):
            return CheckResult(unproven=Message.of("files.compose_cannot", reason=str(model)))
        if isinstance(model, ComposeError):
            return CheckResult(problem=Message.of("files.compose_refuses", reason=str(model)))
        if model is None:
            return None
        if value.services is None:
            return self._of_env_file(value, model)
        known = [name for name in value.services if name in model.services]
        wrong = [name for name in known if not _gets(model.services[name], value.key, value.value)]
        if not known or (wrong and not self._reads(project, value.path)):
            return None
        return CheckResult(problem=self._why(value, model, wrong[0])) if wrong else CheckResult()

    def _of_env_file(self, value: PlannedValue, model: _Model) -> CheckResult | None:
        got: list[str] = []
        missed: list[str] = []
        project = model.project
        is_project_file = value.path == (project.directory / DOTENV).resolve() or value.path in [
            one.resolve() for one in project.env_files
        ]
        for name, service in model.services.items():
            links = model.links(name, self.scratch)
            keys = [value.key] if value.path in links else []
            keys += model.reads(name, value.key) if is_project_file else ()
            for key in keys:
                (got if _gets(service, key, value.value) else missed).append(name)
        if not missed:
            return CheckResult() if got else None
        why = self._why(value, model, missed[0])
        return CheckResult(note=why) if got else CheckResult(problem=why)

    def _model(self, project: Project) -> _Model | ComposeError | None:
        """Ask once for each project; None where Compose finds no files."""
        if not project.directory.is_dir():
            return None
        self.scratch.add(project.directory)
        if project not in self.models:
            try:
                services = self.compose.services(project, self.scratch)
                written = self.compose.config(project, self.scratch, as_written=True).get("services") or {}
                self.models[project] = _Model(project, services, written)
            except ComposeError as error:
                self.models[project] = error
        found = self.models[project]
        return None if isinstance(found, ComposeError) and found.has_no_files else found

    def _reads(self, project: Project, file: Path) -> bool:
        """Whether Compose reads a compose file at all for a project."""
        if file in [one.resolve() for one in project.files]:
            return True
        with self.scratch.replaced(file, UNREADABLE):
            try:
                self.compose.config(project, self.scratch)
            except ComposeError:
                return True
        return False

    def _why(self, value: PlannedValue, model: _Model, service: str) -> Message:
        """Say which file wins over the target's."""
        project = model.project
        nearby = project.files or sorted(one for one in project.directory.iterdir() if one.is_file())
        compose_files = [one for one in nearby if one.name.endswith(COMPOSE_SUFFIXES)]
        env_files = (*project.env_files, *model.links(service, self.scratch))
        for file in (*reversed(compose_files), *reversed(env_files)):
            if file.resolve() == value.path:
                continue
            if line := _line_of(file, value.key, service):
                kind = "files.override_wins" if ".override." in file.name else "files.file_wins"
                return Message.of(kind, file=file.name, line=line, key=value.key, service=service)
        read = ", ".join(one.name for one in (*project.files, *env_files)) or str(project.directory)
        return Message.of("files.not_reached", service=service, key=value.key, files=read)


def _concerns(project: Project, root: Path, file: Path) -> bool:
    directory = project.directory.resolve()
    inside = directory.is_relative_to(root) or root.is_relative_to(directory)
    return inside or file in [one.resolve() for one in (*project.files, *project.env_files)]


def _gets(service: Service, key: str, value: str) -> bool:
    if service.value(key) == value:
        return True
    # A shell's command line holds the option inside one word.
    option = re.compile(rf"(?<!\S){re.escape(key)}(?:=|\s+)([\"']?){re.escape(value)}\1(?!\S)")
    return key.startswith("--") and any(option.search(word) for word in service.words)


def _line_of(file: Path, key: str, service: str) -> int:
    """Return the line on which a file sets a key for a service; 0 when it does not."""
    try:
        text = file.read_text(encoding="utf-8")
        if file.name.endswith(COMPOSE_SUFFIXES):
            # What takes the value over from elsewhere does not set it.
            places = [one for one in ComposeFile(text).places(key, service) if not follows(one, key)]
        else:
            places = list(EnvFile(text).places(key))
    except (OSError, ValueError, NotParseableError, RefusedError):
        return 0
    return places[-1].line if places else 0
