"""Append-only files of JSON lines."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from core.disk import disk_error, open_private, read_stamped, sync_directory, write_all

_log = logging.getLogger(__name__)


def append_lines(path: Path, content: bytes) -> bool:
    """Append complete lines in one write, wait until they are on disk, and return whether the file is new.

    The caller holds the lock. An incomplete line left by a killed writer or a full disk is repaired first; a
    failed write is undone.
    """
    try:
        with open_private(path, os.O_RDWR | os.O_APPEND) as descriptor:
            size = _repair_tail(path, descriptor)
            try:
                write_all(descriptor, content)
                os.fsync(descriptor)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, size)
                raise
        if size == 0:
            sync_directory(path.parent)
    except OSError as error:
        raise disk_error("add to", path, error) from None
    return size == 0


def read_lines(path: Path, *, containing: Collection[bytes]) -> list[bytes]:
    """Return the lines that contain all texts, an incomplete last line included; empty without a file.

    Searching for bytes is about twenty times cheaper than parsing, and most files contain none of them.
    """
    content = _content(path)
    if not all(needle in content for needle in containing):
        return []
    return [line for line in content.split(b"\n") if line and all(needle in line for needle in containing)]


def read_lines_backwards(path: Path, *, containing: bytes) -> Iterator[bytes]:
    """Yield the lines that contain the text, the last one first, searching only as far as needed."""
    content = _content(path)
    end = len(content)
    while (at := content.rfind(containing, 0, end)) >= 0:
        end = content.rfind(b"\n", 0, at) + 1
        stop = content.find(b"\n", at)
        yield content[end:stop] if stop >= 0 else content[end:]


def read_added(path: Path, offset: int) -> tuple[list[bytes], int]:
    """Return the complete lines from an offset on, and the offset for the next call.

    A line without a line end, still being written or left unfinished, is not returned.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            added = file.read()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise disk_error("read", path, error) from None
    whole = added.rfind(b"\n") + 1
    return added[:whole].split(b"\n")[:-1], offset + whole


def _content(path: Path) -> bytes:
    found = read_stamped(path)
    return found[1] if found else b""


def _repair_tail(path: Path, descriptor: int) -> int:
    """Make the file end with a line end, and return its size."""
    size = os.fstat(descriptor).st_size
    if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n":
        return size
    content = os.pread(descriptor, size, 0)
    tail = content[content.rfind(b"\n") + 1 :]
    # Remove an incomplete line of ours, whose write was never confirmed. Keep a complete line that lacks only
    # its line end, and text that we did not write.
    if tail.startswith(b"{") and not _is_complete(tail):
        size -= len(tail)
        os.ftruncate(descriptor, size)
    else:
        write_all(descriptor, b"\n")
        size += 1
    os.fsync(descriptor)
    _log.warning("history_tail_repaired file=%s unfinished_bytes=%d", path, len(tail))
    return size


def _is_complete(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
