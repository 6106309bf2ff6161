"""Which values services get by a plan: Compose is asked on a scratch copy before a file is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.messages import Message
from core.sync.compose import ComposeError, IncompleteProjectError, NoFilesError, Service
from core.sync.editing import open_text
from core.sync.images import keys_read
from core.sync.plan import Project
from core.sync.projects import REFERENCE, Projects
from core.sync.targets import SyncSettings, is_compose_file
from core.sync.value_span import FileProblemError

DOTENV = ".env"
COMMAND = "command"
UNREADABLE = b"X='[\n"
"""A file that is read at all with this in it makes Compose refuse the project."""


@dataclass(frozen=True)
class PlannedValue:
    """A value that a target brings into a file."""

    folder: str
    path: Path
    """Its file, links resolved."""
    line: int
    key: str
    value: str = field(repr=False)
    services: tuple[str, ...] | None
    """The services of a compose file that it is written for; None: an env file, which any may read."""
    mark: str
    """What stands for it where Compose is asked how far it gets."""


@dataclass(frozen=True)
class CheckResult:
    """What Compose says of a value before it is written."""

    problem: Message | None = None
    """Why the value does not arrive."""
    note: Message | None = None
    """It arrives, but not everywhere."""
    unproven: Message | None = None
    """Why Compose cannot say."""


@dataclass
class ValueCheck:
    """Asks Compose whether services get the values that a plan brings into files."""

    projects: Projects
    settings: SyncSettings
    labelled: Sequence[Project]
    """The projects of the engine's containers, as their labels name them."""
    values: Collection[PlannedValue]
    """All that are planned."""
    alone: dict[Path, Mapping[str, str] | Message | None] = field(default_factory=dict)

    def check(self, value: PlannedValue) -> CheckResult:
        """Check one value, first in the project that runs with it."""
        try:
            self.projects.compose  # noqa: B018 - without it nothing can be asked
            return self._check(value)
        except IncompleteProjectError as error:
            return CheckResult(unproven=error.explanation)

    def _check(self, value: PlannedValue) -> CheckResult:
        reason: Message | None = None
        for stage in self._stages(value):
            results = [found for one in stage if (found := self._in_project(value, one))]
            if refused := next((one for one in results if one.problem), None):
                return refused
            if proven := [one for one in results if not one.unproven]:
                return next((one for one in proven if one.note), proven[0])
            reason = reason or next((one.unproven for one in results), None)
        if value.services is None:
            if problem := self._alone(value):
                return CheckResult(problem=problem)
            # It may be another program's: by itself it is read as it should be.
            return CheckResult(note=Message.of("files.unproven", reason=reason) if reason else None)
        alone = self._in_project(value, Project(directory=value.path.parent, files=(value.path,)))
        if alone and not alone.unproven:
            named = Message.of("files.only_where_named", file=value.path.name)
            if alone.problem or not (reason or self._is_passed_over(value)):
                return alone
            return CheckResult(unproven=reason, note=named)
        return CheckResult(unproven=reason or Message.of("files.no_project", file=value.path.name))

    def _alone(self, value: PlannedValue) -> Message | None:
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
        yield [_found_in(one) for one in dict.fromkeys((root, value.path.parent))]

    def _in_project(self, value: PlannedValue, project: Project) -> CheckResult | None:
        """Return what a project makes of the value; None where it has nothing to do with it."""
        if not project.directory.is_dir():
            return None
        try:
            planned, marked = self.projects.services(project), self.projects.marked(project)
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
        arriving = {
            (name, part): text
            for name, service in marked.items()
            for part, text in _parts(service).items()
            if value.mark in text
        }
        wrong = [
            name
            for (name, part), text in arriving.items()
            if _parts(planned[name]).get(part)
            != (value.value if part == value.key else text.replace(value.mark, value.value))
        ]
        if value.services is None:
            linked = [name for name, service in marked.items() if value.mark in service.environment]
            is_used = bool(arriving or linked)
            missed = self._referring(value, project, is_used=is_used) - {name for name, _ in arriving}
            missed |= set(self._running_with_another(value, project, planned))
        else:
            linked, missed = [name for name in value.services if name in planned], set()
        missed |= {
            name
            for name in linked
            if planned[name].value(value.key) != value.value and (name, COMMAND) not in arriving
        }
        if not wrong and not missed:
            return CheckResult() if arriving or linked else None
        if value.services is not None and not arriving and not self._reads(project, value.path):
            return None
        why = self._why(value, project, planned, (*wrong, *sorted(missed))[0])
        # Of an env file another one, or `environment`, may win for some services.
        is_note = value.services is None and arriving and not wrong
        return CheckResult(note=why) if is_note else CheckResult(problem=why)

    def _referring(self, value: PlannedValue, project: Project, *, is_used: bool) -> set[str]:
        """Return the services that refer to the key, where the file is one that references are taken from."""
        resolving = [one.resolve() for one in (project.directory / DOTENV, *project.env_files)]
        # Of a file that an `include` or COMPOSE_ENV_FILES names, only Compose knows.
        if value.path not in resolving and (is_used or not self._reads(project, value.path)):
            return set()
        services = self.projects.referring(project, value.key).items()
        return {name for name, one in services if any(REFERENCE in text for text in _parts(one).values())}

    def _running_with_another(
        self, value: PlannedValue, project: Project, planned: Mapping[str, Service]
    ) -> Iterator[str]:
        """Yield the services of listed containers that read the key and get it with a value of no target."""
        ours = {one.value for one in self.values if one.key == value.key}
        for name, service in planned.items():
            container = self.settings.container(service.container_name or f"{project.name}-{name}-1")
            if container and container.folder == value.folder and service.value(value.key):
                read = keys_read(container.reads, service.image)
                if (read is None or value.key in read) and service.value(value.key) not in ours:
                    yield name

    def _is_passed_over(self, value: PlannedValue) -> bool:
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

    def _why(
        self, value: PlannedValue, project: Project, planned: Mapping[str, Service], service: str
    ) -> Message:
        """Return which file wins over the target's."""
        nearby = sorted(one for one in project.directory.iterdir() if one.is_file())
        compose_files = project.files or [one for one in nearby if is_compose_file(one.name)]
        env_files = (*reversed(project.env_files), *(one for one in nearby if ".env" in one.name))
        for file in (*reversed(compose_files), *env_files):
            if file.resolve() == value.path:
                continue
            if line := _line_of(file, value.key, service, planned[service].value(value.key)):
                kind = "files.override_wins" if ".override." in file.name else "files.file_wins"
                return Message.of(kind, file=file.name, line=line, key=value.key, service=service)
        read = ", ".join(one.name for one in (*project.files, *project.env_files)) or str(project.directory)
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


def _line_of(file: Path, key: str, service: str, value: str | None) -> int:
    """Return the line on which a file gives a service that value; 0 when it does not."""
    try:
        text = file.read_text(encoding="utf-8")
        # What takes the value over from elsewhere does not set it.
        spans = [one for one in open_text(text, file.name).spans(key, service) if not one.follows]
    except (OSError, ValueError, FileProblemError):
        return 0
    return spans[-1].line if spans and value in (None, spans[-1].literal) else 0
