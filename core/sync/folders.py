"""Read files below the configured folders, and nothing else, whatever links lie there."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.messages import Message
from core.sync.value_span import FileProblemError, NotParseableError

LARGEST_FILE = 512_000
"""Bytes; an env file or a compose file is far smaller, and a wrong path must not fill the memory."""


class FileMissingError(FileProblemError):
    """There is no such file."""


class FileUnreadableError(FileProblemError):
    """The file cannot be read, or must not be."""


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


def to_bytes(text: str) -> bytes:
    """Encode a text of `FoundFile.text` again."""
    return text.encode("utf-8")


class Folders:
    """The configured folders by name."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = dict(folders)

    def path(self, folder: str) -> Path:
        """Return the folder's own path."""
        return self._folders[folder]

    def read(self, folder: str, file: str) -> FoundFile:
        """Read a file of a folder; raises FileMissingError and FileUnreadableError."""
        path = self.resolve(folder, file)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _unreadable(path, error) from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileUnreadableError(Message.of("files.not_regular", path=str(path)))
            content = os.pread(descriptor, LARGEST_FILE + 1, 0)
        except OSError as error:
            raise _unreadable(path, error) from None
        finally:
            os.close(descriptor)
        if len(content) > LARGEST_FILE:
            raise FileUnreadableError(Message.of("files.too_large", path=str(path), count=LARGEST_FILE))
        return FoundFile(path, content)

    def resolve(self, folder: str, file: str) -> Path:
        """Follow links to the file itself; refuse what leads out of the folder."""
        root = self._folders[folder]
        try:
            inside = root.resolve(strict=True)
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            raise FileMissingError(
                Message.of("files.folder_missing", path=str(root), reason=reason)
            ) from None
        try:
            path = (inside / file).resolve(strict=True)
        except FileNotFoundError:
            raise FileMissingError(Message.of("files.file_missing", path=str(root / file))) from None
        except (OSError, RuntimeError) as error:
            raise _unreadable(root / file, error) from None
        if not path.is_relative_to(inside):
            raise FileUnreadableError(Message.of("files.link_outside", path=str(root / file)))
        return path


def why_unwritable(path: Path) -> Message | None:
    """Say why a file cannot be replaced, as far as that can be told without trying."""
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


def _unreadable(path: Path, error: Exception) -> FileUnreadableError:
    code = getattr(error, "errno", None)
    reason = os.strerror(code).lower() if code else "a loop of links"
    return FileUnreadableError(Message.of("files.unreadable", path=str(path), reason=reason))
