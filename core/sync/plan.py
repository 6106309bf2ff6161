"""A plan for targets, files and containers.

What is stored and shown holds no secret; `WantedValue`, `FileEdit` and `Draft` do, and are neither.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime

from core.messages import Message, as_sentence, render
from core.models import Frozen
from core.sync.folders import FoundFile, digest
from core.sync.progress import StoredMessage, StoredNote
from core.sync.targets import ContainerSettings, Receives, State


@dataclass(frozen=True)
class WantedValue:
    """A value that a target brings into a file, for whatever takes the key from there."""

    folder: str
    key: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class Wanted:
    """The listed containers, and what the files hold for them now or as a plan would leave them."""

    containers: tuple[ContainerSettings, ...]
    folders: Mapping[str, Path]
    values: tuple[WantedValue, ...] = ()
    changes: Mapping[Path, bytes] = field(default_factory=dict, repr=False)
    """Files, links resolved, that do not hold their new content yet."""

    def values_for(self, container: ContainerSettings) -> tuple[WantedValue, ...]:
        """Return the values that are written in a container's folder."""
        return tuple(one for one in self.values if one.folder == container.folder)


class Project(Frozen):
    """A Compose project as the labels of its containers name it; paths are absolute."""

    name: str = ""
    """"": whatever Compose calls it."""
    directory: Path
    files: tuple[Path, ...] = ()
    """(): those that Compose finds in the directory."""
    env_files: tuple[Path, ...] = ()

    @property
    def is_here(self) -> bool:
        """Whether this process finds the project's files where Compose was given them."""
        needed = (*self.files, *self.env_files)
        return bool(self.files) and self.directory.is_dir() and all(one.is_file() for one in needed)

    @property
    def options(self) -> tuple[str, ...]:
        """Compose's options for exactly this project."""
        directory = ("--project-directory", str(self.directory)) if self.files else ()
        return (
            *directory,
            *(("--project-name", self.name) if self.name else ()),
            *(word for file in self.files for word in ("--file", str(file))),
            *(word for file in self.env_files for word in ("--env-file", str(file))),
        )

    def command(self, services: Sequence[str]) -> str:
        """Return what the project's owner types to have services recreated."""
        words = ("docker", "compose", *self.options, "up", "-d", "--no-deps", "--force-recreate", *services)
        return shlex.join(words)


class Touched(Frozen):
    """A container that Compose was or is about to be told to recreate; kept in the journal."""

    name: str
    old_id: str
    service: str
    project: Project
    host_name: str = ""
    """The host name that it has to keep and that its files do not set."""
    was_healthy: bool = True
    """False: it has a health check that was not content before either."""


Touch = Callable[[tuple[Touched, ...]], None]


class ContainerAction(StrEnum):
    """What has to happen to a container."""

    NOTHING = "nothing"
    """It runs with these values already."""
    NOT_READ = "not_read"
    """Written, but its image reads none of the changed keys: no restart needed."""
    RECREATE = "recreate"
    ABSENT = "absent"
    """There is no such container: the next `up` makes it."""
    REFUSED = "refused"
    """It would have to be recreated but must not be, for example because its profiles are on no mount."""
    BY_HAND = "by_hand"
    """It runs with other values, and Compose cannot be asked to recreate it: its owner has to."""
    NEXT_UP = "next_up"
    """It needs no new value, but its file changes: the next `up` of its owner recreates it."""
    UNMANAGED = "unmanaged"
    """Files only: containers are not inspected."""


class ContainerChange(Frozen):
    """What carrying out would do to one container; shown before the click."""

    container: str
    action: ContainerAction
    why: StoredNote = None
    """The reason and the next step, safe to show: no value of a key."""
    keys: tuple[str, ...] = ()
    """The keys whose value differs."""
    down_seconds: float | None = None
    """For about how long it will be down."""
    sessions: tuple[str, ...] = ()
    """Sessions that go down with it and are connected now, as "server/session"."""
    waiting: tuple[str, ...] = ()
    """What else waits in its files and comes along with it: names of variables and parts, no values."""
    notes: tuple[StoredMessage, ...] = ()
    """More to know before the click."""
    command: str = ""
    """What its owner types to have it recreated."""

    def sentences(self, translate: Callable[[str], str] = str) -> str:
        """Return what happens to it, why, and the command that is left to its owner."""
        found = [self.why, *self.notes]
        if self.sessions:
            names = ", ".join(one.rpartition("/")[2] for one in self.sessions)
            found.insert(0, Message.of("containers.sessions_go_down", sessions=names))
        said = [as_sentence(one, translate) for one in found]
        if self.action is ContainerAction.RECREATE:
            seconds = round(self.down_seconds or 0)
            down = Message.of("containers.goes_down", container=self.container, seconds=seconds)
            said.insert(0, render(down, translate))
        if self.action is ContainerAction.BY_HAND:
            said.append(self.command)
        return " ".join(filter(None, said))

    @property
    def is_behind(self) -> bool:
        """Whether it runs with other values than the files say, although its image reads them."""
        return self.action in (ContainerAction.RECREATE, ContainerAction.REFUSED, ContainerAction.BY_HAND)


