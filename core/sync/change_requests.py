"""What the page asks the sync agent for, and how far it is: one order at a time, in the store.

The page has neither the folders nor the Docker socket. It places an order, the agent plans it, an
administrator approves exactly that plan, the agent carries it out. Nothing in an order is a secret.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator

from core.clock import Now, now
from core.exceptions import StoreError, SyncError, VersionConflictError
from core.messages import Message
from core.models import Frozen, utc
from core.store import Store, modify
from core.sync.container_access import StepEvent, from_text
from core.sync.plan import Plan
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
