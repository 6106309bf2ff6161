"""Streams between what writes a backup, what encrypts it and what reads it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from cli.backup.seal import Readable

Fill = Callable[[IO[bytes]], None]


class Output:
    """What pyrage writes to: it makes errors of its own of ours, which would hide a full disk."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._error: OSError | None = None

    def write(self, content: bytes) -> int:
        """Write all of it."""
        try:
            return self._out.write(content)
        except OSError as error:
            self._error = error
            raise

    def flush(self) -> None:
        """Flush what it writes to."""
        self._out.flush()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise what a write raised instead of what came of it."""
        try:
            yield
        except Exception:
            if self._error:
                raise self._error from None
            raise


class _Filled:
    """A stream that a thread writes: where it ends, the thread's error is raised."""

    def __init__(self, source: IO[bytes], fill: Fill, write_end: int) -> None:
        self._source = source
        self._fill = fill
        self._write_end = write_end
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="backup-stream")
        self._thread.start()

    def read(self, size: int = -1) -> bytes:
        """Read up to so many bytes."""
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
            return  # the reader has seen enough
        except BaseException as error:  # noqa: BLE001 - raised in the thread that reads
            self._error = error


@contextmanager
def filled(fill: Fill) -> Iterator[Readable]:
    """Run `fill` in a thread and give what it writes as a stream; its error is raised here."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as source:
        stream = _Filled(source, fill, write_end)
        try:
            yield stream
        except BaseException:
            # The end of the stream is not what went wrong first.
            stream.finish()
            raise
        stream.finish()
