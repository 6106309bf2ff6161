"""Make the plan: read every file, judge every target, and work out what would be written."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from core.messages import Message
from core.sync.assessment import Assessor
from core.sync.docker_containers import DockerContainers
from core.sync.editing import Edit, Judged, edit, marked, masked_diff
from core.sync.folders import (
    Folders,
    FoundFile,
    why_unwritable,
)
from core.sync.plan import (
    ContainerAction,
    ContainerChange,
    Draft,
    FileEdit,
    FilePlan,
    Plan,
    Project,
    TargetPlan,
    Wanted,
    WantedValue,
    identify,
)
from core.sync.projects import FindCompose, Projects, open_projects
from core.sync.secret_values import Values
from core.sync.targets import CommandTarget, FileTarget, State, SyncSettings
from core.sync.value_check import CheckResult, PlannedValue, ValueCheck
from core.sync.value_span import FileProblemError, NotParseableError

SHOWN = frozenset({State.IN_SYNC, State.FOLLOWS, State.WILL_CHANGE, State.WILL_RUN})
SHORTEST_SHOWN = 20
FILES_ONLY = Message.of("containers.files_only")


def make_draft(
    settings: SyncSettings,
    values: Values,
    *,
    at: datetime,
    leave_out: Collection[str] = (),
    commands_done: Mapping[str, str] | None = None,
    containers: DockerContainers | None = None,
    compose: FindCompose = lambda: None,
) -> Draft:
    """Plan to bring the values to every target that is not left out; changes nothing.

    `leave_out` names targets and containers. `commands_done` holds, by a command target's name, the
    fingerprint of the value that it last took. Compose is asked what comes of the files.
    """
    drafting = _Drafting(settings, values, leave_out, commands_done or {}, Folders(settings.folders))
    return drafting.draft(at, containers, compose)


def fingerprint(value: str) -> str:
    """Return the SHA-256 of a value, to compare it later; our values are long and random."""
    return hashlib.sha256(value.encode()).hexdigest()


@dataclass
class _Drafting:
    """One pass over all targets."""

    settings: SyncSettings
    values: Values
    leave_out: Collection[str]
    commands_done: Mapping[str, str]
    folders: Folders
    judged: dict[str, Judged] = field(default_factory=dict)
    files: dict[Path, FoundFile] = field(default_factory=dict)
    edits: dict[Path, Edit] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)
    absent: dict[tuple[str, str], list[FileTarget]] = field(default_factory=dict)

    def draft(self, at: datetime, containers: DockerContainers | None, compose: FindCompose) -> Draft:
        groups = self._groups()
        mentioned = self._pass_over_presets() if groups else set()
        for path, targets in groups.items():
            values = {one: self.values.text(one.receives) or "" for one in targets}
            self.edits[path] = edit(self.files[path].text, values)
            self.judged |= self.edits[path].judged
            self._check_writable(path, targets)
        edits = tuple(
            self._file_edit(path, targets[0]) for path, targets in groups.items() if self._changes(path)
        )
        changes = {one.found.path: one.after for one in edits}
        wanted = wanted_of(self.settings, self.values, self.leave_out, changes)
        with asking(compose, containers, wanted, self._marked(groups)) as (projects, assessor):
            labelled = assessor.made_by_compose.values() if assessor else ()
            self._check(projects, list(dict.fromkeys(project for project, _ in labelled)), groups)
            shown = [one for one in self.settings.targets if one.name not in mentioned]
            plan = Plan(made_at=at, targets=tuple(map(self._target_plan, shown)))
            return complete(plan, edits, self.settings, projects, assessor, wanted, self.fingerprints)

    def _marked(self, groups: Mapping[Path, list[FileTarget]]) -> dict[Path, bytes]:
        """Return the files with each target's mark where its value will stand."""
        return {
            path: marked(
                self.edits[path].text,
                {one: self._mark(one) for one in targets if not self.judged[one.name].state.is_wrong},
            ).encode()
            for path, targets in groups.items()
        }

    def _mark(self, target: FileTarget) -> str:
        return f"wppconnect_ops_mark_{self.settings.targets.index(target)}_"

    def _check(
        self, projects: Projects, labelled: Sequence[Project], groups: Mapping[Path, list[FileTarget]]
    ) -> None:
        """Ask Compose whether every value arrives that a file holds or will hold."""
        values = {
            one: PlannedValue(
                folder=one.folder,
                path=path,
                line=self.judged[one.name].line,
                key=one.key,
                value=self.values.text(one.receives) or "",
                services=self.judged[one.name].services if one.is_compose else None,
                mark=self._mark(one),
            )
            for path, targets in groups.items()
            for one in targets
            if not self.judged[one.name].state.is_wrong
        }
        check = ValueCheck(projects, self.settings, labelled, values.values())
        results = {one: check.check(value) for one, value in values.items()}
        for one, result in results.items():
            self._apply_result(one, result)

    def _apply_result(self, target: FileTarget, result: CheckResult) -> None:
        judged = self.judged[target.name]
        problem, note = result.problem, result.note
        if judged.follows and (result.unproven and not self._is_written(target, judged.follows)):
            problem = Message.of(
                "files.follows_unproven",
                line=judged.line,
                name=judged.follows,
                reason=result.unproven,
            )
        elif judged.follows and problem:
            problem = Message.of("files.follows_other", line=judged.line, name=judged.follows)
        if result.unproven and judged.state is State.WILL_CHANGE and not judged.follows:
            note = Message.of("files.unproven", reason=result.unproven)
        if problem:
            self.judged[target.name] = replace(judged, state=State.REFUSED, why=problem)
        elif note:
            why = Message.joined([judged.why, note]) if judged.why else note
            self.judged[target.name] = replace(judged, why=why)

    def _is_written(self, target: FileTarget, name: str) -> bool:
        """Whether another target brings the same secret into the name that a value takes over."""
        return any(
            isinstance(one, FileTarget)
            and (one.folder, one.key, one.receives) == (target.folder, name, target.receives)
            and one is not target
            and self.judged[one.name].state is not State.LEFT_OUT
            for one in self.settings.targets
        )

    def _groups(self) -> dict[Path, list[FileTarget]]:
        """Read the files and sort the targets by file; judge those that have none, or no value."""
        groups: dict[Path, list[FileTarget]] = {}
        for target in self.settings.targets:
            value = self.values.text(target.receives)
            if target.name in self.leave_out:
                self.judged[target.name] = Judged(State.LEFT_OUT)
            elif value is None:
                self.judged[target.name] = Judged(State.NO_VALUE, self.values.problem(target.receives))
            elif isinstance(target, CommandTarget):
                self._judge_command(target, value)
            else:
                self._read_for(target, groups)
        return groups

    def _read_for(self, target: FileTarget, groups: dict[Path, list[FileTarget]]) -> None:
        try:
            found = self.folders.read(target.folder, target.file)
            _ = found.text
        except FileProblemError as error:
            self.judged[target.name] = Judged(error.state, error.why)
            if error.state is State.FILE_MISSING:
                self.absent.setdefault((target.folder, target.file), []).append(target)
        else:
            self.files.setdefault(found.path, found)
            groups.setdefault(found.path, []).append(target)

    def _pass_over_presets(self) -> set[str]:
        """Pass over absent files of a preset; return the targets that need no line of their own."""
        mentioned = set()
        for (_, file), targets in self.absent.items():
            if all(one.is_preset for one in targets):
                why = Message.of("files.not_here", file=file)
                self.judged |= {one.name: Judged(State.NOT_HERE, why) for one in targets}
                mentioned |= {one.name for one in targets[1:]}
        return mentioned

    def _judge_command(self, target: CommandTarget, value: str) -> None:
        self.fingerprints[target.name] = fingerprint(value)
        done = self.commands_done.get(target.name) == self.fingerprints[target.name]
        self.judged[target.name] = Judged(State.IN_SYNC if done else State.WILL_RUN)

    def _check_writable(self, path: Path, targets: list[FileTarget]) -> None:
        problem = why_unwritable(path) if self._changes(path) else None
        for target in targets if problem else ():
            if self.judged[target.name].state.is_change:
                self.judged[target.name] = Judged(State.UNWRITABLE, problem)

    def _changes(self, path: Path) -> bool:
        return self.edits[path].text != self.files[path].text

    def _file_edit(self, path: Path, target: FileTarget) -> FileEdit:
        return FileEdit(target.folder, target.file, self.files[path], self.edits[path].text.encode())

    def _target_plan(self, target: FileTarget | CommandTarget) -> TargetPlan:
        judged = self.judged[target.name]
        return TargetPlan(
            target=target.name,
            receives=target.receives.words,
            state=judged.state,
            why=judged.why,
            services=judged.services,
            fingerprint=self._fingerprint(target) if judged.state in SHOWN else "",
        )

    def _fingerprint(self, target: FileTarget | CommandTarget) -> str:
        value = self.values.text(target.receives) or ""
        # Of a value that a person made up, it would let a reader of the plan try guesses.
        return fingerprint(value)[:8] if len(value) >= SHORTEST_SHOWN else ""


