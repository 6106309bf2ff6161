"""Which values services get by a plan: Compose is asked on a scratch copy before a file is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.messages import Message
from core.sync.compose import ComposeError, IncompleteProjectError, NoFilesError, Service
from core.sync.editing import open_text
from core.sync.plan import Project, WantedValue
from core.sync.projects import MARK, Projects, services_of
from core.sync.targets import SyncSettings, is_compose_file
from core.sync.value_span import FileProblemError

DOTENV = ".env"
COMMAND = "command"
UNREADABLE = b"X='[\n"
"""A file that is read at all with this in it makes Compose refuse the project."""


@dataclass(frozen=True)
class CheckResult:
    """What Compose says of a value before it is written."""

    problem: Message | None = None
    """Why the value does not arrive."""
    note: Message | None = None
    """It arrives, but not everywhere."""
    unproven: Message | None = None
    """Why Compose cannot say."""


class _Model:
    """A project as Compose reads it: with its values, and as the files write it; raises ComposeError."""

    def __init__(self, project: Project, projects: Projects) -> None:
        self.project = project
        self.services = projects.services(project)
        self.written: Mapping[str, Mapping[str, Any]] = projects.written(project).get("services") or {}
        self._real = projects.real

    def links(self, service: str) -> list[Path]:
        """Return the env files of a service, in Compose's order."""
        given = self.written.get(service, {}).get("env_file") or ()
        return [self._real(Path(str(one["path"]))) for one in given]


