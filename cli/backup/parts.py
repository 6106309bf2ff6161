"""The parts of a backup: the data folder, and further folders by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.backup.errors import BackupError, BackupProblem

DATA = "data"
NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
LEFT_OUT = re.compile(
    # Locks, temporary files, data that the gateway returns again, one-time links, our own leftovers.
    r"(?:.*/)?(?:locks|snapshots|first-sign-in-link|page-address|[^/]+\.lock|[^/]+\.tmp|\.restore-[^/]*|\.before-restore"
    # Chromium's profile locks, and its caches.
    r"|Singleton[^/]*|Cache|Code Cache|GPUCache|GrShaderCache|ShaderCache|Crashpad)(?:/.*)?"
)


@dataclass(frozen=True)
class Part:
    """A folder and its name in a backup."""

    name: str
    folder: Path

    @property
    def is_ours(self) -> bool:
        """Whether restored files get the owner of the folder, instead of their owner when they were saved."""
        return self.name in (DATA, "installation")

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield the files to save with their path inside the part. Links are left out."""
        for path in sorted(self.folder.rglob("*")):
            inner = path.relative_to(self.folder).as_posix()
            if path.is_file() and not path.is_symlink() and not LEFT_OUT.fullmatch(inner):
                yield inner, path


def read_parts(data: Path, also: list[str]) -> list[Part]:
    """Return the parts of `--also NAME=FOLDER`. Raise BackupError for an invalid one."""
    parts = [Part(DATA, data)]
    for text in also:
        name, equals, folder = text.partition("=")
        if not equals or not NAME.fullmatch(name) or not folder:
            raise BackupError(BackupProblem.BAD_ALSO, text=text)
        if any(part.name == name for part in parts):
            raise BackupError(BackupProblem.ALSO_TWICE, name=name)
        parts.append(Part(name, Path(folder)))
    return parts
