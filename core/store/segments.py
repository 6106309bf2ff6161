"""Files of JSON lines to which lines are only ever added."""

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
    """Add whole lines with one write and wait until they are on disk; tell whether the file is new.

    The caller holds the lock. What a killed writer or a full disk left of a line is repaired first; when this
    write fails, nothing of it stays.
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
    """Read the lines that hold every one of the texts, the last also when it is torn; empty without a file.

    To look for bytes is some twenty times cheaper than to parse, and most files hold none.
    """
    content = _content(path)
    if not all(needle in content for needle in containing):
        return []
    return [line for line in content.split(b"\n") if line and all(needle in line for needle in containing)]


def read_lines_backwards(path: Path, *, containing: bytes) -> Iterator[bytes]:
    """Give the lines that hold the text, the last one first, without looking at more than is taken."""
    content = _content(path)
    end = len(content)
    while (at := content.rfind(containing, 0, end)) >= 0:
        end = content.rfind(b"\n", 0, at) + 1
        stop = content.find(b"\n", at)
        yield content[end:stop] if stop >= 0 else content[end:]


def read_added(path: Path, offset: int) -> tuple[list[bytes], int]:
    """Read the whole lines from a place in the file on, and tell where the next reading begins.

    What is being written at this moment, or was left unfinished, has no line end yet and is not read.
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
    """End the file with a line end, and return its size."""
    size = os.fstat(descriptor).st_size
    if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n":
        return size
    content = os.pread(descriptor, size, 0)
    tail = content[content.rfind(b"\n") + 1 :]
    # The beginning of a line of ours was never confirmed to anybody and goes. A complete line that lacks only
    # its end stays, and so does what we did not write: nothing of somebody else's is destroyed.
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
