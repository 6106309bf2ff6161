"""Write private files so that a crash, a full disk or an unusual umask cannot damage existing content."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from core.exceptions import StoreError

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
SET_ASIDE_BY_RESTORE = ".before-restore"
"""Folder in the data folder that holds the replaced files until a restore has finished."""

_ANOTHER_FOLDER = "or set WPPCONNECT_DATA_DIR to another folder"
_REMEDIES = {
    errno.ENOSPC: "free space on that disk",
    errno.EDQUOT: "raise the account's disk quota or free space",
    errno.EFBIG: "raise the file size limit of this program (ulimit -f)",
    errno.EACCES: f"let the account that runs this program read and write it, {_ANOTHER_FOLDER}",
    errno.EPERM: f"let the account that runs this program read and write it, {_ANOTHER_FOLDER}",
    errno.EROFS: f"mount the file system writable, {_ANOTHER_FOLDER}",
    errno.ENOTDIR: f"a file stands where a folder is needed: move it away, {_ANOTHER_FOLDER}",
    errno.EEXIST: f"a file stands where a folder is needed: move it away, {_ANOTHER_FOLDER}",
    errno.EISDIR: f"a folder stands where a file is needed: move it away, {_ANOTHER_FOLDER}",
    errno.ENAMETOOLONG: "use a shorter name or a shorter WPPCONNECT_DATA_DIR",
    errno.ENOLCK: f"that file system cannot lock files: use a local disk, {_ANOTHER_FOLDER}",
}


class Stamp(NamedTuple):
    """Identifies the version of a replaced file without reading it."""

    modified_ns: int
    size: int
    inode: int


def disk_error(doing: str, path: Path, error: OSError) -> StoreError:
    """Return an error that names the file, the cause and the remedy."""
    code = error.errno or 0
    reason = os.strerror(code).lower() if code else type(error).__name__
    remedy = _REMEDIES.get(code, f"check that disk, {_ANOTHER_FOLDER}")
    return StoreError(f"cannot {doing} {path}: {reason}; {remedy}", operation=f"{doing} a stored file")


def make_private_directory(directory: Path) -> None:
    """Create the folder and its missing parents, private to this account; leave existing ones unchanged."""
    try:
        if directory.is_dir():
            return
        if not directory.parent.exists():
            make_private_directory(directory.parent)
        directory.mkdir(mode=PRIVATE_DIRECTORY)
        directory.chmod(
            PRIVATE_DIRECTORY
        )  # an unusual umask may have removed the owner's bits; never adds others'
    except OSError as error:
        if not (isinstance(error, FileExistsError) and directory.is_dir()):
            raise disk_error("create the folder", directory, error) from None


def read_stamp(path: Path) -> Stamp | None:
    """Return the file's stamp without opening it; None if there is no file."""
    try:
        return _stamp(path.stat())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk_error("read", path, error) from None


def read_stamped(path: Path) -> tuple[Stamp, bytes] | None:
    """Return stamp and content of one complete version, even during a replacement; None without a file."""
    try:
        with path.open("rb") as file:
            return _stamp(os.fstat(file.fileno())), file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk_error("read", path, error) from None


def replace_file(path: Path, content: bytes, *, durable: bool) -> None:
    """Replace the file's content atomically; on an error the old content stays.

    The caller must hold a lock on the file: the temporary file's name is fixed, so that the next writer
    removes what a killed one has left. `durable`: on return the content survives a power loss.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        with open_private(temporary, os.O_WRONLY | os.O_EXCL) as descriptor:
            write_all(descriptor, content)
            _date_after(path, descriptor)
            if durable:
                os.fsync(descriptor)
        temporary.replace(path)
        if durable:
            sync_directory(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise disk_error("write", path, error) from None


@contextlib.contextmanager
def open_private(path: Path, flags: int) -> Generator[int]:
    """Open or create a file that only this account can read, with any umask. Raises OSError."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        if os.fstat(descriptor).st_size == 0:
            os.fchmod(descriptor, PRIVATE_FILE)  # an unusual umask may have removed the owner's bits
        yield descriptor
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write every byte: a nearly full disk accepts a part and fails for the rest. Raises OSError."""
    remaining = memoryview(content)
    while remaining:
        remaining = remaining[os.write(descriptor, remaining) :]


def sync_directory(directory: Path) -> None:
    """Sync created, renamed and removed names, so that they survive a power loss. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_mtime_ns, status.st_size, status.st_ino)


def _date_after(path: Path, descriptor: int) -> None:
    """Set a modification time later than that of the replaced version.

    The kernel's file clock ticks every few milliseconds and inodes are reused: of three quick versions of the
    same size the last can have the stamp of the first, and a reader would keep the first for ever.
    """
    try:
        replaced_ns = path.stat().st_mtime_ns
    except FileNotFoundError:
        return
    modified_ns = max(time.time_ns(), replaced_ns + 1)
    os.utime(descriptor, ns=(modified_ns, modified_ns))
