"""What page and sync agent exchange through the store: one change request at a time, and the agent's status.

The page has neither the folders nor the Docker socket. It places a request, the agent plans it, an
administrator approves exactly that plan, the agent carries it out. No field of a request is a secret.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime

from core.clock import Now, now
from core.disk import make_private_directory, read_stamped, replace_file
from core.exceptions import StoreError, SyncError, VersionConflictError
from core.messages import Message
from core.models import Frozen, utc
from core.store import Store, modify
from core.sync.plan import Plan
from core.sync.progress import Done, StepEvent, StoredNote
from core.sync.targets import Receives

_log = logging.getLogger(__name__)

SUBJECT = "sync"
REQUEST = "order"
MOST_STEPS = 200


class ChangeKind(StrEnum):
    """The kind of a change request."""

    APPLY = "apply"
    RESTORE = "restore"
    RESTART = "restart"


class RequestState(StrEnum):
    """The state of a change request."""

    ASKED = "asked"
    PLANNED = "planned"
    """The plan waits for approval; a blocked one has to be replaced by another request."""
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens."""
        return self in (RequestState.DONE, RequestState.FAILED, RequestState.WITHDRAWN)

    @property
    def is_agents_turn(self) -> bool:
        """Whether the agent acts next, or does so now."""
        return self in (RequestState.ASKED, RequestState.APPROVED, RequestState.RUNNING)


class Step(StepEvent):
    """One piece of progress and when it was made."""

    at: AwareDatetime


class ChangeRequest(Frozen):
    """One change request; its result stays until the next one."""

    id: str
    kind: ChangeKind
    actor: str
    asked_at: AwareDatetime
    state: RequestState = RequestState.ASKED
    generate: tuple[Receives, ...] = ()
    leave_out: tuple[str, ...] = ()
    backup: str = ""
    """The one to restore."""
    force: bool = False
    """Restore also over what was changed since in another way."""
    container: str = ""
    """The one to restart."""
    plan: Plan | None = None
    note: StoredNote = None
    """Why it is not further, or what went wrong; safe to show."""
    approved_by: str = ""
    steps: tuple[Step, ...] = ()
    result: Done | None = None
    changed_at: AwareDatetime
    """When the state was last changed."""


class RequestTakenError(SyncError):
    """Another change request is under way, or this one has changed; the message names its author."""


class ChangeRequests:
    """The change request in the store, for the page, the command line and the agent."""

    def __init__(self, store: Store, *, clock: Now = now) -> None:
        self._store = store
        self._clock = clock

    def current(self) -> ChangeRequest | None:
        """Return the newest request; None if there is none that this release can read."""
        record = self._store.read(SUBJECT, REQUEST)
        return _parse(record.value) if record else None

    def place(
        self,
        kind: ChangeKind,
        *,
        actor: str,
        generate: tuple[Receives, ...] = (),
        leave_out: tuple[str, ...] = (),
        backup: str = "",
        force: bool = False,
        container: str = "",
    ) -> ChangeRequest:
        """Store a new request; raises RequestTakenError while another is under way."""
        record = self._store.read(SUBJECT, REQUEST)
        before = _parse(record.value) if record else None
        if before and not before.state.is_final:
            raise _taken(before)
        at = self._clock()
        request = ChangeRequest(
            id=secrets.token_hex(6),
            kind=kind,
            actor=actor,
            asked_at=at,
            generate=generate,
            leave_out=leave_out,
            backup=backup,
            force=force,
            container=container,
            changed_at=at,
        )
        try:
            self._store.update(
                SUBJECT,
                REQUEST,
                request.model_dump(mode="json"),
                expected_version=record.version if record else 0,
            )
        except VersionConflictError:
            winner = self.current()
            raise _taken(winner) if winner else _gone() from None
        return request

    def approve(self, request_id: str, digest: str, *, actor: str) -> ChangeRequest:
        """Approve exactly the plan with that digest; raises RequestTakenError if it is another by now."""

        def change(request: ChangeRequest) -> ChangeRequest:
            if (
                request.state is not RequestState.PLANNED
                or request.plan is None
                or request.plan.digest != digest
            ):
                raise _taken(request)
            return request.model_copy(
                update={"state": RequestState.APPROVED, "approved_by": actor, "note": None}
            )

        return self.change(request_id, change)

    def withdraw(self, request_id: str, *, actor: str) -> ChangeRequest:
        """Withdraw a request that has not begun; raises RequestTakenError if it has."""

        def change(request: ChangeRequest) -> ChangeRequest:
            if request.state not in (RequestState.ASKED, RequestState.PLANNED):
                raise _taken(request)
            return request.model_copy(
                update={"state": RequestState.WITHDRAWN, "note": Message.of("changes.withdrawn", name=actor)}
            )

        return self.change(request_id, change)

    def change(self, request_id: str, change: Callable[[ChangeRequest], ChangeRequest]) -> ChangeRequest:
        """Change the request with that id; raises RequestTakenError if it is not the newest any more."""

        def changed(value: dict[str, Any] | None) -> Mapping[str, Any]:
            request = _parse(value) if value else None
            if request is None or request.id != request_id:
                raise _taken(request) if request else _gone()
            after = change(request)
            if after.state is not request.state:
                after = after.model_copy(update={"changed_at": self._clock()})
            return after.model_dump(mode="json")

        record = modify(self._store, SUBJECT, REQUEST, changed)
        assert record is not None  # noqa: S101 - `changed` never deletes
        return ChangeRequest.model_validate(record.value)

    def add_step(self, request_id: str, event: StepEvent) -> ChangeRequest:
        """Add a step; one of the same name and subject is replaced in its place."""
        step = Step(**event.model_dump(), at=self._clock())

        def change(request: ChangeRequest) -> ChangeRequest:
            # A mapping keeps the place of what it holds already.
            steps = {(one.step, one.subject): one for one in request.steps} | {
                (step.step, step.subject): step
            }
            return request.model_copy(update={"steps": tuple(steps.values())[-MOST_STEPS:]})

        return self.change(request_id, change)


