"""What is kept: the data folder, and further folders by name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.backup.errors import BackupError, BackupProblem

DATA = "data"
NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
LEFT_OUT = re.compile(
    # Locks, half-written files, what the gateway tells anyway, a link that is made anew, leftovers of ours.
    r"(?:.*/)?(?:locks|snapshots|first-sign-in-link|page-address|[^/]+\.lock|[^/]+\.tmp|\.restore-[^/]*|\.before-restore"
    # Chromium's: who held the profile on which host, and what it can fetch again.
    r"|Singleton[^/]*|Cache|Code Cache|GPUCache|GrShaderCache|ShaderCache|Crashpad)(?:/.*)?"
)


@dataclass(frozen=True)
class Part:
    """A folder by the name that it has in a backup."""

    name: str
    folder: Path

    @property
    def is_ours(self) -> bool:
        """Tell whether it belongs to the owner of its folder, rather than to its owner when it was saved."""
        return self.name in (DATA, "installation")

    def files(self) -> Iterator[tuple[str, Path]]:
        """List the files worth keeping by their path inside the part; links are left out."""
        for path in sorted(self.folder.rglob("*")):
            inner = path.relative_to(self.folder).as_posix()
            if path.is_file() and not path.is_symlink() and not LEFT_OUT.fullmatch(inner):
                yield inner, path


def read_parts(data: Path, also: list[str]) -> list[Part]:
    """Read `--also NAME=FOLDER`; raises BackupError when one cannot be used."""
    parts = [Part(DATA, data)]
    for text in also:
        name, equals, folder = text.partition("=")
        if not equals or not NAME.fullmatch(name) or not folder:
            raise BackupError(BackupProblem.BAD_ALSO, text=text)
        if any(part.name == name for part in parts):
            raise BackupError(BackupProblem.ALSO_TWICE, name=name)
        parts.append(Part(name, Path(folder)))
    return parts
