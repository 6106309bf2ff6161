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
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator

from core.clock import Now, now
from core.disk import make_private_directory, read_stamped, replace_file
from core.exceptions import StoreError, SyncError, VersionConflictError
from core.messages import Message
from core.models import Frozen, utc
from core.store import Store, modify
from core.sync.plan import Plan, StepEvent, from_text
from core.sync.sync import Done
from core.sync.targets import Receives

SUBJECT = "sync"
ORDER = "order"
MOST_STEPS = 200


class ChangeKind(StrEnum):
    """What is asked for."""

    APPLY = "apply"
    RESTORE = "restore"
    RESTART = "restart"


class RequestState(StrEnum):
    """How far an order is."""

    ASKED = "asked"
    PLANNED = "planned"
    """The plan waits for approval; a blocked one waits for another order."""
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"

    @property
    def is_final(self) -> bool:
        """Tell that nothing more happens."""
        return self in (RequestState.DONE, RequestState.FAILED, RequestState.WITHDRAWN)


class Step(StepEvent):
    """One piece of progress and when it was made."""

    at: AwareDatetime


class ChangeRequest(Frozen):
    """One order from being asked for to its result, which stays until the next one."""

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
    note: Annotated[Message | None, BeforeValidator(from_text)] = None
    """Why it is not further, or what went wrong; safe to show."""
    approved_by: str = ""
    steps: tuple[Step, ...] = ()
    result: Done | None = None
    changed_at: AwareDatetime
    """When the state was last changed."""


class RequestTakenError(SyncError):
    """Somebody else's order is under way; the message says whose."""


class ChangeRequests:
    """The order in the store, for the page, the command line and the agent."""

    def __init__(self, store: Store, *, clock: Now = now) -> None:
        self._store = store
        self._clock = clock

    def current(self) -> ChangeRequest | None:
        """Return the newest order; None when there is none that this release can read."""
        record = self._store.read(SUBJECT, ORDER)
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
        """Ask for something; raises RequestTakenError while another order is under way."""
        record = self._store.read(SUBJECT, ORDER)
        before = _parse(record.value) if record else None
        if before and not before.state.is_final:
            raise _taken(before)
        at = self._clock()
        order = ChangeRequest(
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
                ORDER,
                order.model_dump(mode="json"),
                expected_version=record.version if record else 0,
            )
        except VersionConflictError:
            winner = self.current()
            raise _taken(winner) if winner else StoreError("the order could not be placed") from None
        return order

    def approve(self, order_id: str, digest: str, *, actor: str) -> ChangeRequest:
        """Agree to exactly that plan; raises RequestTakenError when it is not that plan any more."""

        def change(order: ChangeRequest) -> ChangeRequest:
            if order.state is not RequestState.PLANNED or order.plan is None or order.plan.digest != digest:
                raise _taken(order)
            return order.model_copy(
                update={"state": RequestState.APPROVED, "approved_by": actor, "note": None}
            )

        return self.change(order_id, change)

    def withdraw(self, order_id: str, *, actor: str) -> ChangeRequest:
        """Take back an order that has not begun; raises RequestTakenError when it has."""

        def change(order: ChangeRequest) -> ChangeRequest:
            if order.state not in (RequestState.ASKED, RequestState.PLANNED):
                raise _taken(order)
            return order.model_copy(
                update={"state": RequestState.WITHDRAWN, "note": Message.of("changes.withdrawn", name=actor)}
            )

        return self.change(order_id, change)

    def change(self, order_id: str, change: Callable[[ChangeRequest], ChangeRequest]) -> ChangeRequest:
        """Change the order if it is still that one; raises RequestTakenError otherwise."""

        def changed(value: dict[str, Any] | None) -> Mapping[str, Any]:
            order = _parse(value) if value else None
            if order is None or order.id != order_id:
                raise _taken(order) if order else RequestTakenError("the order is gone; begin anew")
            after = change(order)
            if after.state is not order.state:
                after = after.model_copy(update={"changed_at": self._clock()})
            return after.model_dump(mode="json")

        record = modify(self._store, SUBJECT, ORDER, changed)
        assert record is not None  # noqa: S101 - `changed` never deletes
        return ChangeRequest.model_validate(record.value)

    def add_step(self, order_id: str, event: StepEvent) -> ChangeRequest:
        """Show one piece of progress; the same step of the same subject goes on in its place."""
        step = Step(**event.model_dump(), at=self._clock())

        def change(order: ChangeRequest) -> ChangeRequest:
            # A mapping keeps the place of what it holds already.
            steps = {(one.step, one.subject): one for one in order.steps} | {(step.step, step.subject): step}
            return order.model_copy(update={"steps": tuple(steps.values())[-MOST_STEPS:]})

        return self.change(order_id, change)


