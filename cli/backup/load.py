"""Restore a backup: unpack it beside the present state, check it, and replace the state with it."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from cli.backup.errors import BackupError, BackupProblem, file_error
from cli.backup.parts import DATA, Part
from cli.backup.save import FORMAT, MANIFEST
from cli.backup.streams import Readable
from core.disk import SET_ASIDE_BY_RESTORE
from core.locks import ProcessLock
from core.store.schema import SCHEMA_NUMBER

STAGING = ".restore-unpacked"
BEFORE = SET_ASIDE_BY_RESTORE
DONE = ".restore-done"
RESTORING = "restore.lock"
WHOLE = "whole"
"""A file in BEFORE once everything is set aside: the files beside BEFORE are the backup's from then on."""
COPY_BYTES = 1 << 20
MOST_MANIFEST_BYTES = 64 << 20
"""Half a million files. A small archive may unpack to more than the memory."""
LARGEST_ACCOUNT = (1 << 32) - 2


def load(source: Readable, parts: list[Part], *, overwrite: bool) -> dict[str, Any]:
    """Restore all of the parts or none, and return the table of contents. Raise BackupError."""
    with alone(next(part.folder for part in parts if part.name == DATA)):
        for part in parts:
            _undo(part.folder)
            if not overwrite and _present(part.folder):
                raise BackupError(BackupProblem.NOT_EMPTY, folder=part.folder)
        try:
            for part in parts:
                part.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                (part.folder / STAGING).mkdir(mode=0o700)
            manifest = _unpack(source, {part.name: part for part in parts})
            missing = sorted(set(manifest["parts"]) - {part.name for part in parts})
            if missing:
                raise BackupError(BackupProblem.UNPLACED_PARTS, parts=", ".join(missing))
            _exchange(parts, manifest["owners"])
        except OSError as error:
            path = error.filename or parts[0].folder
            raise file_error(error, path, BackupProblem.NOT_WRITABLE) from None
        finally:
            for part in parts:
                shutil.rmtree(part.folder / STAGING, ignore_errors=True)
    return manifest


def inspect(source: Readable) -> dict[str, Any]:
    """Read all of a backup and return the table of contents. Changes nothing. Raise BackupError."""
    return _unpack(source, {})


@contextlib.contextmanager
def alone(data: Path) -> Iterator[None]:
    """Hold the locks of probers, session operations and restores. Raise BackupError if one is held.

    Taken before the folders are read, because files that a running restore has set aside look like those of a
    killed one. Held to the end, so that a program that starts meanwhile waits for its lock.
    """
    with contextlib.ExitStack() as held:
        for path in sorted({data / "locks" / RESTORING, *(data / "locks").rglob("*.lock")}):
            lock = ProcessLock(path)
            if not lock.try_acquire():
                raise BackupError(BackupProblem.IN_USE, folder=data, lock=path.name)
            held.callback(lock.release)
        if os.geteuid() == 0:
            # After a restore by root, exporter and page must be able to create locks in this folder.
            owner = data.stat()
            for path in (data / "locks", data / "locks" / RESTORING):
                os.chown(path, owner.st_uid, owner.st_gid)
        yield


