"""Carry out one change: files, values, commands, containers; or take all of it back, also after a crash.

Each step is in the journal before it is taken (docs/sync.md, Crashes).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from core.disk import disk_error, make_private_directory, read_stamped, replace_file, sync_directory
from core.exceptions import ContainerError, StoreError, SyncError, WppconnectError
from core.logs import redact
from core.messages import Message
from core.models import Frozen
from core.sync.backups import BackedUpFile, Backup, Backups
from core.sync.docker_containers import DockerContainers
from core.sync.folders import ChangedMeanwhileError, read_digest, remove_temporary, replace_content
from core.sync.plan import FileEdit, Touched, Wanted
from core.sync.planner import fingerprint, wanted_of
from core.sync.progress import Done, Report, StepEvent, StepState, reported
from core.sync.secret_values import SecretValues
from core.sync.targets import CommandTarget, SyncSettings

JOURNAL = "journal.json"
UNDOING_JOURNAL = "journal-undoing.json"
"""Its name once the change is taken back: a full disk takes a new name where it takes no new content."""


class ChangePhase(StrEnum):
    """How far a change is; decides whether the next start finishes or undoes it."""

    WRITING = "writing"
    """Some files may be written: undone."""
    WRITTEN = "written"
    """All files are written; values, commands and containers are on their way: finished."""
    UNDOING = "undoing"
    """Something failed and is being taken back: taken back."""


class JournalEntry(Frozen):
    """The journal's only entry."""

    backup: str
    """The backup that holds the files and values."""
    phase: ChangePhase
    leave_out: tuple[str, ...] = ()
    """Containers that are not to be touched, targets that were left out."""
    in_place: str = ""
    """The file that is being overwritten: whatever it holds after a crash is ours."""
    touched: tuple[Touched, ...] = ()
    """Containers that Compose was or is about to be told to recreate."""


