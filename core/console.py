"""How a command ends that cannot write.

Quietly where its reader has gone, as in `wppconnect-ops rules | head -1`; with a word where the disk is full.
"""

from __future__ import annotations

import errno
import functools
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec, TextIO

FAILED = 1
MISCONFIGURED = 2
INTERRUPTED = 128 + signal.SIGINT
READER_HAS_GONE = 128 + signal.SIGPIPE
"""The exit code that a shell reports of a program that SIGPIPE ended. Python ignores that signal, and must:
sockets raise it too."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

Parameters = ParamSpec("Parameters")


def ends_quietly(main: Callable[Parameters, int]) -> Callable[Parameters, int]:
    """Wrap a command's `main`: where it cannot write to standard output or error, it shows no traceback."""

    @functools.wraps(main)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> int:
        _open_what_is_missing()
        try:
            try:
                return main(*args, **kwargs)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
        except BrokenPipeError:
            closed = [stream for stream in (sys.stdout, sys.stderr) if _is_closed(stream)]
            if not closed:
                raise
            _silence(closed)
            return READER_HAS_GONE
        except OSError as error:
            if error.errno not in NO_ROOM or error.filename is not None:
                raise
            _silence([stream for stream in (sys.stdout, sys.stderr) if _is_full(stream)])
            with suppress(OSError):
                sys.stderr.write(f"{sys.argv[0].rpartition('/')[2]}: cannot write ({error.strerror})\n")
            return FAILED

    return run


def _open_what_is_missing() -> None:
    """Give the command something to write to where it was started with `>&-`."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115


def _is_closed(stream: TextIO) -> bool:
    poll = select.poll()
    try:
        poll.register(stream, select.POLLOUT)
    except (OSError, ValueError):
        return False  # a test's, which is no file
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _is_full(stream: TextIO) -> bool:
    """Return whether a stream holds something that it cannot write."""
    try:
        stream.flush()
    except OSError:
        return True
    return False


def _silence(streams: list[TextIO]) -> None:
    """Let the interpreter's own last flush succeed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
