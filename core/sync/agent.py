"""The sync agent: carries out approved orders, and looks in the background whether anything has drifted.

It is the only process with write access to the folders and with the Docker socket. It listens on no port:
what it does stands in the store.
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
from core.models import HistoryEntry
from core.sync.agent_status import HEARTBEAT_SECONDS, AgentStatus, Heartbeat, KnownBackup, SyncStatus
from core.sync.change_requests import ChangeRequest, ChangeRequests
from core.sync.plan import Plan
from core.sync.sync import Sync
from core.sync.targets import ReceivedKind, Receives, SyncSettings
from core.sync.worker import Worker, log_step

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
