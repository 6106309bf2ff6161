"""The sync agent: carries out approved change requests, and watches files and containers for drift.

It is the only process with write access to the folders and with the Docker socket. It listens on no port:
requests, progress and status stand in the store.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from core.clock import Now, now
from core.disk import Stamp, read_stamp
from core.exceptions import ConfigurationError, StoreError, SyncError, WppconnectError
from core.locks import ProcessLock
from core.messages import Message
from core.models import HistoryEntry
from core.sync.change_requests import (
    HEARTBEAT_SECONDS,
    AgentStatus,
    ChangeKind,
    ChangeRequest,
    ChangeRequests,
    Heartbeat,
    KnownBackup,
    RequestState,
    SyncStatus,
)
from core.sync.plan import Plan, StepEvent, StepState
from core.sync.sync import Done, PlanBlockedError, PlanChangedError, Sync
from core.sync.targets import ReceivedKind, Receives, SyncSettings

_log = logging.getLogger(__name__)

LOCK = "sync-agent.lock"
LOOK_SECONDS = 10.0
"""How often the files are compared with the values in force."""
TURN_SECONDS = 0.5
"""How soon an order is seen."""


class Agent:
    """One agent; `run` stays until it is told to stop."""

    def __init__(
        self,
        open_sync: Callable[[], Sync],
        *,
        sync_file: Path,
        desk: ChangeRequests,
        board: AgentStatus,
        generate: Callable[[Receives], SecretStr],
        record: Callable[[HistoryEntry], None],
        data_directory: Path,
        program: str,
        clock: Now = now,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._open_sync = open_sync
        self._sync_file = sync_file
        self._desk = desk
        self._serving = Worker(desk, generate, clock=clock)
        self._board = board
        self._record = record
        self._lock = ProcessLock(data_directory / "locks" / LOCK)
        self._program = program
        self._clock = clock
        self._look_seconds = look_seconds
        self._stamp: Stamp | None = None
        self._sync: Sync | None = None
        self._checked_at: datetime | None = None
        self._problem = ""
        self._looked = float("-inf")
        self._published: SyncStatus | None = None
        self._recovered: str | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; raises SyncError when another agent runs already."""
        if not self._lock.try_acquire():
            raise SyncError(
                "another sync agent runs on this data directory; there must be only one", operation="start"
            )
        heart = threading.Thread(target=self._beat, args=(stop,), name="heartbeat", daemon=True)
        heart.start()
        try:
            while not stop.is_set():
                self.turn()
                stop.wait(TURN_SECONDS)
        finally:
            stop.set()
            heart.join()
            self._lock.release()

    def sign_of_life(self) -> Heartbeat:
        """Tell that it works, when it last looked at the files, and why it could not since."""
        return Heartbeat(
            at=self._clock(), program=self._program, checked_at=self._checked_at, problem=self._problem
        )

    def turn(self) -> None:
        """Do what there is to do now, once; whatever goes wrong with it, there is a next turn."""
        order: ChangeRequest | None = None
        try:
            self._reread()
            order = self._desk.current()
            if order and self._sync and self._serving.serve(self._sync, order, recovered=self._recovered):
                self._looked = float("-inf")
            if time.monotonic() - self._looked >= self._look_seconds:
                self._look()
        except (StoreError, SyncError) as error:
            _log.warning("sync_agent_turn_failed problem=%s", error)
            self._problem = error.message
        except Exception as error:  # noqa: BLE001 - the outermost edge of this process
            _log.exception("sync_agent_turn_failed")
            self._problem = f"it met an error that nobody foresaw ({type(error).__name__}); see its log"
            if order:
                self._serving.give_up(order, type(error).__name__)

    def _reread(self) -> None:
        """Read the sync file when it changed, and mend what a killed process left the first time."""
        stamp = read_stamp(self._sync_file)
        if stamp == self._stamp and self._sync:
            return
        try:
            opened = self._open_sync()
        except ConfigurationError as error:
            if stamp != self._stamp or self._published is None:
                self._stamp, self._sync = stamp, None
                _log.error("sync_file_wrong problem=%s", error)
                self._publish(SyncStatus(problem=error.message))
            return
        self._stamp, self._sync, self._looked = stamp, opened, float("-inf")
        self._mend(opened)

    def _mend(self, sync: Sync) -> None:
        """Finish or undo what is left of a change: of a killed process, or while the engine was away."""
        try:
            if done := sync.recover(log_step):
                _log.warning("sync_interrupted_change_%s backup=%s", done.code, done.backup)
                self._recovered = done.code
        except WppconnectError as error:
            self._recovered = "failed"
            _log.error("sync_recovery_failed problem=%s", error)

    def _look(self) -> None:
        if self._sync is None:
            return
        # Before it looks: where that fails, it is tried again after the same pause, not in every turn.
        self._looked = time.monotonic()
        if self._sync.is_interrupted:
            self._mend(self._sync)
        plan = self._sync.draft().plan
        at = self._clock()
        before = self._published or self._board.read()
        drifted = [one.target for one in plan.targets if not one.state.is_settled]
        drifted += [one.container for one in plan.containers if one.is_behind]
        since = {name: (before.since.get(name) if before else None) or at for name in drifted}
        self._tell_drift(plan, at, before.since if before else {}, since)
        self._publish(_bulletin(self._sync, plan, since))
        self._checked_at, self._problem = at, ""

    def _tell_drift(
        self, plan: Plan, at: datetime, before: dict[str, datetime], since: dict[str, datetime]
    ) -> None:
        """Write into the history what drifted, and what is in sync again."""
        states = {one.target: one.state.value for one in plan.targets}
        states |= {one.container: one.action.value for one in plan.containers}
        for name in sorted(before.keys() ^ since.keys()):
            entry = HistoryEntry(
                at=at,
                kind="sync",
                data={"operation": "drift", "target": name, "outcome": states.get(name, "removed")},
            )
            try:
                self._record(entry)
            except StoreError as error:
                _log.warning("sync_drift_not_in_history problem=%s", error)

    def _publish(self, bulletin: SyncStatus) -> None:
        before = self._published
        if before and bulletin.plan and before.plan:
            # Only the moment differs: nothing to write.
            same = bulletin.plan.model_copy(update={"made_at": before.plan.made_at})
            if bulletin.model_copy(update={"plan": same}) == before:
                return
        self._board.publish(bulletin)
        self._published = bulletin

    def _beat(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._board.beat(self.sign_of_life())
            except StoreError as error:
                _log.warning("sync_heartbeat_not_written problem=%s", error)
            except Exception:  # noqa: BLE001 - the outermost edge of this thread
                _log.exception("sync_heartbeat_not_written")
            stop.wait(HEARTBEAT_SECONDS)


def kinds_of(settings: SyncSettings) -> tuple[Receives, ...]:
    """List what can be generated: every API key and secret key that some target receives."""
    found = dict.fromkeys(target.receives for target in settings.targets)
    return tuple(one for one in found if one.kind is not ReceivedKind.TOKEN)


def _bulletin(sync: Sync, plan: Plan, since: dict[str, datetime]) -> SyncStatus:
    return SyncStatus(
        plan=plan,
        since=since,
        folders=tuple(str(path) for path in sync.settings.folders.values()),
        containers=tuple(one.name for one in sync.settings.containers),
        kinds=kinds_of(sync.settings),
        backups=tuple(
            KnownBackup(
                id=one.id,
                at=one.at,
                actor=one.actor,
                kind=one.kind,
                files=tuple(f"{file.folder}/{file.file}" for file in one.files),
                changes_values=bool(one.values),
            )
            for one in sync.backups()
        ),
    )


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
