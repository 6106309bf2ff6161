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
from core.sync.plan import Plan
from core.sync.progress import Done, StepEvent, StepState
from core.sync.sync import PlanRefusedError, Sync
from core.sync.targets import ReceivedKind, Receives, SyncSettings

_log = logging.getLogger(__name__)

LOCK = "sync-agent.lock"
CHECK_SECONDS = 10.0
"""How often the files are compared with the values in force."""
POLL_SECONDS = 0.5
"""How often the store is read for a change request."""


class Agent:
    """The sync agent of one data directory."""

    def __init__(
        self,
        open_sync: Callable[[], Sync],
        *,
        sync_file: Path,
        change_requests: ChangeRequests,
        agent_status: AgentStatus,
        generate: Callable[[Receives], SecretStr],
        record: Callable[[HistoryEntry], None],
        data_directory: Path,
        program: str,
        clock: Now = now,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._open_sync = open_sync
        self._sync_file = sync_file
        self._requests = change_requests
        self._worker = Worker(change_requests, generate, clock=clock)
        self._agent_status = agent_status
        self._record = record
        self._lock = ProcessLock(data_directory / "locks" / LOCK)
        self._program = program
        self._clock = clock
        self._check_seconds = check_seconds
        self._stamp: Stamp | None = None
        self._sync: Sync | None = None
        self._checked_at: datetime | None = None
        self._problem: Message | None = None
        self._last_check = float("-inf")
        self._published: SyncStatus | None = None
        self._recovered: str | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; raises SyncError when another agent runs already."""
        if not self._lock.try_acquire():
            raise SyncError(Message.of("changes.another_agent"))
        heartbeats = threading.Thread(target=self._beat, args=(stop,), name="heartbeat", daemon=True)
        heartbeats.start()
        try:
            while not stop.is_set():
                self.run_once()
                stop.wait(POLL_SECONDS)
        finally:
            stop.set()
            heartbeats.join()
            self._lock.release()

    def heartbeat(self) -> Heartbeat:
        """Return the heartbeat: when files were last checked, and why they could not be since."""
        return Heartbeat(
            at=self._clock(), program=self._program, checked_at=self._checked_at, problem=self._problem
        )

    def run_once(self) -> None:
        """Serve the change request and check the files once. Errors are logged and published, not raised."""
        request: ChangeRequest | None = None
        try:
            self._reload()
            request = self._requests.current()
            if request and self._sync and self._worker.serve(self._sync, request, recovered=self._recovered):
                self._last_check = float("-inf")
            if time.monotonic() - self._last_check >= self._check_seconds:
                self._check()
        except (StoreError, SyncError) as error:
            _log.warning("sync_agent_turn_failed problem=%s", error)
            self._problem = error.explanation
        except Exception as error:  # noqa: BLE001 - the outermost edge of this process
            _log.exception("sync_agent_turn_failed")
            self._problem = Message.of("changes.agent_error", kind=type(error).__name__)
            if request:
                self._worker.give_up(request, type(error).__name__)

    def _reload(self) -> None:
        """Read the sync file if it changed, and recover what a killed process left."""
        stamp = read_stamp(self._sync_file)
        if stamp == self._stamp and self._sync:
            return
        try:
            opened = self._open_sync()
        except ConfigurationError as error:
            if stamp != self._stamp or self._published is None:
                self._stamp, self._sync = stamp, None
                _log.error("sync_file_wrong problem=%s", error)
                self._publish(SyncStatus(problem=error.explanation))
            return
        self._stamp, self._sync, self._last_check = stamp, opened, float("-inf")
        self._recover(opened)

    def _recover(self, sync: Sync) -> None:
        """Finish or undo an interrupted change: of a killed process, or while the engine was away."""
        try:
            if done := sync.recover(log_step):
                _log.warning("sync_interrupted_change_%s backup=%s", done.code, done.backup)
                self._recovered = done.code
        except WppconnectError as error:
            self._recovered = "failed"
            _log.error("sync_recovery_failed problem=%s", error)

    def _check(self) -> None:
        if self._sync is None:
            return
        # Before the check: one that fails is repeated after the same pause, not at once.
        self._last_check = time.monotonic()
        if self._sync.is_interrupted:
            self._recover(self._sync)
        plan = self._sync.check()
        at = self._clock()
        before = self._published or self._agent_status.read()
        drifted = [one.target for one in plan.targets if not one.state.is_settled]
        drifted += [one.container for one in plan.containers if one.is_behind]
        since = {name: (before.since.get(name) if before else None) or at for name in drifted}
        self._record_drift(plan, at, before.since if before else {}, since)
        self._publish(_status_of(self._sync, plan, since))
        self._checked_at, self._problem = at, None

    def _record_drift(
        self, plan: Plan, at: datetime, before: dict[str, datetime], since: dict[str, datetime]
    ) -> None:
        """Write to the history what drifted and what is in sync again."""
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

    def _publish(self, status: SyncStatus) -> None:
        before = self._published
        if before and status.plan and before.plan:
            # Only the moment differs: nothing to write.
            same = status.plan.model_copy(update={"made_at": before.plan.made_at})
            if status.model_copy(update={"plan": same}) == before:
                return
        self._agent_status.publish(status)
        self._published = status

    def _beat(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._agent_status.beat(self.heartbeat())
            except StoreError as error:
                _log.warning("sync_heartbeat_not_written problem=%s", error)
            except Exception:  # noqa: BLE001 - the outermost edge of this thread
                _log.exception("sync_heartbeat_not_written")
            stop.wait(HEARTBEAT_SECONDS)


def kinds_of(settings: SyncSettings) -> tuple[Receives, ...]:
    """Return what can be generated: every API key and secret key that a target receives."""
    found = dict.fromkeys(target.receives for target in settings.targets)
    return tuple(one for one in found if one.kind is not ReceivedKind.TOKEN)


def _status_of(sync: Sync, plan: Plan, since: dict[str, datetime]) -> SyncStatus:
    return SyncStatus(
        plan=plan,
        since=since,
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


class Worker:
    """Carries out change requests one after the other."""

    def __init__(
        self, change_requests: ChangeRequests, generate: Callable[[Receives], SecretStr], *, clock: Now
    ) -> None:
        self._requests = change_requests
        self._generate = generate
        self._clock = clock
        self._outcome: tuple[str, RequestState, dict[str, object]] | None = None
        """Request id, state and fields that could not be stored yet."""
        self._fresh: dict[str, dict[Receives, SecretStr]] = {}
        """Generated values by request id. Memory only: a plan that is not approved leaves nothing."""

    def serve(self, sync: Sync, request: ChangeRequest, *, recovered: str | None) -> bool:
        """Take the next step of a change request; return whether files may have changed.

        `recovered` is the `Done.code` of the change that a killed process had begun.
        """
        if request.state is RequestState.ASKED:
            self._plan(sync, request)
        elif request.state is RequestState.APPROVED:
            self._carry_out(sync, request)
            return True
        elif request.state is RequestState.RUNNING:
            # Requests are carried out here alone, one after the other: its end could not be stored.
            self._end_again(sync, request, recovered)
        return False

    def give_up(self, request: ChangeRequest, kind: str) -> None:
        """End a request that raised an unexpected error, which would be raised again otherwise."""
        try:
            present = self._requests.current()
            if present and present.id == request.id and present.state.is_agents_turn:
                note = Message.of("changes.agent_error", kind=kind)
                self._end(present, RequestState.FAILED, note=note)
        except WppconnectError as error:
            _log.warning("sync_order_not_ended problem=%s", error)

    def _plan(self, sync: Sync, request: ChangeRequest) -> None:
        try:
            plan = self._plan_of(sync, request)
        except WppconnectError as error:
            self._move(request, RequestState.FAILED, note=error.explanation)
        else:
            self._move(request, RequestState.PLANNED, plan=plan, note=None)

    def _plan_of(self, sync: Sync, request: ChangeRequest) -> Plan:
        if request.kind is ChangeKind.APPLY:
            return sync.draft(fresh=self._fresh_for(request), leave_out=request.leave_out).plan
        if request.kind is ChangeKind.RESTORE:
            return sync.restoration(request.backup, force=request.force)[0].plan
        return Plan(made_at=self._clock(), digest=f"restart {request.container}")

    def _carry_out(self, sync: Sync, request: ChangeRequest) -> None:
        self._move(request, RequestState.RUNNING)

        def report(event: StepEvent) -> None:
            log_step(event)
            try:
                self._requests.add_step(request.id, event)
            except WppconnectError as error:
                _log.warning("sync_step_not_shown problem=%s", error)

        try:
            done = self._do(sync, request, report)
        except PlanRefusedError as error:
            self._end(request, RequestState.PLANNED, plan=error.plan, note=error.explanation)
        except WppconnectError as error:
            self._end(request, RequestState.FAILED, note=error.explanation)
        else:
            self._end(request, RequestState.DONE, result=done)

    def _do(self, sync: Sync, request: ChangeRequest, report: Callable[[StepEvent], None]) -> Done:
        actor = request.approved_by or request.actor
        digest = request.plan.digest if request.plan else ""
        if request.kind is ChangeKind.RESTORE:
            return sync.restore(
                request.backup, force=request.force, approved=digest, actor=actor, report=report
            )
        if request.kind is ChangeKind.RESTART:
            return sync.restart(request.container, actor=actor, report=report)
        return sync.apply(
            fresh=self._fresh_for(request),
            leave_out=request.leave_out,
            approved=digest,
            actor=actor,
            report=report,
        )

    def _fresh_for(self, request: ChangeRequest) -> dict[Receives, SecretStr]:
        if request.id not in self._fresh:
            self._fresh = {request.id: {receives: self._generate(receives) for receives in request.generate}}
        return self._fresh[request.id]

    def _end(self, request: ChangeRequest, state: RequestState, **changes: object) -> None:
        """Store how a request ended; repeated later if the store fails now."""
        self._outcome = (request.id, state, changes)
        if state.is_final:
            self._fresh.pop(request.id, None)
        self._move(request, state, **changes)
        self._outcome = None

    def _end_again(self, sync: Sync, request: ChangeRequest, recovered: str | None) -> None:
        if self._outcome and self._outcome[0] == request.id:
            _, state, changes = self._outcome
            self._end(request, state, **changes)
            return
        note = Message.of(self._of_interrupted(sync, request, recovered))
        self._end(request, RequestState.FAILED, note=note)

    def _of_interrupted(self, sync: Sync, request: ChangeRequest, recovered: str | None) -> str:
        """Return the message id of how a killed agent's change ended; recovery has run before."""
        if recovered:
            return {
                "finished": "changes.agent_stopped_finished",
                "undone": "changes.agent_stopped_undone",
            }.get(recovered, "changes.agent_stopped_failed")
        if request.kind is ChangeKind.RESTART or any(one.at >= request.changed_at for one in sync.backups()):
            return "changes.agent_stopped_done"
        return "changes.agent_stopped"

    def _move(self, request: ChangeRequest, state: RequestState, **changes: object) -> None:
        self._requests.change(request.id, lambda one: one.model_copy(update={"state": state, **changes}))
        _log.info("sync_order order=%s kind=%s state=%s", request.id, request.kind, state)


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
