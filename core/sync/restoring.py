"""Work out what going back to a backup would do."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import SecretStr

from core.exceptions import SyncError
from core.messages import Message
from core.sync.backups import BackedUpFile, Backup, Backups
from core.sync.docker_containers import DockerContainers
from core.sync.folders import FileMissingError, FileUnreadableError, Folders
from core.sync.plan import Draft, FileEdit, Plan, identify
from core.sync.planner import container_changes, file_plan, wanted_of
from core.sync.projects import FindCompose, open_projects
from core.sync.secret_values import Values
from core.sync.targets import Receives, SyncSettings


@dataclass(frozen=True)
class _Change:
    """What one or several backups did to one file."""

    oldest: Backup
    entries: tuple[BackedUpFile, ...]
    """The oldest first."""

    @property
    def before(self) -> str:
        """The digest of what the file held before all of them."""
        return self.entries[0].before

    def explains(self, present: str) -> bool:
        """Whether nobody else changed the file since the first of them."""
        ours = {self.entries[0].after}
        for entry in self.entries[1:]:
            if entry.before not in ours:
                return False
            ours.add(entry.after)
        return present in ours


def later_changes(backup: Backup, newest: Sequence[Backup]) -> tuple[Backup, ...]:
    """Return the later changes that have to be taken back with one, the oldest first.

    `newest` lists all backups, the newest first. Later ones that share neither a file nor a value with this
    one stay; otherwise all of them go, for together they are what the files hold.
    """
    later = tuple(reversed(tuple(itertools.takewhile(lambda one: one.id != backup.id, newest))))
    files = {one.path for one in backup.files}
    values = {one.receives for one in backup.values}
    is_shared = any(
        files & {file.path for file in one.files} or values & {value.receives for value in one.values}
        for one in later
    )
    return later if is_shared else ()


def values_before(changes: Sequence[Backup]) -> dict[Receives, SecretStr | None]:
    """Return what each value was before changes, the oldest first."""
    return {one.receives: one.before for change in reversed(changes) for one in change.values}


def restoration(
    settings: SyncSettings,
    changes: Sequence[Backup],
    backups: Backups,
    *,
    values: Values,
    force: bool,
    at: datetime,
    containers: DockerContainers | None,
    compose: FindCompose,
) -> Draft:
    """Plan to write what files held before changes, of which the oldest comes first.

    Raises SyncError when that must not be done.
    """
    folders = Folders(settings.folders)
    edits: list[FileEdit] = []
    for change in _by_file(changes):
        entry = change.entries[0]
        if entry.folder not in settings.folders:
            raise SyncError(Message.of("changes.folder_not_listed", folder=entry.folder))
        try:
            found = folders.read(entry.folder, entry.file)
        except (FileMissingError, FileUnreadableError) as error:
            raise SyncError(error.why) from None
        if found.digest == change.before:
            continue
        if not change.explains(found.digest) and not force:
            raise SyncError(Message.of("changes.changed_since", path=str(found.path)))
        edits.append(FileEdit(entry.folder, entry.file, found, backups.content(change.oldest, entry)))
    wanted = wanted_of(settings, values, (), changes={one.found.path: one.after for one in edits})
    with open_projects(compose, wanted.changes) as projects:
        decided = container_changes(wanted, containers, projects)
    plan = Plan(
        made_at=at,
        files=tuple(file_plan(one) for one in edits),
        containers=decided,
        takes_back=tuple(one.id for one in changes[1:]),
    )
    plan = plan.model_copy(update={"digest": identify(plan, tuple(edits), {})})
    return Draft(plan, tuple(edits), wanted)


def _by_file(changes: Sequence[Backup]) -> list[_Change]:
    found: dict[str, _Change] = {}
    for backup in changes:
        for entry in backup.files:
            known = found.get(entry.path)
            found[entry.path] = (
                replace(known, entries=(*known.entries, entry)) if known else _Change(backup, (entry,))
            )
    return list(found.values())
