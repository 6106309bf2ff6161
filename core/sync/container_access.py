"""Where files and containers meet: what a container should run with, and what has to happen for it.

The planner says which values are wanted in which files; `core/sync` asks Compose what that means for
the containers, and has Compose recreate them.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from core.messages import Message, as_sentence
from core.models import Frozen
from core.sync.targets import ContainerSettings


@dataclass(frozen=True)
class WantedValue:
    """A value that a target brings into a file, for whatever takes the key from there."""

    folder: str
    file: str
    key: str
    value: str = field(repr=False)
    services: tuple[str, ...] | None = None
    """The services of a compose file that it is written for; None: an env file, which any may read."""
    must_arrive: bool = True
    """False: it is not sure that the file gets it."""


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


@dataclass(frozen=True)
class PlannedValue:
    """A value that a target holds once a plan is carried out, for Compose to be asked what comes of it."""

    folder: str
    path: Path
    """Its file, links resolved."""
    key: str
    value: str = field(repr=False)
    line: int = 0
    services: tuple[str, ...] | None = None
    """The services of a compose file that it is written for; None: an env file, which any may read."""


@dataclass(frozen=True)
class CheckResult:
    """What Compose says of a planned value."""

    problem: Message | None = None
    """Why the value does not arrive."""
    note: Message | None = None
    """It arrives, but not everywhere."""
    unproven: Message | None = None
    """Why Compose cannot say."""


def from_text(value: object) -> object:
    """Read a message that an earlier release stored as English."""
    return (Message.plain(value) if value else None) if isinstance(value, str) else value


Said = Annotated[Message, BeforeValidator(from_text)]


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
    """Nobody looks at containers here: files only."""


class Consequence(Frozen):
    """What carrying out would do to one container; shown before the click."""

    container: str
    action: ContainerAction
    why: Annotated[Message | None, BeforeValidator(from_text)] = None
    """The reason and the next step, safe to show: no value of a key."""
    keys: tuple[str, ...] = ()
    """The keys whose value differs."""
    down_seconds: float | None = None
    """For about how long it will be down."""
    sessions: tuple[str, ...] = ()
    """Sessions that go down with it and are connected now, as "server/session"."""
    waiting: tuple[str, ...] = ()
    """What else waits in its files and comes along with it: names of variables and parts, no values."""
    notes: tuple[Said, ...] = ()
    """More to know before the click."""
    command: str = ""
    """What its owner types to have it recreated."""

    def sentences(self, translate: Callable[[str], str] = str) -> str:
        """Put why and the notes into words."""
        found = (self.why, *self.notes)
        return " ".join(as_sentence(one, translate) for one in found if one and str(one))

    @property
    def is_behind(self) -> bool:
        """Whether it runs with other values than the files say, although its image reads them."""
        return self.action in (ContainerAction.RECREATE, ContainerAction.REFUSED, ContainerAction.BY_HAND)


class StepState(StrEnum):
    """How far a step is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class StepEvent(Frozen):
    """One piece of progress, for the page and the terminal."""

    step: str
    """A stable word, such as "write", "recreate", "wait_healthy", "wait_sessions", "put_back"."""
    subject: str = ""
    """The file, container or session."""
    state: StepState = StepState.RUNNING
    note: Annotated[Message | None, BeforeValidator(from_text)] = None
    """What went wrong, safe to show."""


Report = Callable[[StepEvent], None]
Touch = Callable[[tuple[Touched, ...]], None]


class ContainersDone(Frozen):
    """What came of the containers; failures that nothing could be done about are raised instead."""

    recreated: tuple[str, ...] = ()
    notes: tuple[Said, ...] = ()
    """What a person should know, for example that the next `up -d` recreates it once more."""
    lost_sessions: tuple[str, ...] = ()
    """Sessions, as "server/session", that were connected before and are not again."""
    by_hand: tuple[str, ...] = ()
    """Containers that still run with other values until their owner recreates them."""