class Journal:
    """The journal in a directory; the caller holds the sync lock."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / JOURNAL
        self._undoing_path = directory / UNDOING_JOURNAL

    def read(self) -> JournalEntry | None:
        """Return the interrupted change; None if there is none. Raises SyncError if it cannot be read."""
        found, undoing = read_stamped(self._path), read_stamped(self._undoing_path)
        try:
            if undoing:
                return JournalEntry.model_validate_json(undoing[1]).model_copy(
                    update={"phase": ChangePhase.UNDOING}
                )
            return JournalEntry.model_validate_json(found[1]) if found else None
        except ValueError:
            raise SyncError(Message.of("changes.journal_unreadable", path=str(self._path))) from None

    def write(self, entry: JournalEntry) -> None:
        """Write the next step; on return it is on disk."""
        make_private_directory(self._path.parent)
        replace_file(self._path, entry.model_dump_json().encode(), durable=True)

    def turn_back(self) -> None:
        """Record that the change is undone from now on."""
        try:
            self._path.replace(self._undoing_path)
            sync_directory(self._path.parent)
        except OSError as error:
            raise disk_error("rename", self._path, error) from None

    def clear(self) -> None:
        """Delete the journal: the change has ended."""
        try:
            self._path.unlink(missing_ok=True)
            self._undoing_path.unlink(missing_ok=True)
            sync_directory(self._path.parent)
        except OSError as error:
            raise disk_error("delete", self._path, error) from None


class Transaction:
    """Steps that are written down before they are taken; the caller holds the sync lock."""

    def __init__(
        self,
        settings: SyncSettings,
        secret_values: SecretValues,
        *,
        directory: Path,
        backups: Backups,
        environ: Mapping[str, str],
        containers: DockerContainers | None,
    ) -> None:
        self._settings = settings
        self._secret_values = secret_values
        self._journal = Journal(directory)
        self._backups = backups
        self._environ = environ
        self._containers = containers

    def carry_out(
        self, edits: Sequence[FileEdit], backup: Backup, leave_out: tuple[str, ...], report: Report
    ) -> Done:
        """Write the files, then everything that goes with them; raises after all of it was taken back."""
        entry = JournalEntry(backup=backup.id, phase=ChangePhase.WRITING, leave_out=leave_out)
        self._journal.write(entry)
        try:
            for edit in edits:
                self._write(entry, edit, report)
        except BaseException:
            self._undo(backup, entry, report, only_files=True)
            raise
        return self._finish(backup, entry, report)

    @property
    def is_interrupted(self) -> bool:
        """Whether a killed process left an unfinished change."""
        return self._journal.read() is not None

    def recover(self, report: Report) -> tuple[Backup, bool, Done] | None:
        """Finish or undo an interrupted change; return its backup, whether it was finished, the result."""
        entry = self._journal.read()
        if entry is None:
            return None
        backup = self._backups.read(entry.backup)
        if entry.phase is ChangePhase.WRITTEN:
            return backup, True, self._finish(backup, entry, report)
        only_files = entry.phase is ChangePhase.WRITING
        notes = self._undo(backup, entry, report, only_files=only_files, after_crash=True)
        return backup, False, Done(notes=notes)

    def _write(self, entry: JournalEntry, edit: FileEdit, report: Report) -> None:
        path = edit.found.path

        def begin_in_place() -> None:
            self._journal.write(entry.model_copy(update={"in_place": str(path)}))

        with reported(report, "write", str(path)):
            replace_content(path, before=edit.found.digest, after=edit.after, begin_in_place=begin_in_place)

    def _finish(self, backup: Backup, entry: JournalEntry, report: Report) -> Done:
        entry = entry.model_copy(update={"phase": ChangePhase.WRITTEN, "in_place": ""})
        try:
            self._journal.write(entry)
            self._secret_values.put({one.receives: one.after for one in backup.values}, actor=backup.actor)
            self._run_commands(backup, report)
            result = self._see_to_containers(entry, report)
        except BaseException as error:
            with contextlib.suppress(StoreError):
                self._journal.turn_back()
            undoing = self._written(entry)
            self._undo(backup, undoing, report, only_files=False, why=error)
            if undoing.touched and isinstance(error, ContainerError):
                names = ", ".join(one.name for one in undoing.touched)
                back = Message.of("changes.files_are_back", names=names)
                raise ContainerError(Message.joined([error.explanation, back])) from None
            raise
        self._journal.clear()
        return result

    def _see_to_containers(self, entry: JournalEntry, report: Report) -> Done:
        if self._containers is None:
            return Done()

        def touch(touched: tuple[Touched, ...]) -> None:
            self._journal.write(entry.model_copy(update={"touched": touched}))

        return self._containers.carry_out(self._wanted(entry), report, touch, entry.touched)

    def _wanted(self, entry: JournalEntry) -> Wanted:
        values = self._secret_values.values({target.receives for target in self._settings.targets})
        return wanted_of(self._settings, values, entry.leave_out)

    def _run_commands(self, backup: Backup, report: Report) -> None:
        for target in self._commands(backup):
            if value := self._value_for(target):
                self._run_command(target, value, report)

    def _run_command(self, target: CommandTarget, value: str, report: Report) -> None:
        with reported(report, "command", target.label):
            # Until it has ended well, which value it took is not known.
            self._secret_values.command_done(target.name, None)
            folder = self._settings.folders[target.folder]
            run_command(target, value, folder=folder, environ=self._environ)
            self._secret_values.command_done(target.name, fingerprint(value))

    def _value_for(self, target: CommandTarget) -> str | None:
        return self._secret_values.values({target.receives}).text(target.receives)

    def _commands(self, backup: Backup) -> list[CommandTarget]:
        found = [self._settings.target(name) for name in backup.commands]
        return [one for one in found if isinstance(one, CommandTarget)]

    def _undo(
        self,
        backup: Backup,
        entry: JournalEntry,
        report: Report,
        *,
        only_files: bool,
        after_crash: bool = False,
        why: BaseException | None = None,
    ) -> tuple[Message, ...]:
        """Undo what can be undone; return the files that another program changed and that were left alone.

        Raises SyncError, and leaves the journal for the next start, when something could not be.
        """
        report(StepEvent(step="put_back"))
        notes: list[Message] = []
        problems: list[Message] = []
        current = self._written(entry)
        for one in reversed(backup.files):
            with _noted(problems):
                try:
                    self._put_back(backup, one, current)
                except ChangedMeanwhileError:
                    notes.append(Message.of("changes.changed_by_another", path=one.path))
        if not only_files:
            for value in backup.values:
                with _noted(problems):
                    self._secret_values.put({value.receives: value.before}, actor=backup.actor)
            for target in self._commands(backup):
                with _noted(problems):
                    self._take_back(target, report)
        if self._containers and entry.touched:
            with _noted(problems):
                self._containers.put_back(self._wanted(entry), entry.touched, report, after_crash=after_crash)
        if problems:
            report(StepEvent(step="put_back", state=StepState.FAILED, note=Message.joined(problems)))
            parts = [why.explanation] if isinstance(why, WppconnectError) else []
            parts += [Message.of("changes.not_all_back"), *problems, Message.of("changes.tries_again")]
            raise SyncError(Message.joined([*parts, Message.of("changes.backup_holds", name=backup.id)]))
        self._journal.clear()
        note = Message.joined(notes) if notes else None
        report(StepEvent(step="put_back", state=StepState.DONE, note=note))
        return tuple(notes)

    def _put_back(self, backup: Backup, one: BackedUpFile, entry: JournalEntry) -> None:
        path = self._settings.folders[one.folder] / one.file if one.folder in self._settings.folders else None
        real = path.resolve() if path else None
        if real is None or str(real) != one.path:
            raise SyncError(Message.of("changes.file_not_listed", path=one.path))
        remove_temporary(real)
        present = read_digest(real)
        if present == one.before:
            return
        if present != one.after and entry.in_place != one.path:
            raise ChangedMeanwhileError(Message.of("changes.changed_by_another", path=one.path))
        content = self._backups.content(backup, one)
        replace_content(real, before=present or "", after=content)

    def _written(self, entry: JournalEntry) -> JournalEntry:
        """Return what the journal says; a disk that cannot be read keeps nothing from being put back."""
        try:
            return self._journal.read() or entry
        except WppconnectError:
            return entry

    def _take_back(self, target: CommandTarget, report: Report) -> None:
        """Run a command with the value of before."""
        if value := self._value_for(target):
            self._run_command(target, value, report)
            return
        why = Message.of("changes.command_value_unknown")
        report(StepEvent(step="command", subject=target.label, state=StepState.FAILED, note=why))


@contextlib.contextmanager
def _noted(problems: list[Message]) -> Iterator[None]:
    """Go on after an error, which becomes one of the problems."""
    try:
        yield
    except WppconnectError as error:
        problems.append(error.explanation)


OWN_PREFIXES = ("WPPCONNECT_", "EXPORTER_", "DASHBOARD_")
"""Our own variables hold secrets that are none of the program's business."""
LONGEST_WORDS = 200


