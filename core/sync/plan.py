"""What would change, target by target, in values that hold no secret: they are stored and shown."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import AwareDatetime

from core.messages import Message
from core.models import Frozen
from core.sync.container_access import Consequence, ContainerAction, Wanted
from core.sync.folders import FoundFile, digest


class State(StrEnum):
    """How a target stands."""

    IN_SYNC = "in_sync"
    FOLLOWS = "follows"
    """It takes the value over from another name, which holds it."""
    WILL_CHANGE = "will_change"
    WILL_RUN = "will_run"
    """A command that has not had this value yet."""
    LEFT_OUT = "left_out"
    KEY_MISSING = "key_missing"
    FILE_MISSING = "file_missing"
    NOT_HERE = "not_here"
    """A file of a preset that this installation does not have; its other targets stand alone."""
    UNREADABLE = "unreadable"
    UNWRITABLE = "unwritable"
    NOT_PARSEABLE = "not_parseable"
    REFUSED = "refused"
    """It could be written, but not safely."""
    NO_VALUE = "no_value"
    """There is nothing to write: no key was generated yet, or the secret has other characters."""

    @property
    def is_settled(self) -> bool:
        """Tell that nothing has to be done."""
        return self in (State.IN_SYNC, State.FOLLOWS, State.LEFT_OUT, State.NOT_HERE)

    @property
    def is_change(self) -> bool:
        """Tell that something will be done."""
        return self in (State.WILL_CHANGE, State.WILL_RUN)

    @property
    def is_wrong(self) -> bool:
        """Tell that nothing is written while this stands, unless the target is left out."""
        return not self.is_settled and not self.is_change


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


class FilePlan(Frozen):
    """One file that will change."""

    folder: str
    file: str
    """Relative to the folder."""
    path: str
    before: str
    """SHA-256 of the content that the plan was made from."""
    after: str
    diff: str
    """Unified, every value masked."""


class Plan(Frozen):
    """All targets at one moment."""

    made_at: AwareDatetime
    targets: tuple[TargetPlan, ...] = ()
    files: tuple[FilePlan, ...] = ()
    containers: tuple[Consequence, ...] = ()
    takes_back: tuple[str, ...] = ()
    """Of a restoration: the backups of later changes of ours that it takes back, too."""
    digest: str = ""
    """Identifies what will be done: it changes with every file, value, target and container."""

    @property
    def wrong(self) -> tuple[TargetPlan, ...]:
        """The targets that keep everything from being written."""
        return tuple(one for one in self.targets if one.state.is_wrong)

    @property
    def refused_containers(self) -> tuple[Consequence, ...]:
        """The containers that would have to be recreated but must not be."""
        return tuple(one for one in self.containers if one.action is ContainerAction.REFUSED)

    @property
    def is_blocked(self) -> bool:
        """Tell that it cannot be carried out as it is."""
        return bool(self.wrong or self.refused_containers)

    @property
    def has_changes(self) -> bool:
        """Tell that something would be done."""
        recreates = any(one.action is ContainerAction.RECREATE for one in self.containers)
        return recreates or any(one.state.is_change for one in self.targets)


@dataclass(frozen=True)
class FileEdit:
    """One file's change in full; it holds secrets and is never stored."""

    folder: str
    file: str
    found: FoundFile
    after: bytes = field(repr=False)


@dataclass(frozen=True)
class Draft:
    """A plan together with what it takes to carry it out."""

    plan: Plan
    edits: tuple[FileEdit, ...] = ()
    wanted: Wanted | None = None


def identify(plan: Plan, edits: tuple[FileEdit, ...], fingerprints: dict[str, str]) -> str:
    """Compute a plan's digest; `fingerprints` tell which value each command would get."""
    said = {
        "targets": [[one.target, one.state] for one in plan.targets],
        "files": [[str(one.found.path), one.found.digest, digest(one.after)] for one in edits],
        "containers": [[one.container, one.action, one.waiting] for one in plan.containers],
        "commands": fingerprints,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
