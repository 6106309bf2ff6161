"""Streams between writing, encrypting and reading a backup, and the seal at its end.

The seal is a checksum of everything before it, which distinguishes a truncated backup from a damaged one. It
has the form of an empty gzip member with a comment, so that `tar -xzf` still reads a backup that is not
encrypted. It detects accidents; age detects changes to an encrypted backup.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import IO, Protocol

_COMMENT = b"wppconnect-ops-end "
_HEAD = b"\x1f\x8b\x08\x10\x00\x00\x00\x00\x00\xff" + _COMMENT
"""gzip, deflate, with a comment, no time, no operating system."""
_TAIL = b"\x00" + gzip.compress(b"")[10:]
SEAL_BYTES = len(_HEAD) + hashlib.sha256().digest_size * 2 + len(_TAIL)
_BLOCK = 1 << 20


class Readable(Protocol):
    """A stream that can be read from start to end."""

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes."""


class Writable(Protocol):
    """A stream that can be written to."""

    def write(self, content: bytes, /) -> int:
        """Write all of the content."""

    def flush(self) -> None:
        """Flush buffered bytes."""


class Seal(Enum):
    """The result of comparing the seal."""

    MISSING = "missing"
    BROKEN = "broken"
    WHOLE = "whole"


class SealingWriter:
    """Write everything to `out`, and the seal at the end."""

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._digest = hashlib.sha256()

    def write(self, content: bytes) -> int:
        """Write all of the content."""
        content = bytes(content)
        self._digest.update(content)
        self._out.write(content)
        return len(content)

    def flush(self) -> None:
        """Flush the underlying stream."""
        self._out.flush()

    def finish(self) -> None:
        """Write the seal."""
        self._out.write(_seal(self._digest.hexdigest()))


class SealedReader:
    """Read the content before the seal; a file without a seal is read to its end."""

    def __init__(self, start: bytes, rest: Readable) -> None:
        self._rest = rest
        self._held = start
        self._at_end = False
        self._digest = hashlib.sha256()
        self.seal = Seal.MISSING

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes of the content before the seal."""
        if size < 0:
            return b"".join(iter(lambda: self.read(_BLOCK), b""))
        while not self._at_end and len(self._held) < size + SEAL_BYTES:
            chunk = self._rest.read(max(size, _BLOCK))
            self._held += chunk
            if not chunk:
                self._at_end = True
                self._recognize_seal()
        content, self._held = self._held[:size], self._held[size:]
        self._digest.update(content)
        return content

    def read_line(self, limit: int) -> bytes:
        """Return the first line without its line break, at most `limit` bytes."""
        line = b""
        while not line.endswith(b"\n") and len(line) < limit and (byte := self.read(1)):
            line += byte
        return line.rstrip(b"\n")

    def read_to_end(self) -> Seal:
        """Read the rest, and return the result of comparing the seal."""
        while self.read(_BLOCK):
            pass
        return self.seal

    def _recognize_seal(self) -> None:
        end = self._held[-SEAL_BYTES:]
        if not (end.startswith(_HEAD) and end.endswith(_TAIL)):
            # The comment, followed by more bytes than in a truncated seal: something was appended.
            begin = self._held.rfind(_COMMENT)
            if begin >= 0 and len(self._held) - begin >= SEAL_BYTES - len(_HEAD) + len(_COMMENT):
                self.seal = Seal.BROKEN
            return
        self._held = self._held[:-SEAL_BYTES]
        whole = self._digest.copy()
        whole.update(self._held)
        self.seal = Seal.WHOLE if end == _seal(whole.hexdigest()) else Seal.BROKEN


def _seal(digest: str) -> bytes:
    return _HEAD + digest.encode() + _TAIL


Fill = Callable[[IO[bytes]], None]


class Output:
    """The stream that pyrage writes to. Keeps write errors, such as a full disk, which pyrage replaces."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._error: OSError | None = None

    def write(self, content: bytes) -> int:
        """Write all of the content."""
        try:
            return self._out.write(content)
        except OSError as error:
            self._error = error
            raise

    def flush(self) -> None:
        """Flush the underlying stream."""
        self._out.flush()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise the error of a write instead of the one that followed from it."""
        try:
            yield
        except Exception:
            if self._error:
                raise self._error from None
            raise


class _Filled:
    """A stream written by a thread. At its end the thread's error is raised."""

    def __init__(self, source: IO[bytes], fill: Fill, write_end: int) -> None:
        self._source = source
        self._fill = fill
        self._write_end = write_end
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="backup-stream")
        self._thread.start()

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes."""
        if self._source.closed:
            return b""
        content = self._source.read(size)
        if size and not content:
            self.finish()
        return content

    def finish(self) -> None:
        """Wait for the thread and raise its error."""
        self._source.close()
        self._thread.join()
        if self._error:
            raise self._error

    def _run(self) -> None:
        try:
            with os.fdopen(self._write_end, "wb") as out:
                self._fill(out)
        except BrokenPipeError:
            return  # the reader stopped reading
        except BaseException as error:  # noqa: BLE001 - raised in the reading thread
            self._error = error


@contextmanager
def filled(fill: Fill) -> Iterator[Readable]:
    """Run `fill` in a thread and return the stream that it writes. Its error is raised here."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as source:
        stream = _Filled(source, fill, write_end)
        try:
            yield stream
        except BaseException:
            # The end of the stream was not the first error.
            stream.finish()
            raise
        stream.finish()
