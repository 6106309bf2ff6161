"""Files below the configured folders: read with links resolved, and replaced in one step.

A replaced file keeps mode, owner, attributes and links, and is never left half-written.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.disk import sync_directory, write_all
from core.exceptions import SyncError
from core.messages import Message
from core.sync.targets import State
from core.sync.value_span import FileProblemError, NotParseableError

LARGEST_FILE = 512_000
"""Bytes; an env file or a compose file is far smaller, and a wrong path must not fill the memory."""


@dataclass(frozen=True)
class FoundFile:
    """One version of a file."""

    path: Path
    """The file itself, links resolved."""
    content: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Identify the version."""
        return digest(self.content)

    @property
    def text(self) -> str:
        """Decode it; raises NotParseableError where it is no UTF-8, which its readers refuse."""
        try:
            text = self.content.decode("utf-8")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise NotParseableError(Message.of("files.not_utf8"))
        return text


def digest(content: bytes) -> str:
    """Identify a content."""
    return hashlib.sha256(content).hexdigest()


class Folders:
    """The configured folders by name."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = dict(folders)

    def read(self, folder: str, file: str) -> FoundFile:
        """Read a file of a folder; raises FileProblemError."""
        path = self.resolve(folder, file)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _unreadable(path, error) from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileProblemError(Message.of("files.not_regular", path=str(path)))
            content = os.pread(descriptor, LARGEST_FILE + 1, 0)
        except OSError as error:
            raise _unreadable(path, error) from None
        finally:
            os.close(descriptor)
        if len(content) > LARGEST_FILE:
            raise FileProblemError(Message.of("files.too_large", path=str(path), count=LARGEST_FILE))
        return FoundFile(path, content)

    def resolve(self, folder: str, file: str) -> Path:
        """Follow links to the file itself; refuse what leads out of the folder."""
        root = self._folders[folder]
        try:
            inside = root.resolve(strict=True)
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            why = Message.of("files.folder_missing", path=str(root), reason=reason)
            raise FileProblemError(why, State.FILE_MISSING) from None
        try:
            path = (inside / file).resolve(strict=True)
        except FileNotFoundError:
            why = Message.of("files.file_missing", path=str(root / file))
            raise FileProblemError(why, State.FILE_MISSING) from None
        except (OSError, RuntimeError) as error:
            raise _unreadable(root / file, error) from None
        if not path.is_relative_to(inside):
            raise FileProblemError(Message.of("files.link_outside", path=str(root / file)))
        return path


def why_unwritable(path: Path) -> Message | None:
    """Return why a file cannot be replaced, as far as can be determined without trying."""
    if os.access(path, os.W_OK):
        return None
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
    except OSError as error:
        if error.errno == errno.EROFS:
            return Message.of("files.read_only_mount", path=str(path))
        reason = os.strerror(error.errno or 0).lower()
        return Message.of("files.unwritable", path=str(path), reason=reason)
    return None


def _unreadable(path: Path, error: Exception) -> FileProblemError:
    code = getattr(error, "errno", None)
    reason = os.strerror(code).lower() if code else "a loop of links"
    return FileProblemError(Message.of("files.unreadable", path=str(path), reason=reason))


_IN_PLACE_INSTEAD = {errno.EBUSY, errno.EACCES, errno.EPERM, errno.EROFS, errno.EXDEV}
"""A file that is mounted by itself cannot be renamed over, and its folder may be closed to us."""
_REMEDIES = {
    errno.ENOSPC: "free space on that disk",
    errno.EDQUOT: "raise the disk quota or free space",
    errno.EROFS: "mount its folder writable",
    errno.EACCES: "let the account of this program write it",
    errno.EPERM: "let the account of this program write it",
}


class ChangedMeanwhileError(SyncError):
    """Another program changed the file since it was read; nothing was written to it."""


class _NotByRenamingError(Exception):
    """The file has to be written in place."""


def temporary_of(path: Path) -> Path:
    """Name the file that stands beside another one while it is replaced."""
    return path.with_name(f".{path.name}.wppconnect-ops.tmp")


def replace_content(
    path: Path, *, before: str, after: bytes, begin_in_place: Callable[[], None] = lambda: None
) -> None:
    """Bring the file from the content with that digest to the new content; on return it is on disk.

    By renaming, or in place where that is forbidden or would change more than the content; then
    `begin_in_place` is called first, so that a crash in the middle can be told from a foreign change. Raises
    ChangedMeanwhileError, and SyncError with the old content still there.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _failure(path, error) from None
    try:
        _require_unchanged(path, descriptor, before)
        try:
            _by_renaming(path, descriptor, before, after)
        except _NotByRenamingError:
            begin_in_place()
            _in_place(path, before, after)
    except OSError as error:
        raise _failure(path, error) from None
    finally:
        os.close(descriptor)


