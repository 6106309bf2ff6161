"""Where files and containers meet: what a container should run with, and what has to happen for it.

`expectations.py` tells what the files say; `core/containers.py` looks at the engine, tells the consequences,
and carries them out. Neither imports the other: these values and the protocol are all that they share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from pydantic import Field, SecretStr

from core.models import Frozen
from core.propagation.targets import ContainerSettings


class Expectation(Frozen):
    """What one listed container should run with, by the files as they stand or as a plan would leave them.

    Only keys that some target writes are in it. A key that the files do not give to the service is absent:
    nothing is expected of it.
    """

    container: ContainerSettings
    project_folder: Path
    """Absolute, as this process sees it."""
    compose_files: tuple[str, ...] = ()
    """Names in the project folder, in Compose's order; empty for a container that Compose did not make."""
    service: str = ""
    environment: dict[str, SecretStr] = Field(default_factory=dict)
    """Key to the exact value, after all quoting and interpolation."""
    arguments: dict[str, SecretStr] = Field(default_factory=dict)
    """Option, such as `--secretKey`, to the exact value in the service's command."""
    unknown: dict[str, str] = Field(default_factory=dict)
    """Keys whose value cannot be told from the files, and why; never a reason to recreate."""
    overridden: dict[str, str] = Field(default_factory=dict)
    """Keys that a target writes for it and that something else wins over, and what."""


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
    UNMANAGED = "unmanaged"
    """Nobody looks at containers here: files only."""


class Consequence(Frozen):
    """What carrying out would do to one container; shown before the click."""

    container: str
    action: ContainerAction
    why: str = ""
    """English sentence with the next step, safe to show: no value of a key."""
    keys: tuple[str, ...] = ()
    """The keys whose value differs."""
    down_seconds: float | None = None
    """For about how long it will be down."""
    sessions: tuple[str, ...] = ()
    """Sessions that go down with it and are connected now, as "server/session"."""

    @property
    def is_behind(self) -> bool:
        """Tell that it runs with other values than the files say, although its image reads them."""
        return self.action in (ContainerAction.RECREATE, ContainerAction.REFUSED)


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
    note: str = ""
    """English sentence, safe to show."""


Report = Callable[[StepEvent], None]


class ContainersDone(Frozen):
    """What came of the containers; failures that nothing could be done about are raised instead."""

    recreated: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know, for example that the next `up -d` recreates it once more."""
    lost_sessions: tuple[str, ...] = ()
    """Sessions, as "server/session", that were connected before and are not again."""


class Containers(Protocol):
    """The container part of the sync agent. One caller at a time: the sync lock is held around each call."""

    @property
    def is_interrupted(self) -> bool:
        """Tell that `repair` has something to do."""

    def consequences(self, expectations: Sequence[Expectation]) -> tuple[Consequence, ...]:
        """Look, and tell what `carry_out` would do, one for each expectation, in order; changes nothing.

        Never raises for one bad container or an absent engine: that is a REFUSED with the reason.
        """

    def carry_out(self, expectations: Sequence[Expectation], report: Report) -> ContainersDone:
        """Recreate those that must be, all or none.

        On a failure the old containers run again and ContainerError says why: the caller then brings the
        files back. Called again after a crash, with the same expectations, it finishes what was begun.
        """

    def restart(self, container: ContainerSettings, report: Report) -> ContainersDone:
        """Restart one container as it is; its environment stays the old one."""

    def repair(self, report: Report) -> None:
        """Leave one running container each, whatever a killed process or an engine that went away left."""
