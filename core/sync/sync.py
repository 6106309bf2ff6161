"""The interface of the sync: plan, apply, restore, restart, and recover from a crash."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from core.clock import Now, now
from core.exceptions import StoreError, SyncError, WppconnectError
from core.locks import ProcessLock
from core.messages import Message
from core.models import HistoryEntry
from core.sync.backups import BackedUpValue, Backup, Backups, later_changes, restoration, values_before
from core.sync.docker_containers import DockerContainers
from core.sync.editing import present_api_key
from core.sync.folders import read_digest, stamp
from core.sync.plan import Draft, Plan
from core.sync.planner import make_draft
from core.sync.progress import Done, Report
from core.sync.projects import FindCompose
from core.sync.secret_values import SecretValues, Values
from core.sync.targets import FileTarget, ReceivedKind, Receives, State, SyncSettings
from core.sync.transaction import Transaction

_log = logging.getLogger(__name__)

LOCK = "sync.lock"
LOCK_SECONDS = 1.0
"""Its holder may keep it for minutes, so a second process does not wait."""
TRUSTED = timedelta(minutes=5)
"""How long a check is good while nothing seems to have changed."""


class PlanRefusedError(SyncError):
    """Nothing was written: the plan is blocked, changed since its approval, or does more than was asked.

    `plan` is what would have been done now, and `names` what to leave out.
    """

    def __init__(self, why: Message, plan: Plan, names: Sequence[str] = ()) -> None:
        super().__init__(why)
        self.plan = plan
        self.names = tuple(names)


class Sync:
    """Plans and carries out; safe for any number of processes, of which one changes files at a time."""

    def __init__(
        self,
        settings: SyncSettings,
        secret_values: SecretValues,
        *,
        data_directory: Path,
        environ: Mapping[str, str],
        containers: DockerContainers | None = None,
        compose: FindCompose = lambda: None,
        record: Callable[[HistoryEntry], None] = lambda _entry: None,
        clock: Now = now,
    ) -> None:
        self.settings = settings
        self._secret_values = secret_values
        self._containers = containers
        self._compose = compose
        self._record = record
        self._clock = clock
        self._lock = ProcessLock(data_directory / "locks" / LOCK)
        self._checked: Draft | None = None
        self._checked_for: tuple[object, ...] | None = None
        self._backups = Backups(data_directory / "sync" / "backups")
        self._transaction = Transaction(
            settings,
            secret_values,
            directory=data_directory / "sync",
            backups=self._backups,
            environ=environ,
            containers=containers,
        )

    def draft(
        self, *, fresh: Mapping[Receives, SecretStr] | None = None, leave_out: Collection[str] = ()
    ) -> Draft:
        """Plan with the values in force, or with fresh ones; changes nothing and takes no lock."""
        return make_draft(
            self.settings,
            self._values(fresh),
            at=self._clock(),
            leave_out=leave_out,
            commands_done=self._secret_values.commands_done(),
            containers=self._containers,
            compose=self._compose,
        )

    def check(self) -> Plan:
        """Plan with the values in force; made anew only when something that it depends on has changed.

        Compose may read files that are named by variables, so the plan is made anew after `TRUSTED`, too.
        """
        # Before the plan is made: what changes meanwhile is noticed by the next check.
        depends_on = self._depends_on()
        if (
            self._checked is None
            or depends_on is None
            or depends_on != self._checked_for
            or abs(self._clock() - self._checked.plan.made_at) > TRUSTED
        ):
            self._checked, self._checked_for = self.draft(), depends_on
        return self._checked.plan

    def apply(
        self,
        *,
        fresh: Mapping[Receives, SecretStr] | None = None,
        leave_out: Collection[str] = (),
        approved: str | None = None,
        accept_waiting: bool = False,
        actor: str,
        report: Report,
    ) -> Done:
        """Bring everything in sync, or change nothing.

        `approved` is the digest of the plan that was agreed to; None: whatever the plan is, and what else
        waits in a container's files only with `accept_waiting`. Raises PlanRefusedError, and SyncError or
        ContainerError after everything was put back.
        """
        with _exclusive(self._lock):
            self._recover(report)
            draft = self.draft(fresh=fresh, leave_out=leave_out)
            _require_consent(draft.plan, approved, accept_waiting=accept_waiting)
            values = self._changes(fresh or {})
            if not draft.plan.has_changes and not values:
                return self._nothing()
            return self._carry_out("apply", draft, values, leave_out, actor, report)

    def restore(
        self,
        backup_id: str,
        *,
        force: bool = False,
        approved: str | None = None,
        accept_waiting: bool = False,
        with_later: bool = False,
        actor: str,
        report: Report,
    ) -> Done:
        """Bring files and values back to what a backup holds, with a new backup of what they hold now.

        Later changes of ours are taken back with it; without a plan that was agreed to, only `with_later`.
        Refuses a file that was changed since in another way, unless `force`. Raises like `apply`.
        """
        with _exclusive(self._lock):
            self._recover(report)
            draft, values = self.restoration(backup_id, force=force)
            if not draft.edits and not values:
                return self._nothing()
            if approved is None and draft.plan.takes_back and not with_later:
                later = ", ".join(draft.plan.takes_back)
                raise PlanRefusedError(Message.of("changes.later", backups=later), draft.plan)
            _require_consent(draft.plan, approved, accept_waiting=accept_waiting)
            return self._carry_out("restore", draft, values, (), actor, report)

    def restoration(self, backup_id: str, *, force: bool) -> tuple[Draft, tuple[BackedUpValue, ...]]:
        """Plan the restoration of a backup; changes nothing."""
        backup = self._backups.read(backup_id)
        changes = (backup, *later_changes(backup, self._backups.newest()))
        before = values_before(changes)
        draft = restoration(
            self.settings,
            changes,
            self._backups,
            values=self._values({receives: value for receives, value in before.items() if value}),
            force=force,
            at=self._clock(),
            containers=self._containers,
            compose=self._compose,
        )
        return draft, self._changes(before)

    def restart(self, container: str, *, actor: str, report: Report) -> Done:
        """Restart one listed container as it is: it keeps the environment that it has."""
        listed = self.settings.container(container)
        if listed is None or self._containers is None:
            what = "changes.container_not_listed" if listed is None else "changes.container_files_only"
            raise SyncError(Message.of(what, name=container))
        with _exclusive(self._lock):
            self._recover(report)
            done = self._containers.restart(listed, report)
            done = done.model_copy(update={"code": "restarted", "at": self._clock()})
            self._record_history("restart", done, actor, containers=container)
            return done

    def adopt(self, *, actor: str) -> tuple[str, ...]:
        """Import the API key that the files hold already; return the targets that hold it."""
        with _exclusive(self._lock):
            value, names = present_api_key(self.settings)
            self._secret_values.put({Receives(kind=ReceivedKind.API_KEY): SecretStr(value)}, actor=actor)
            return names

    @property
    def is_interrupted(self) -> bool:
        """Whether a killed process left a change that the next `apply` or agent recovers."""
        return self._transaction.is_interrupted

    def recover(self, report: Report) -> Done | None:
        """Finish or undo what a killed process left; None when nothing was under way."""
        with _exclusive(self._lock):
            return self._recover(report)

    def backups(self) -> tuple[Backup, ...]:
        """List the backups, the newest first."""
        return self._backups.newest()

    def _recover(self, report: Report) -> Done | None:
        recovered = self._transaction.recover(report)
        if recovered is None:
            return None
        backup, finished, result = recovered
        done = self._done("finished" if finished else "undone", backup, result)
        if not finished and self._delete_if_useless(backup):
            done = done.model_copy(update={"backup": ""})
        self._record_history("recover", done, backup.actor)
        return done

    def _carry_out(
        self,
        kind: str,
        draft: Draft,
        values: tuple[BackedUpValue, ...],
        leave_out: Collection[str],
        actor: str,
        report: Report,
    ) -> Done:
        commands = [one.target for one in draft.plan.targets if one.state is State.WILL_RUN]
        at = self._clock()
        backup = self._backups.make(draft.edits, values, commands=commands, kind=kind, actor=actor, at=at)
        try:
            result = self._transaction.carry_out(draft.edits, backup, tuple(leave_out), report)
        except BaseException as error:
            name = Message.plain(type(error).__name__)
            why = error.explanation if isinstance(error, WppconnectError) else name
            done = self._done("failed", backup, Done(notes=(why,)))
            if not self._transaction.is_interrupted and self._delete_if_useless(backup):
                done = done.model_copy(update={"backup": ""})
            self._record_history(kind, done, actor)
            raise
        if not backup.files and not backup.values:
            self._backups.delete(backup.id)
        self._backups.prune(self.settings.backups)
        code = "applied" if kind == "apply" else "restored"
        done = self._done("by_hand" if result.by_hand else code, backup, result)
        self._record_history(kind, done, actor)
        return done

    def _delete_if_useless(self, backup: Backup) -> bool:
        """Delete the backup of a change that was taken back, and return whether it was.

        Where another program changed a file meanwhile, it stays.
        """
        try:
            is_useless = all(read_digest(Path(one.path)) == one.before for one in backup.files)
        except SyncError:
            return False
        if is_useless:
            self._backups.delete(backup.id)
        return is_useless

    def _depends_on(self) -> tuple[object, ...] | None:
        """Return what the plan of the latest check depends on; None if it has to be made anew."""
        if self._checked is None or self._checked.files_read is None:
            return None
        folders = self.settings.folders
        targets = {
            folders[one.folder] / one.file for one in self.settings.targets if isinstance(one, FileTarget)
        }
        return (
            self._values(None),
            self._secret_values.commands_done(),
            self._containers.identities() if self._containers else None,
            {file: stamp(file) for file in self._checked.files_read | targets},
        )

    def _nothing(self) -> Done:
        return Done(code="nothing", at=self._clock(), is_files_only=self._containers is None)

    def _values(self, fresh: Mapping[Receives, SecretStr] | None) -> Values:
        wanted = {target.receives for target in self.settings.targets} | set(fresh or {})
        return self._secret_values.values(wanted, fresh)

    def _changes(self, fresh: Mapping[Receives, SecretStr | None]) -> tuple[BackedUpValue, ...]:
        """Return the values that come in force with the files, with those they replace."""
        present = self._secret_values.values(list(fresh))
        changes = (
            BackedUpValue(receives=receives, before=present.known.get(receives), after=after)
            for receives, after in fresh.items()
        )
        return tuple(one for one in changes if one.before != one.after)

    def _done(self, code: str, backup: Backup, result: Done) -> Done:
        files = tuple(f"{one.folder}/{one.file}" for one in backup.files)
        return result.model_copy(
            update={
                "code": code,
                "at": self._clock(),
                "backup": backup.id,
                "files": files,
                "is_files_only": self._containers is None,
            }
        )

    def _record_history(self, operation: str, done: Done, actor: str, *, containers: str = "") -> None:
        entry = HistoryEntry(
            at=done.at,
            kind="sync",
            actor=actor,
            data={
                "operation": operation,
                "outcome": done.code,
                "files": ", ".join(done.files),
                "containers": containers or ", ".join(done.recreated),
                "backup": done.backup,
                "notes": "; ".join(map(str, done.notes)),
            },
        )
        try:
            self._record(entry)
        except StoreError as error:
            # The files are as they should be: a history that cannot be written must not make them look wrong.
            _log.warning("sync_not_in_history problem=%s", error)


def _require_consent(plan: Plan, approved: str | None, *, accept_waiting: bool) -> None:
    if approved is not None and plan.digest != approved:
        raise PlanRefusedError(Message.of("changes.plan_changed"), plan)
    if plan.is_blocked:
        names = [one.target for one in plan.wrong] + [one.container for one in plan.refused_containers]
        raise PlanRefusedError(Message.of("changes.blocked", names=", ".join(names)), plan, names)
    waiting = {one.container: ", ".join(one.waiting) for one in plan.containers if one.waiting}
    if approved is None and not accept_waiting and waiting:
        listed = ", ".join(f"{name} ({what})" for name, what in waiting.items())
        raise PlanRefusedError(Message.of("changes.waiting", names=listed), plan, list(waiting))


@contextmanager
def _exclusive(lock: ProcessLock) -> Iterator[None]:
    """Hold the sync lock; raises SyncError if another process holds it."""
    try:
        lock.acquire(LOCK_SECONDS)
    except StoreError:
        raise SyncError(Message.of("changes.busy")) from None
    try:
        yield
    finally:
        lock.release()