@contextmanager
def asking(
    compose: FindCompose,
    containers: DockerContainers | None,
    wanted: Wanted,
    marks: Mapping[Path, bytes] | None = None,
) -> Iterator[tuple[Projects, Assessor | None]]:
    """Ask Compose and the engine until the block ends; the engine not where files alone change."""
    with open_projects(compose, wanted.changes, marks) as projects:
        if containers is None:
            yield projects, None
        else:
            with containers.assessor(wanted, projects) as assessor:
                yield projects, assessor


def complete(
    plan: Plan,
    edits: tuple[FileEdit, ...],
    settings: SyncSettings,
    projects: Projects,
    assessor: Assessor | None,
    wanted: Wanted,
    fingerprints: Mapping[str, str] | None = None,
) -> Draft:
    """Return a plan with its files, containers and digest; `assessor` is None where files alone change."""
    unmanaged = (
        ContainerChange(container=one.name, action=ContainerAction.UNMANAGED, why=FILES_ONLY)
        for one in wanted.containers
    )
    decided = assessor.changes() if assessor else tuple(unmanaged)
    files = tuple(_file_plan(one, settings) for one in edits)
    plan = plan.model_copy(update={"files": files, "containers": decided})
    plan = plan.model_copy(update={"digest": identify(plan, edits, fingerprints or {})})
    return Draft(plan, edits, wanted, projects.files_read())


def _file_plan(edit: FileEdit, settings: SyncSettings) -> FilePlan:
    """Return what is shown of a file's change: its values masked, and nothing of a file that is no text."""
    named = (edit.folder, edit.file)
    files = [one for one in settings.targets if isinstance(one, FileTarget)]
    targets = [one for one in files if (one.folder, one.file) == named]
    try:
        after = FoundFile(edit.found.path, edit.after).text
        diff = masked_diff(edit.found.text, after, edit.file, targets)
    except NotParseableError:
        diff = ""
    return FilePlan(**edit.version.model_dump(), diff=diff)


def wanted_of(
    settings: SyncSettings,
    values: Values,
    leave_out: Collection[str],
    changes: Mapping[Path, bytes] | None = None,
) -> Wanted:
    """Return what the containers that are not left out should run with; `changes` are not written yet."""
    return Wanted(
        containers=tuple(one for one in settings.containers if one.name not in leave_out),
        folders=settings.folders,
        values=tuple(
            WantedValue(one.folder, one.key, values.text(one.receives) or "")
            for one in settings.targets
            if isinstance(one, FileTarget)
        ),
        changes=changes or {},
    )
