"""Write a backup: one tar stream, with a table of contents at its end."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from cli.backup.errors import BackupError, BackupProblem, file_error
from cli.backup.parts import DATA, Part
from core.exceptions import StoreError
from core.locks import ProcessLock
from core.store import is_in_database
from core.store.schema import SCHEMA_NUMBER
from core.version import version

FORMAT = 1
MANIFEST = "manifest.json"
LOCK_SECONDS = 10.0


def save(out: IO[bytes], parts: list[Part]) -> int:
    """Write all parts to the stream and return the number of files. Raise BackupError."""
    for part in parts:
        if part.name == DATA and is_in_database(part.folder):
            raise BackupError(BackupProblem.IN_DATABASE, folder=part.folder)
    digests: dict[str, str] = {}
    with (
        gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        for part in parts:
            for inner, path, content, size in _contents(part):
                name = f"{part.name}/{inner}"
                digests[name] = _add(tar, name, path, content, size)
        manifest = {
            "format": FORMAT,
            "product": version(),
            "store_schema": SCHEMA_NUMBER,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "parts": [part.name for part in parts],
            "owners": {part.name: [part.folder.stat().st_uid, part.folder.stat().st_gid] for part in parts},
            "files": digests,
        }
        # Last, so that a truncated stream has none and is refused.
        text = json.dumps(manifest, indent=1).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size, entry.mode, entry.mtime = len(text), 0o600, int(time.time())
        tar.addfile(entry, io.BytesIO(text))
    return len(digests)


def _contents(part: Part) -> Iterator[tuple[str, Path, bytes | None, int]]:
    """Yield each file: small ones that change together with their content, others with the size to copy."""
    if part.name != DATA:
        for inner, path in part.files():
            yield inner, path, None, path.stat().st_size
        return
    try:
        with _store_at_rest(part.folder):
            # Files of the store are small and are read at once, so that writers wait for milliseconds only.
            # The history only grows: its files up to their present size are its present state.
            taken = [
                (inner, path, path.read_bytes() if path.suffix == ".json" else None, path.stat().st_size)
                for inner, path in part.files()
            ]
    except OSError as error:
        raise file_error(error, error.filename) from None
    yield from taken


@contextmanager
def _store_at_rest(data: Path) -> Iterator[None]:
    """Hold every lock of the store and the history, always taken in the same order."""
    locks = [path.with_name(f"{path.name}.lock") for path in sorted((data / "store").glob("*.json"))]
    if (data / "history").is_dir():
        locks.append(data / "history" / "history.lock")
    with ExitStack() as held:
        for path in locks:
            lock = ProcessLock(path)
            try:
                lock.acquire(LOCK_SECONDS)
            except StoreError as error:
                raise BackupError(BackupProblem.STORE_BUSY, reason=error.message) from None
            held.callback(lock.release)
        yield


def _add(tar: tarfile.TarFile, name: str, path: Path, content: bytes | None, size: int) -> str:
    try:
        status = path.stat()
        source: IO[bytes] = path.open("rb") if content is None else io.BytesIO(content)
    except OSError as error:
        raise file_error(error, path) from None
    entry = tarfile.TarInfo(name)
    entry.size = size if content is None else len(content)
    entry.mode, entry.mtime = status.st_mode & 0o777, int(status.st_mtime)
    entry.uid, entry.gid = status.st_uid, status.st_gid
    with source:
        hashed = _Hashed(source, entry.size, path)
        tar.addfile(entry, hashed)
    return hashed.digest.hexdigest()


class _Hashed:
    """Read exactly `size` bytes of a file, and hash them."""

    def __init__(self, source: IO[bytes], size: int, path: Path) -> None:
        self._source = source
        self._left = size
        self._path = path
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes. Raise BackupError if the file became shorter."""
        wanted = self._left if size < 0 else min(size, self._left)
        content = self._source.read(wanted)
        if len(content) < wanted:
            raise BackupError(BackupProblem.BECAME_SHORTER, path=self._path)
        self._left -= len(content)
        self.digest.update(content)
        return content


def private_file(path: Path) -> IO[bytes]:
    """Open a new file that only its owner can read. Replaces a leftover of a killed backup."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