def _taken(order: ChangeRequest) -> RequestTakenError:
    who = order.approved_by or order.actor
    words = {
        RequestState.ASKED: "asked for a change",
        RequestState.PLANNED: "has a plan that waits for approval",
        RequestState.APPROVED: "approved a plan",
        RequestState.RUNNING: "is having a plan carried out",
        RequestState.DONE: "had a plan carried out",
        RequestState.FAILED: "had a plan that failed",
        RequestState.WITHDRAWN: "withdrew it",
    }[order.state]
    return RequestTakenError(
        f"{who} {words} at {utc(order.changed_at)}; look at it first", operation="ask for a change"
    )


def _parse(value: Mapping[str, Any]) -> ChangeRequest | None:
    try:
        return ChangeRequest.model_validate(value)
    except ValueError:
        return None


_log = logging.getLogger(__name__)

SUBJECT = "sync"
BULLETIN = "bulletin"
HEARTBEAT_FILE = "agent.json"
HEARTBEAT_SECONDS = 2.0
STALE_SECONDS = 15.0
"""Without a sign for so long the agent counts as not running."""


class Heartbeat(Frozen):
    """The agent's sign of life."""

    at: AwareDatetime
    program: str
    """Program name and process, for example "wppconnect-ops sync agent[4711]"."""
    checked_at: AwareDatetime | None = None
    """When it last looked at the files."""
    problem: str = ""
    """Why it could not look lately, for an operator; "" when it could."""


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
    """What the agent last saw; kept in the store, written when it changes."""

    plan: Plan | None = None
    """With the values in force: what is not settled in it is drift."""
    since: dict[str, AwareDatetime] = {}  # noqa: RUF012 - a model's default is copied
    """By target or container: since when it has not been in sync."""
    problem: str = ""
    """Why it cannot look, for example mistakes in the sync file."""
    folders: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    kinds: tuple[Receives, ...] = ()
    """What can be generated: every API key and secret key that some target receives."""
    backups: tuple[KnownBackup, ...] = ()


class AgentStatus:
    """Where the agent tells, and the others read."""

    def __init__(self, store: Store, data_directory: Path, *, clock: Now = now) -> None:
        self._store = store
        self._file = data_directory / "sync" / HEARTBEAT_FILE
        self._clock = clock

    def beat(self, heartbeat: Heartbeat) -> None:
        """Show a sign of life; only one agent does so at a time."""
        make_private_directory(self._file.parent)
        replace_file(self._file, heartbeat.model_dump_json().encode(), durable=False)

    def heartbeat(self) -> Heartbeat | None:
        """Return the agent's latest sign of life while it counts; None: no agent is running."""
        try:
            found = read_stamped(self._file)
            beat = Heartbeat.model_validate_json(found[1]) if found else None
        except (StoreError, ValueError) as error:
            _log.warning("sync_heartbeat_unreadable error=%s", type(error).__name__)
            return None
        if beat is None or abs(self._clock() - beat.at) > timedelta(seconds=STALE_SECONDS):
            return None
        return beat

    def publish(self, bulletin: SyncStatus) -> None:
        """Show what the agent saw; writes only what changed."""
        value = bulletin.model_dump(mode="json")
        modify(self._store, SUBJECT, BULLETIN, lambda _before: value)

    def read(self) -> SyncStatus | None:
        """Return what the agent last saw; None when there is nothing that this release can read."""
        record = self._store.read(SUBJECT, BULLETIN)
        try:
            return SyncStatus.model_validate(record.value) if record else None
        except ValueError:
            return None