def stamp(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file does, links followed; None if there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode, status.st_uid


def remove_temporary(path: Path) -> None:
    """Remove what a killed process left beside a file; raises SyncError."""
    try:
        temporary_of(path).unlink(missing_ok=True)
    except OSError as error:
        raise _failure(temporary_of(path), error) from None


def read_digest(path: Path) -> str | None:
    """Identify what the file holds now; None when there is none."""
    try:
        return digest(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failure(path, error) from None


def _by_renaming(path: Path, original: int, before: str, after: bytes) -> None:
    status = os.fstat(original)
    if status.st_nlink > 1:
        raise _NotByRenamingError
    temporary = temporary_of(path)
    try:
        temporary.unlink(missing_ok=True)  # what a killed process left
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o600)
    except OSError as error:
        raise _unless_in_place(error) from None
    try:
        try:
            write_all(descriptor, after)
            _copy_attributes(original, status, descriptor)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _require_unchanged(path, original, before)
        try:
            temporary.replace(path)
        except OSError as error:
            raise _unless_in_place(error) from None
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def _copy_attributes(original: int, status: os.stat_result, descriptor: int) -> None:
    try:
        made = os.fstat(descriptor)
        if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
            os.fchown(descriptor, status.st_uid, status.st_gid)
        # After the owner, whose change clears bits. The mode before the attributes: one is the access list.
        os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
        for name in os.listxattr(original):
            os.setxattr(descriptor, name, os.getxattr(original, name))
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise _NotByRenamingError from None


def _in_place(path: Path, before: str, after: bytes) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _require_unchanged(path, descriptor, before)
        old = os.pread(descriptor, LARGEST_FILE, 0)
        try:
            if len(after) > len(old):
                # A disk too full for the longer content says so before anything is overwritten.
                os.posix_fallocate(descriptor, 0, len(after))
            _overwrite(descriptor, after)
        except BaseException:
            with contextlib.suppress(OSError):
                _overwrite(descriptor, old)
            raise
    finally:
        os.close(descriptor)


def _overwrite(descriptor: int, content: bytes) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    write_all(descriptor, content)
    os.ftruncate(descriptor, len(content))
    os.fsync(descriptor)


def _require_unchanged(path: Path, descriptor: int, before: str) -> None:
    held, named = os.fstat(descriptor), path.lstat()
    is_same = (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino)
    if not is_same or digest(os.pread(descriptor, LARGEST_FILE + 1, 0)) != before:
        raise ChangedMeanwhileError(Message.of("changes.changed_meanwhile", path=str(path)))


def _unless_in_place(error: OSError) -> Exception:
    return _NotByRenamingError() if error.errno in _IN_PLACE_INSTEAD else error


def _failure(path: Path, error: OSError) -> SyncError:
    code = error.errno or 0
    reason = os.strerror(code).lower() if code else type(error).__name__
    remedy = _REMEDIES.get(code, "check that disk")
    return SyncError(Message.of("changes.cannot_write", path=str(path), reason=reason, remedy=remedy))