def _taken(request: ChangeRequest) -> RequestTakenError:
    name, moment = request.approved_by or request.actor, utc(request.changed_at)
    return RequestTakenError(
        Message.of("changes.request_taken", name=name, state=request.state.value, moment=moment)
    )


def _gone() -> RequestTakenError:
    return RequestTakenError(Message.of("changes.request_gone"))


def _parse(value: Mapping[str, Any]) -> ChangeRequest | None:
    try:
        return ChangeRequest.model_validate(value)
    except ValueError:
        return None


STATUS = "bulletin"
HEARTBEAT_FILE = "agent.json"
HEARTBEAT_SECONDS = 2.0
STALE_SECONDS = 15.0
"""After so long without a heartbeat the agent counts as not running."""


class Heartbeat(Frozen):
    """The agent's heartbeat."""

    at: AwareDatetime
    program: str
    """Program name and process, for example "wppconnect-ops sync agent[4711]"."""
    checked_at: AwareDatetime | None = None
    """When it last checked the files."""
    problem: StoredNote = None
    """Why the files could not be checked since, for an operator; None if they could."""


class KnownBackup(Frozen):
    """A backup as the page lists it."""

    id: str
    at: AwareDatetime
    actor: str
    kind: str
    files: tuple[str, ...]
    changes_values: bool
    """A key or secret goes back with the files."""


class SyncStatus(Frozen):
    """The result of the agent's last check; written to the store when it changes."""

    plan: Plan | None = None
    """With the values in force: what is not settled in it is drift."""
    since: dict[str, AwareDatetime] = {}  # noqa: RUF012 - a model's default is copied
    """By target or container: since when it has not been in sync."""
    problem: StoredNote = None
    """Why nothing can be checked, for example mistakes in the sync file."""
    kinds: tuple[Receives, ...] = ()
    """What can be generated: every API key and secret key that some target receives."""
    backups: tuple[KnownBackup, ...] = ()


class AgentStatus:
    """The agent's heartbeat and status: written by the agent, read by page and command line."""

    def __init__(self, store: Store, data_directory: Path, *, clock: Now = now) -> None:
        self._store = store
        self._file = data_directory / "sync" / HEARTBEAT_FILE
        self._clock = clock

    def beat(self, heartbeat: Heartbeat) -> None:
        """Write the heartbeat; only one agent does so at a time."""
        make_private_directory(self._file.parent)
        replace_file(self._file, heartbeat.model_dump_json().encode(), durable=False)

    def heartbeat(self) -> Heartbeat | None:
        """Return the agent's heartbeat; None if it is stale: no agent is running."""
        try:
            found = read_stamped(self._file)
            beat = Heartbeat.model_validate_json(found[1]) if found else None
        except (StoreError, ValueError) as error:
            _log.warning("sync_heartbeat_unreadable error=%s", type(error).__name__)
            return None
        if beat is None or abs(self._clock() - beat.at) > timedelta(seconds=STALE_SECONDS):
            return None
        return beat

    def publish(self, status: SyncStatus) -> None:
        """Store the status."""
        value = status.model_dump(mode="json")
        modify(self._store, SUBJECT, STATUS, lambda _before: value)

    def read(self) -> SyncStatus | None:
        """Return the stored status; None if there is none that this release can read."""
        record = self._store.read(SUBJECT, STATUS)
        try:
            return SyncStatus.model_validate(record.value) if record else None
        except ValueError:
            return None
