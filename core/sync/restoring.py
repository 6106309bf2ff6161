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
from core.sync.folders import FileMissingError, FileUnreadableError, Folders, FoundFile, digest
from core.sync.masking import masked_diff
from core.sync.plan import Draft, FileEdit, FilePlan, Plan, identify
from core.sync.planner import consequences, wanted_of
from core.sync.projects import FindCompose, open_projects
from core.sync.secret_values import Values
from core.sync.targets import Receives, SyncSettings
from core.sync.value_span import NotParseableError

OPERATION = "restore a backup"


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
            raise SyncError(
                f"{entry.folder} is no folder of the sync file any more; list it again", operation=OPERATION
            )
        try:
            found = folders.read(entry.folder, entry.file)
        except (FileMissingError, FileUnreadableError) as error:
            raise SyncError(error.why) from None
        if found.digest == change.before:
            continue
        if not change.explains(found.digest) and not force:
            raise SyncError(Message.of("changes.changed_since", path=str(found.path)))
        edits.append(FileEdit(entry.folder, entry.file, found, backups.content(change.oldest, entry)))
    draft = _draft(settings, tuple(edits), values, at, containers, compose)
    later = tuple(one.id for one in changes[1:])
    return replace(draft, plan=draft.plan.model_copy(update={"takes_back": later}))


def _by_file(changes: Sequence[Backup]) -> list[_Change]:
    found: dict[str, _Change] = {}
    for backup in changes:
        for entry in backup.files:
            known = found.get(entry.path)
            found[entry.path] = (
                replace(known, entries=(*known.entries, entry)) if known else _Change(backup, (entry,))
            )
    return list(found.values())


def _draft(
    settings: SyncSettings,
    edits: tuple[FileEdit, ...],
    values: Values,
    at: datetime,
    containers: DockerContainers | None,
    compose: FindCompose,
) -> Draft:
    wanted = wanted_of(settings, values, (), changes={one.found.path: one.after for one in edits})
    with open_projects(compose, wanted.changes) as projects:
        decided = consequences(wanted, containers, projects)
    plan = Plan(made_at=at, files=tuple(_file_plan(edit) for edit in edits), containers=decided)
    plan = plan.model_copy(update={"digest": identify(plan, edits, {})})
    return Draft(plan, edits, wanted)


def _file_plan(edit: FileEdit) -> FilePlan:
    try:
        before, after = edit.found.text, FoundFile(edit.found.path, edit.after).text
        diff = masked_diff(before, after, edit.file)
    except NotParseableError:
        diff = ""
    return FilePlan(
        folder=edit.folder,
        file=edit.file,
        path=str(edit.found.path),
        before=edit.found.digest,
        after=digest(edit.after),
        diff=diff,
    )
