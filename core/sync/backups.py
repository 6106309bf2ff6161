"""Backups of files before each change, and the way back to one (docs/sync.md, Crashes).

They lie in our data directory, readable by the owner only. One is made before the first byte is written; a
failure, a crash and `sync restore` go back to it.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, Field, SecretStr, field_serializer

from core.disk import disk_error, make_private_directory, read_stamped, replace_file, sync_directory
from core.exceptions import SyncError
from core.messages import Message
from core.models import Frozen
from core.sync.docker_containers import DockerContainers
from core.sync.folders import Folders, digest
from core.sync.plan import Draft, FileEdit, FileVersion, Plan
from core.sync.planner import asking, complete, wanted_of
from core.sync.projects import FindCompose
from core.sync.secret_values import Values
from core.sync.targets import Receives, SyncSettings
from core.sync.value_span import FileProblemError

MANIFEST = "manifest.json"
_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


class BackedUpFile(FileVersion):
    """One file of a backup, which keeps what it held before."""

    kept_as: str


class BackedUpValue(Frozen):
    """One secret that was changed together with the files; it lies here in clear, as in the files."""

    receives: Receives
    before: SecretStr | None
    """None: there was none; likewise below."""
    after: SecretStr | None

    @field_serializer("before", "after", when_used="json")
    def _in_clear(self, value: SecretStr | None) -> str | None:
        return value.get_secret_value() if value else None


class Backup(Frozen):
    """One change of files, as it can be taken back."""

    id: str
    at: AwareDatetime
    actor: str
    kind: str
    """apply | restore"""
    files: tuple[BackedUpFile, ...]
    values: tuple[BackedUpValue, ...] = Field(default=(), repr=False)
    commands: tuple[str, ...] = ()
    """The command targets that were to run."""


class Backups:
    """The backups in a directory; the caller holds the sync lock."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def make(
        self,
        edits: Sequence[FileEdit],
        values: Sequence[BackedUpValue],
        *,
        commands: Sequence[str],
        kind: str,
        actor: str,
        at: datetime,
    ) -> Backup:
        """Keep what the files hold; on return it is on disk, and a failure leaves nothing of it."""
        backup = Backup(
            id=f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
            at=at,
            actor=actor,
            kind=kind,
            files=tuple(
                BackedUpFile(**edit.version.model_dump(), kept_as=f"{number}.content")
                for number, edit in enumerate(edits)
            ),
            values=tuple(values),
            commands=tuple(commands),
        )
        self._remove_unfinished()
        try:
            self._write(backup, edits)
        except BaseException:
            self.delete(backup.id)
            raise
        return backup

    def read(self, backup_id: str) -> Backup:
        """Read one backup; raises SyncError when there is none that can be read."""
        found = None
        if _ID.fullmatch(backup_id):
            found = read_stamped(self._directory / backup_id / MANIFEST)
        try:
            if found:
                return Backup.model_validate_json(found[1])
        except ValueError:
            raise SyncError(Message.of("changes.backup_unreadable", name=backup_id)) from None
        raise SyncError(Message.of("changes.backup_missing", name=backup_id))

    def content(self, backup: Backup, entry: BackedUpFile) -> bytes:
        """Read what a file held; raises SyncError when that is damaged."""
        found = read_stamped(self._directory / backup.id / entry.kept_as)
        if found is None or digest(found[1]) != entry.before:
            raise SyncError(Message.of("changes.backup_damaged", name=backup.id, path=entry.path))
        return found[1]

    def newest(self) -> tuple[Backup, ...]:
        """Return the readable backups, the newest first."""
        found = []
        for name in self._names():
            with contextlib.suppress(SyncError):
                found.append(self.read(name))
        # Names hold whole seconds only.
        return tuple(sorted(found, key=lambda one: one.at, reverse=True))

    def prune(self, keep: int) -> None:
        """Delete all but the newest ones."""
        for name in self._names()[keep:]:
            self.delete(name)

    def delete(self, backup_id: str) -> None:
        """Delete one; what cannot be deleted stays."""
        shutil.rmtree(self._directory / backup_id, ignore_errors=True)

    def _write(self, backup: Backup, edits: Sequence[FileEdit]) -> None:
        folder = self._directory / backup.id
        make_private_directory(folder)
        for entry, edit in zip(backup.files, edits, strict=True):
            replace_file(folder / entry.kept_as, edit.found.content, durable=True)
        # The manifest last: a folder without one is no backup.
        replace_file(folder / MANIFEST, backup.model_dump_json().encode(), durable=True)
        try:
            sync_directory(self._directory)
        except OSError as error:
            raise disk_error("write", self._directory, error) from None

    def _remove_unfinished(self) -> None:
        """Remove what a process left that was killed while it made a backup."""
        for name in self._names():
            if not (self._directory / name / MANIFEST).exists():
                self.delete(name)

    def _names(self) -> list[str]:
        try:
            names = [path.name for path in self._directory.iterdir() if _ID.fullmatch(path.name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise disk_error("read", self._directory, error) from None
        return sorted(names, reverse=True)


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
        except FileProblemError as error:
            raise SyncError(error.why) from None
        if found.digest == change.before:
            continue
        if not change.explains(found.digest) and not force:
            raise SyncError(Message.of("changes.changed_since", path=str(found.path)))
        edits.append(FileEdit(entry.folder, entry.file, found, backups.content(change.oldest, entry)))
    wanted = wanted_of(settings, values, (), {one.found.path: one.after for one in edits})
    plan = Plan(made_at=at, takes_back=tuple(one.id for one in changes[1:]))
    with asking(compose, containers, wanted) as (projects, assessor):
        return complete(plan, tuple(edits), settings, projects, assessor, wanted)


def _by_file(changes: Sequence[Backup]) -> list[_Change]:
    found: dict[str, _Change] = {}
    for backup in changes:
        for entry in backup.files:
            known = found.get(entry.path)
            found[entry.path] = (
                replace(known, entries=(*known.entries, entry)) if known else _Change(backup, (entry,))
            )
    return list(found.values())
