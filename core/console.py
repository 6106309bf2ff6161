"""Exit of a command that cannot write its output.

Silent if the reader has closed the pipe, as in `wppconnect-ops rules | head -1`; with a message if the disk
is full.
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
"""The exit code that a shell reports for a program ended by SIGPIPE. Python has to ignore that signal, which
sockets raise too."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

Parameters = ParamSpec("Parameters")


def ends_quietly(main: Callable[Parameters, int]) -> Callable[Parameters, int]:
    """Wrap a command's `main` to exit without a traceback if it cannot write to stdout or stderr."""

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
    """Replace streams that are closed (`>&-`) with the null device."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115


def _is_closed(stream: TextIO) -> bool:
    poll = select.poll()
    try:
        poll.register(stream, select.POLLOUT)
    except (OSError, ValueError):
        return False  # not a file, as in tests
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _is_full(stream: TextIO) -> bool:
    """Return whether a stream has buffered output that it cannot write."""
    try:
        stream.flush()
    except OSError:
        return True
    return False


def _silence(streams: list[TextIO]) -> None:
    """Redirect the streams to the null device, so that the interpreter's flush at exit succeeds."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