def run_command(target: CommandTarget, value: str, *, folder: Path, environ: Mapping[str, str]) -> None:
    """Run the program with the value and wait; raises SyncError unless it ends with 0."""
    surroundings = {name: text for name, text in environ.items() if not name.startswith(OWN_PREFIXES)}
    if target.variable:
        surroundings[target.variable] = value
    try:
        process = subprocess.Popen(  # noqa: S603 - the administrator's own list of words
            target.command,
            cwd=folder,
            env=surroundings,
            stdin=subprocess.PIPE if target.variable is None else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        why = Message.of("changes.command_not_started", label=target.label, reason=reason)
        raise SyncError(why) from None
    given = None if target.variable else value.encode()
    try:
        _, said = process.communicate(given, timeout=target.timeout_seconds)
    except subprocess.TimeoutExpired:
        seconds = f"{target.timeout_seconds:g}"
        why = Message.of("changes.command_timed_out", label=target.label, seconds=seconds)
        raise SyncError(why) from None
    finally:
        # Whatever it started, too.
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stderr:
            process.stderr.close()
    if process.returncode != 0:
        words = redact(said.decode(errors="replace").replace(value, "***").strip()).splitlines()
        last = words[-1][:LONGEST_WORDS] if words else "it said nothing"
        code = process.returncode
        raise SyncError(Message.of("changes.command_ended", label=target.label, code=code, words=last))
