"""Work out what going back to a backup would do."""

from __future__ import annotations

from datetime import datetime

from core.exceptions import PropagationError
from core.propagation.backups import Backup, Backups
from core.propagation.folders import FileMissingError, FileUnreadableError, Folders, FoundFile, digest
from core.propagation.masking import masked_diff
from core.propagation.places import NotParseableError
from core.propagation.plan import Draft, FileEdit, FilePlan, Plan, identify
from core.propagation.planner import consequences, wanted_of
from core.propagation.reach import Containers
from core.propagation.targets import SyncSettings
from core.propagation.values import Values

OPERATION = "restore a backup"


def restoration(
    settings: SyncSettings,
    backup: Backup,
    backups: Backups,
    *,
    values: Values,
    force: bool,
    at: datetime,
    containers: Containers | None,
) -> Draft:
    """Plan to write what the backup holds; raises PropagationError when that must not be done."""
    folders = Folders(settings.folders)
    edits: list[FileEdit] = []
    for entry in backup.files:
        if entry.folder not in settings.folders:
            raise PropagationError(
                f"{entry.folder} is no folder of the sync file any more; list it again", operation=OPERATION
            )
        try:
            found = folders.read(entry.folder, entry.file)
        except (FileMissingError, FileUnreadableError) as error:
            raise PropagationError(str(error.args[0]), operation=OPERATION) from None
        if found.digest == entry.before:
            continue
        if found.digest != entry.after and not force:
            raise PropagationError(
                f"{found.path} was changed since in another way, and that would be lost; "
                "compare it with the backup, then restore with --force",
                operation=OPERATION,
            )
        edits.append(FileEdit(entry.folder, entry.file, found, backups.content(backup, entry)))
    return _draft(settings, tuple(edits), values, at, containers)


def _draft(
    settings: SyncSettings,
    edits: tuple[FileEdit, ...],
    values: Values,
    at: datetime,
    containers: Containers | None,
) -> Draft:
    wanted = wanted_of(settings, values, (), changes={one.found.path: one.after for one in edits})
    plan = Plan(
        made_at=at,
        files=tuple(_file_plan(edit) for edit in edits),
        containers=consequences(wanted, containers),
    )
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
