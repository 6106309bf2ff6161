"""A project's folder as a plan would leave it: changed files as copies, everything else as links."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from core.disk import make_private_directory

OLDEST_SECONDS = 600.0
"""What a killed process left is removed after that time."""


class Mirror:
    """A folder below which every path of this machine leads to itself, but for the changed files.

    Relative paths of any depth, `../common.env` included, so lead where they lead from the project's folder.
    """

    def __init__(self, root: Path, changes: Mapping[Path, bytes]) -> None:
        self._root = root
        self._changes = changes
        for file in changes:
            self.add(file.parent)

    def add(self, directory: Path) -> None:
        """Copy a folder and those above it, one by one; needed where an entry is a link to a changed file."""
        for one in (*reversed(directory.parents), directory):
            self._copy(one)

    def path(self, real: Path) -> Path:
        """Return where a file or folder of this machine is found in the mirror."""
        return self._root / real.relative_to("/")

    def _copy(self, directory: Path) -> None:
        there = self.path(directory)
        if there.is_symlink():
            there.unlink()
        there.mkdir(mode=0o700, exist_ok=True)
        with suppress(OSError):
            for entry in directory.iterdir():
                copy = there / entry.name
                if not copy.is_symlink() and not copy.exists():
                    self._put(entry, copy)

    def _put(self, entry: Path, copy: Path) -> None:
        try:
            content = self._changes.get(entry.resolve())
        except (OSError, RuntimeError):
            content = None
        if content is None:
            copy.symlink_to(entry)
            return
        descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


@contextmanager
def mirror_of(scratch: Path, directory: Path, changes: Mapping[Path, bytes]) -> Iterator[Mirror]:
    """Have a mirror of a project's folder until the block ends; raises StoreError and OSError."""
    make_private_directory(scratch)
    _remove_leftovers(scratch)
    root = Path(tempfile.mkdtemp(dir=scratch))
    try:
        mirror = Mirror(root, changes)
        mirror.add(directory)
        yield mirror
    finally:
        # It holds links, which are removed and not followed.
        shutil.rmtree(root, ignore_errors=True)


def _remove_leftovers(scratch: Path) -> None:
    for one in scratch.iterdir():
        with suppress(OSError):
            if time.time() - one.lstat().st_mtime > OLDEST_SECONDS:
                shutil.rmtree(one, ignore_errors=True)
