"""Serve approved orders: plan them, carry them out, and write down what came of each."""

from __future__ import annotations

import logging
from collections.abc import Callable

from pydantic import SecretStr

from core.clock import Now
from core.exceptions import WppconnectError
from core.messages import Message
from core.sync.change_requests import ChangeKind, ChangeRequest, ChangeRequests, RequestState
from core.sync.container_access import StepEvent, StepState
from core.sync.plan import Plan
from core.sync.sync import Done, PlanBlockedError, PlanChangedError, Sync
from core.sync.targets import Receives

_log = logging.getLogger(__name__)

_OURS = (RequestState.ASKED, RequestState.APPROVED, RequestState.RUNNING)
"""It is for the agent to go on with."""


class Worker:
    """The orders of one agent, one after the other."""

    def __init__(
        self, desk: ChangeRequests, generate: Callable[[Receives], SecretStr], *, clock: Now
    ) -> None:
        self._desk = desk
        self._generate = generate
        self._clock = clock
        self._outcome: tuple[str, RequestState, dict[str, object]] | None = None
        """By order: what came of it, until the store has it."""
        self._fresh: dict[str, dict[Receives, SecretStr]] = {}
        """By order: what was generated for it. Only here: a plan that nobody approves leaves nothing."""

    def serve(self, sync: Sync, order: ChangeRequest, *, recovered: str | None) -> bool:
        """Do the next thing that an order asks for; tell whether files may have changed by it.

        `recovered` is what became of what a killed process had begun, a word of `Done.code`.
        """
        if order.state is RequestState.ASKED:
            self._plan(sync, order)
        elif order.state is RequestState.APPROVED:
            self._carry_out(sync, order)
            return True
        elif order.state is RequestState.RUNNING:
            # Only here orders are carried out, one after the other: its end could not be written.
            self._end_again(sync, order, recovered)
        return False

    def give_up(self, order: ChangeRequest, kind: str) -> None:
        """End the order with which something went wrong that nobody foresaw: the next turn would meet it."""
        try:
            present = self._desk.current()
            if present and present.id == order.id and present.state in _OURS:
                note = Message.of("changes.agent_error", kind=kind)
                self._end(present, RequestState.FAILED, note=note)
        except WppconnectError as error:
            _log.warning("sync_order_not_ended problem=%s", error)

    def _plan(self, sync: Sync, order: ChangeRequest) -> None:
        try:
            plan = self._plan_of(sync, order)
        except WppconnectError as error:
            self._move(order, RequestState.FAILED, note=error.explanation)
        else:
            self._move(order, RequestState.PLANNED, plan=plan, note=None)

    def _plan_of(self, sync: Sync, order: ChangeRequest) -> Plan:
        if order.kind is ChangeKind.APPLY:
            return sync.draft(fresh=self._fresh_for(order), leave_out=order.leave_out).plan
        if order.kind is ChangeKind.RESTORE:
            return sync.restoration(order.backup, force=order.force)[0].plan
        return Plan(made_at=self._clock(), digest=f"restart {order.container}")

    def _carry_out(self, sync: Sync, order: ChangeRequest) -> None:
        self._move(order, RequestState.RUNNING)

        def report(event: StepEvent) -> None:
            log_step(event)
            try:
                self._desk.add_step(order.id, event)
            except WppconnectError as error:
                _log.warning("sync_step_not_shown problem=%s", error)

        try:
            done = self._do(sync, order, report)
        except (PlanBlockedError, PlanChangedError) as error:
            self._end(order, RequestState.PLANNED, plan=error.plan, note=error.explanation)
        except WppconnectError as error:
            self._end(order, RequestState.FAILED, note=error.explanation)
        else:
            self._end(order, RequestState.DONE, result=done)

    def _do(self, sync: Sync, order: ChangeRequest, report: Callable[[StepEvent], None]) -> Done:
        actor = order.approved_by or order.actor
        digest = order.plan.digest if order.plan else ""
        if order.kind is ChangeKind.RESTORE:
            return sync.restore(order.backup, force=order.force, approved=digest, actor=actor, report=report)
        if order.kind is ChangeKind.RESTART:
            return sync.restart(order.container, actor=actor, report=report)
        return sync.apply(
            fresh=self._fresh_for(order),
            leave_out=order.leave_out,
            approved=digest,
            actor=actor,
            report=report,
        )

    def _fresh_for(self, order: ChangeRequest) -> dict[Receives, SecretStr]:
        if order.id not in self._fresh:
            self._fresh = {order.id: {receives: self._generate(receives) for receives in order.generate}}
        return self._fresh[order.id]

    def _end(self, order: ChangeRequest, state: RequestState, **changes: object) -> None:
        """Write down what came of an order; what the store does not take now is written in a later turn."""
        self._outcome = (order.id, state, changes)
        if state.is_final:
            self._fresh.pop(order.id, None)
        self._move(order, state, **changes)
        self._outcome = None

    def _end_again(self, sync: Sync, order: ChangeRequest, recovered: str | None) -> None:
        if self._outcome and self._outcome[0] == order.id:
            _, state, changes = self._outcome
            self._end(order, state, **changes)
            return
        note = Message.of(self._of_interrupted(sync, order, recovered))
        self._end(order, RequestState.FAILED, note=note)

    def _of_interrupted(self, sync: Sync, order: ChangeRequest, recovered: str | None) -> str:
        """Return the id of what became of what a killed agent was carrying out: recovering has seen to it."""
        if recovered:
            return {
                "finished": "changes.agent_stopped_finished",
                "undone": "changes.agent_stopped_undone",
            }.get(recovered, "changes.agent_stopped_failed")
        if order.kind is ChangeKind.RESTART or any(one.at >= order.changed_at for one in sync.backups()):
            return "changes.agent_stopped_done"
        return "changes.agent_stopped"

    def _move(self, order: ChangeRequest, state: RequestState, **changes: object) -> None:
        self._desk.change(order.id, lambda one: one.model_copy(update={"state": state, **changes}))
        _log.info("sync_order order=%s kind=%s state=%s", order.id, order.kind, state)


def log_step(event: StepEvent) -> None:
    """Log a step of a change."""
    level = logging.ERROR if event.state is StepState.FAILED else logging.INFO
    _log.log(
        level,
        "sync_step step=%s subject=%s state=%s note=%r",
        event.step,
        event.subject,
        event.state,
        str(event.note or ""),
    )
