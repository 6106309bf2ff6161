"""What is being done to the files right now, written down before it is done (docs/sync.md, Crashes)."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from core.disk import disk_error, make_private_directory, read_stamped, replace_file, sync_directory
from core.exceptions import SyncError
from core.models import Frozen
from core.sync.container_access import Touched

FILE = "journal.json"
UNDOING_FILE = "journal-undoing.json"
"""Its name once the change is taken back: a full disk takes a new name where it takes no new content."""


class Phase(StrEnum):
    """How far a change is; decides whether the next start finishes or undoes it."""

    WRITING = "writing"
    """Some files may be written: undone."""
    WRITTEN = "written"
    """All files are written; values, commands and containers are on their way: finished."""
    UNDOING = "undoing"
    """Something failed and is being taken back: taken back."""


class Entry(Frozen):
    """The journal's only entry."""

    backup: str
    """Where everything that is needed stands."""
    phase: Phase
    leave_out: tuple[str, ...] = ()
    """Containers that are not to be touched, targets that were left out."""
    in_place: str = ""
    """The file that is being overwritten: whatever it holds after a crash is ours."""
    touched: tuple[Touched, ...] = ()
    """Containers that Compose was or is about to be told to recreate."""


class Journal:
    """The journal in a directory; the caller holds the sync lock."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._undoing_path = directory / UNDOING_FILE

    def read(self) -> Entry | None:
        """Read what a killed process left; None when nothing was under way."""
        found, undoing = read_stamped(self._path), read_stamped(self._undoing_path)
        try:
            if undoing:
                return Entry.model_validate_json(undoing[1]).model_copy(update={"phase": Phase.UNDOING})
            return Entry.model_validate_json(found[1]) if found else None
        except ValueError:
            raise SyncError(
                f"{self._path} cannot be read, so an interrupted change can be neither finished nor undone; "
                "compare the files with the newest backup beside it, then delete it",
                operation="read the journal",
            ) from None

    def write(self, entry: Entry) -> None:
        """Write down what comes next; on return it is on disk."""
        make_private_directory(self._path.parent)
        replace_file(self._path, entry.model_dump_json().encode(), durable=True)

    def turn_back(self) -> None:
        """Say that what was begun is taken back from now on."""
        try:
            self._path.replace(self._undoing_path)
            sync_directory(self._path.parent)
        except OSError as error:
            raise disk_error("rename", self._path, error) from None

    def clear(self) -> None:
        """Say that all is done."""
        try:
            self._path.unlink(missing_ok=True)
            self._undoing_path.unlink(missing_ok=True)
            sync_directory(self._path.parent)
        except OSError as error:
            raise disk_error("delete", self._path, error) from None
