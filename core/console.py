"""How a command ends whose reader has gone, as in `wppconnect-ops rules | head -1`: quietly."""

from __future__ import annotations

import functools
import os
import select
import signal
import sys
from collections.abc import Callable
from typing import ParamSpec, TextIO

READER_HAS_GONE = 128 + signal.SIGPIPE
"""The exit code that a shell reports of a program that SIGPIPE ended. Python ignores that signal, and must:
sockets raise it too."""

Parameters = ParamSpec("Parameters")


def ends_quietly(main: Callable[Parameters, int]) -> Callable[Parameters, int]:
    """Wrap a command's `main`: where standard output or error is closed, it ends without a traceback."""

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


def _silence(streams: list[TextIO]) -> None:
    """Let the interpreter's own last flush succeed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