class TargetPlan(Frozen):
    """How one target stands."""

    target: str
    """Its name."""
    receives: str
    state: State
    why: Message | None = None
    """The reason and the next step, safe to show; None where the state says all."""
    services: tuple[str, ...] = ()
    """The compose services that the value reaches."""
    fingerprint: str = ""
    """The beginning of the value's SHA-256: two places that show the same one hold the same value."""

    @property
    def facts(self) -> tuple[Message, ...]:
        """The secret that it receives, the services that the value reaches, and its fingerprint."""
        found = [_secret_named(self.receives)]
        if self.services:
            found.append(Message.of("files.reaches", services=", ".join(self.services)))
        if self.fingerprint:
            found.append(Message.of("files.fingerprint", mark=self.fingerprint))
        return tuple(found)


def _secret_named(receives: str) -> Message:
    try:
        return Receives.parse(receives).message
    except ValueError:
        return Message.plain(receives)  # of another release


class FileVersion(Frozen):
    """One change of a file, by its contents' SHA-256."""

    folder: str
    file: str
    """Relative to the folder."""
    path: str
    before: str
    after: str


class FilePlan(FileVersion):
    """One file that will change."""

    diff: str
    """Unified, every value masked."""


class Plan(Frozen):
    """All targets at one moment."""

    made_at: AwareDatetime
    targets: tuple[TargetPlan, ...] = ()
    files: tuple[FilePlan, ...] = ()
    containers: tuple[ContainerChange, ...] = ()
    takes_back: tuple[str, ...] = ()
    """Of a restoration: the backups of later changes of ours that it takes back, too."""
    digest: str = ""
    """Identifies what will be done: it changes with every file, value, target and container."""

    @property
    def wrong(self) -> tuple[TargetPlan, ...]:
        """The targets that keep everything from being written."""
        return tuple(one for one in self.targets if one.state.is_wrong)

    @property
    def refused_containers(self) -> tuple[ContainerChange, ...]:
        """The containers that would have to be recreated but must not be."""
        return tuple(one for one in self.containers if one.action is ContainerAction.REFUSED)

    @property
    def is_blocked(self) -> bool:
        """Whether it cannot be carried out as it is."""
        return bool(self.wrong or self.refused_containers)

    @property
    def has_changes(self) -> bool:
        """Whether something would be done."""
        recreates = any(one.action is ContainerAction.RECREATE for one in self.containers)
        return recreates or any(one.state.is_change for one in self.targets)


@dataclass(frozen=True)
class FileEdit:
    """One file's change in full; it holds secrets and is never stored."""

    folder: str
    file: str
    found: FoundFile
    after: bytes = field(repr=False)

    @property
    def version(self) -> FileVersion:
        """The change as it is stored."""
        return FileVersion(
            folder=self.folder,
            file=self.file,
            path=str(self.found.path),
            before=self.found.digest,
            after=digest(self.after),
        )


@dataclass(frozen=True)
class Draft:
    """A plan together with what it takes to carry it out."""

    plan: Plan
    edits: tuple[FileEdit, ...] = ()
    wanted: Wanted | None = None
    files_read: frozenset[Path] | None = None
    """The files that Compose may have read, there or not; None if it left a question unanswered."""


def identify(plan: Plan, edits: tuple[FileEdit, ...], fingerprints: Mapping[str, str]) -> str:
    """Compute a plan's digest; `fingerprints` tell which value each command would get."""
    said = {
        "targets": [[one.target, one.state] for one in plan.targets],
        "files": [[str(one.found.path), one.found.digest, digest(one.after)] for one in edits],
        "containers": [[one.container, one.action, one.waiting] for one in plan.containers],
        "commands": dict(fingerprints),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