@dataclass
class ValueCheck:
    """Asks Compose whether services get the values that a plan brings into files."""

    projects: Projects
    settings: SyncSettings
    labelled: Sequence[Project]
    """The projects of the engine's containers, as their labels name them."""
    alone: dict[Path, Mapping[str, str] | Message | None] = field(default_factory=dict)

    def check(self, value: WantedValue) -> CheckResult:
        """Check one value, first in the project that runs with it."""
        try:
            self.projects.compose  # noqa: B018 - without it nothing can be asked
            return self._check(value)
        except IncompleteProjectError as error:
            return CheckResult(unproven=error.explanation)

    def _check(self, value: WantedValue) -> CheckResult:
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
            return CheckResult(note=Message.of("files.unproven", reason=reason) if reason else None)
        alone = self._in_project(value, Project(directory=value.path.parent, files=(value.path,)))
        if alone and not alone.unproven:
            named = Message.of("files.only_where_named", file=value.path.name)
            if alone.problem or not (reason or self._is_passed_over(value)):
                return alone
            return CheckResult(unproven=reason, note=named)
        return CheckResult(unproven=reason or Message.of("files.no_project", file=value.path.name))

    def _alone(self, value: WantedValue) -> Message | None:
        """Return why the env file by itself does not give the value to a service."""
        if value.path not in self.alone:
            self.alone[value.path] = self._values_of(value.path)
        found = self.alone[value.path]
        if isinstance(found, Message) or found is None or found.get(value.key) == value.value:
            return found if isinstance(found, Message) else None
        return Message.of("files.not_alone", key=value.key, line=value.line)

    def _values_of(self, path: Path) -> Mapping[str, str] | Message | None:
        """Return what a service gets from an env file; None where Compose cannot be asked."""
        file = self.projects.scratch.path(path) if path in self.projects.changes else path
        config = {"services": {"check": {"image": "check", "env_file": [str(file)]}}}
        try:
            return Service(self.projects.compose.config_of_text(config)["services"]["check"]).environment
        except IncompleteProjectError:
            return None
        except ComposeError as error:
            return Message.of("files.compose_refuses", reason=error.explanation)

    def _stages(self, value: WantedValue) -> Iterator[Sequence[Project]]:
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
        yield [_found_in(one) for one in dict.fromkeys((root, value.path.parent))]

    def _in_project(self, value: WantedValue, project: Project) -> CheckResult | None:
        """Return what a project makes of the value; None where it has nothing to do with it."""
        if not project.directory.is_dir():
            return None
        try:
            model = _Model(project, self.projects)
        except NoFilesError:
            return None
        except IncompleteProjectError as error:
            return CheckResult(unproven=Message.of("files.compose_cannot", reason=error.explanation))
        except ComposeError as error:
            refused = Message.of("files.compose_refuses", reason=error.explanation)
            if project.files == (value.path,) or self._is_project(project):
                return CheckResult(problem=refused)
            # It was refused before: another file is wrong, and this one may be written.
            return CheckResult(unproven=refused)
        if value.services is None:
            return self._of_env_file(value, model)
        known = [name for name in value.services if name in model.services]
        wrong = [name for name in known if not _gets(model.services[name], value.key, value.value)]
        if not known or (wrong and not self._reads(project, value.path)):
            return None
        return CheckResult(problem=self._why(value, model, wrong[0])) if wrong else CheckResult()

    def _of_env_file(self, value: WantedValue, model: _Model) -> CheckResult | None:
        linking = [name for name in model.services if value.path in model.links(name)]
        expected = {(name, value.key): value.value for name in linking}
        try:
            marked = self.projects.marked(model.project, value.key)
        except ComposeError as error:
            return CheckResult(unproven=Message.of("files.compose_cannot", reason=error.explanation))
        references = {
            (name, part): text.replace(MARK, value.value)
            for name, service in marked.items()
            for part, text in _parts(service).items()
            if MARK in text
        }
        if references and self._resolves_with(model.project, value.path, is_linked=bool(linking)):
            expected |= references
        planned = {name: _parts(service) for name, service in model.services.items()}
        missed = sorted(at for at, text in expected.items() if planned[at[0]].get(at[1]) != text)
        if not missed:
            return CheckResult() if expected else None
        why = self._why(value, model, missed[0][0])
        before = {
            name: _parts(one) for name, one in services_of(self.projects.present(model.project)).items()
        }
        # Another file may win for some services, but none may get a third value.
        is_spoilt = any(
            name in before and before[name].get(part) != planned[name].get(part) for name, part in missed
        )
        return (
            CheckResult(problem=why) if is_spoilt or len(missed) == len(expected) else CheckResult(note=why)
        )

    def _resolves_with(self, project: Project, file: Path, *, is_linked: bool) -> bool:
        """Whether references of a project are resolved with an env file."""
        if file == (project.directory / DOTENV).resolve() or file in [
            one.resolve() for one in project.env_files
        ]:
            return True
        # Of a file that an `include` or COMPOSE_ENV_FILES names, only Compose knows.
        return not is_linked and self._reads(project, file)

    def _is_passed_over(self, value: WantedValue) -> bool:
        """Whether Compose finds a project by itself, and does not read the file for it."""
        folders = (self.settings.folders[value.folder].resolve(), value.path.parent)
        found = [one for one in map(_found_in, folders) if self._is_project(one)]
        return bool(found) and not any(self._reads(one, value.path) for one in found)

    def _is_project(self, project: Project) -> bool:
        """Whether Compose reads a project as its files are now."""
        try:
            return bool(self.projects.present(project))
        except ComposeError:
            return False

    def _reads(self, project: Project, file: Path) -> bool:
        """Whether Compose reads a file at all for a project."""
        if file in [one.resolve() for one in project.files]:
            return True
        scratch = self.projects.scratch
        copy = scratch.project(project)
        with scratch.replaced(file, UNREADABLE):
            try:
                self.projects.compose.config(copy)
            except ComposeError:
                return True
        return False

    def _why(self, value: WantedValue, model: _Model, service: str) -> Message:
        """Return which file wins over the target's."""
        project = model.project
        nearby = project.files or sorted(one for one in project.directory.iterdir() if one.is_file())
        compose_files = [one for one in nearby if is_compose_file(one.name)]
        env_files = (*project.env_files, *model.links(service))
        for file in (*reversed(compose_files), *reversed(env_files)):
            if file.resolve() == value.path:
                continue
            if line := _line_of(file, value.key, service):
                kind = "files.override_wins" if ".override." in file.name else "files.file_wins"
                return Message.of(kind, file=file.name, line=line, key=value.key, service=service)
        read = ", ".join(one.name for one in (*project.files, *env_files)) or str(project.directory)
        return Message.of("files.not_reached", service=service, key=value.key, files=read)


def _found_in(directory: Path) -> Project:
    """Return the project that Compose finds in a folder by itself."""
    return Project(directory=directory)


def _concerns(project: Project, root: Path, file: Path) -> bool:
    directory = project.directory.resolve()
    inside = directory.is_relative_to(root) or root.is_relative_to(directory)
    return inside or file in [one.resolve() for one in (*project.files, *project.env_files)]


def _parts(service: Service) -> dict[str, str]:
    """Return what a service takes from variables: its environment, and its command line."""
    return {**service.environment, COMMAND: " ".join(service.words)}


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
        # What takes the value over from elsewhere does not set it.
        lines = [one.line for one in open_text(text, file.name).spans(key, service) if not one.follows]
    except (OSError, ValueError, FileProblemError):
        return 0
    return lines[-1] if lines else 0