def _unpack(source: Readable, parts: dict[str, Part]) -> dict[str, Any]:
    """Unpack the files of the given parts into their staging folders, and check every file."""
    digests: dict[str, str] = {}
    manifest: dict[str, Any] = {}
    oddity: BackupError | None = None
    try:
        with gzip.GzipFile(fileobj=source) as plain:  # type: ignore[call-overload]
            with tarfile.open(fileobj=plain, mode="r|") as tar:
                for entry in tar:
                    content = tar.extractfile(entry)
                    if content is None:
                        # Raised after the table of contents is read: a newer release may have written it.
                        oddity = oddity or BackupError(
                            BackupProblem.NOT_OURS, what="it holds something else than files"
                        )
                    elif entry.name == MANIFEST:
                        manifest = _checked(_read_manifest(content))
                    elif oddity is None:
                        digests[entry.name] = _write(entry, content, parts)
            while plain.read(COPY_BYTES):
                pass  # up to the checksum at the end
    except EOFError:
        raise BackupError(BackupProblem.CUT_OFF) from None
    except (tarfile.TarError, zlib.error, ValueError, RecursionError, OverflowError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise oddity or BackupError(BackupProblem.DAMAGED) from None
    if oddity:
        raise oddity
    if not manifest or digests != manifest["files"]:
        raise BackupError(BackupProblem.DAMAGED)
    return manifest


def _read_manifest(content: IO[bytes]) -> Any:
    text = content.read(MOST_MANIFEST_BYTES + 1)
    if len(text) > MOST_MANIFEST_BYTES:
        raise ValueError("it is too long")
    return json.loads(text)


def _checked(manifest: Any) -> dict[str, Any]:
    match manifest:
        case {"format": int(number), **rest} if (
            number > FORMAT or _number(rest.get("store_schema")) > SCHEMA_NUMBER
        ):
            # First, because the other fields of a newer table of contents are unknown here.
            raise BackupError(BackupProblem.NEWER_RELEASE, product=rest.get("product", "version unknown"))
        case {
            "created": str(),
            "format": int(),
            "store_schema": int(),
            "parts": list(),
            "owners": dict(),
            "files": dict(),
        }:
            are_names = all(isinstance(part, str) for part in manifest["parts"])
            if are_names and all(map(_is_owner, manifest["owners"].values())):
                return dict(manifest)
    raise BackupError(BackupProblem.NOT_OURS, what="its table of contents is another")


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _is_owner(owner: Any) -> bool:
    match owner:
        case [int(user), int(group)]:
            return 0 <= user <= LARGEST_ACCOUNT and 0 <= group <= LARGEST_ACCOUNT
    return False


def _write(entry: tarfile.TarInfo, content: IO[bytes], parts: dict[str, Part]) -> str:
    pure = PurePosixPath(entry.name)
    if pure.is_absolute() or ".." in pure.parts or len(pure.parts) < 2:
        raise BackupError(BackupProblem.NOT_OURS, what="it holds a path that leads elsewhere")
    part = parts.get(pure.parts[0])
    digest = hashlib.sha256()
    if part is None:
        while chunk := content.read(COPY_BYTES):
            digest.update(chunk)
        return digest.hexdigest()
    target = part.folder / STAGING / Path(*pure.parts[1:])
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while chunk := content.read(COPY_BYTES):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    target.chmod(entry.mode & 0o777)
    if os.geteuid() == 0:
        here = part.folder.stat()
        owner = (here.st_uid, here.st_gid) if part.is_ours else (entry.uid, entry.gid)
        for path in (target, *target.parents):
            if path == part.folder / STAGING:
                break
            os.chown(path, *owner)
    return digest.hexdigest()


def _exchange(parts: list[Part], owners: dict[str, list[int]]) -> None:
    """Move the unpacked files in place. If one move fails, every folder gets its old files back."""
    try:
        for part in parts:
            if part.name in owners:
                _set_aside(part.folder)
        for part in parts:
            if part.name in owners:
                for path in sorted((part.folder / STAGING).iterdir()):
                    path.rename(part.folder / path.name)
    except OSError:
        for part in parts:
            _undo(part.folder)
        raise
    for part in parts:
        if part.name in owners:
            if os.geteuid() == 0 and not part.is_ours:
                os.chown(part.folder, *owners[part.name])
            # Renamed in one step, so that a partly removed folder is not taken for the old state.
            (part.folder / BEFORE).rename(part.folder / DONE)
            shutil.rmtree(part.folder / DONE, ignore_errors=True)


def _present(folder: Path) -> list[Path]:
    """Return the files and folders that a restore would replace."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        ours = {STAGING, BEFORE, DONE, "locks", "snapshots"}
        return sorted(path for path in folder.iterdir() if path.name not in ours)
    return []


def _set_aside(folder: Path) -> None:
    (folder / BEFORE).mkdir(mode=0o700)
    for path in _present(folder):
        path.rename(folder / BEFORE / path.name)
    (folder / BEFORE / WHOLE).touch()


def _undo(folder: Path) -> None:
    """Move back the files that a failed or killed restore had set aside."""
    for leftover in (STAGING, DONE):
        shutil.rmtree(folder / leftover, ignore_errors=True)
    before = folder / BEFORE
    if not before.is_dir():
        return
    if (before / WHOLE).exists():
        for path in _present(folder):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        (before / WHOLE).unlink()
    for path in sorted(before.iterdir()):
        path.rename(folder / path.name)
    before.rmdir()
