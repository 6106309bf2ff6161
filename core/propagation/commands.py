"""Run the administrator's own programs that take a value; no shell, no value on a command line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from core.exceptions import PropagationError
from core.logs import redact
from core.propagation.targets import CommandTarget

OWN_PREFIXES = ("WPPCONNECT_", "EXPORTER_", "DASHBOARD_")
"""Our own variables hold secrets that are none of the program's business."""
LONGEST_WORDS = 200


def run_command(target: CommandTarget, value: str, *, folder: Path, environ: Mapping[str, str]) -> None:
    """Hand the value over and wait; raises PropagationError when the program does not end with 0."""
    surroundings = {name: text for name, text in environ.items() if not name.startswith(OWN_PREFIXES)}
    if target.variable:
        surroundings[target.variable] = value
    try:
        process = subprocess.Popen(  # noqa: S603 - the administrator's own list of words
            target.command,
            cwd=folder,
            env=surroundings,
            stdin=subprocess.PIPE if target.variable is None else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise _failure(target, f"cannot be started ({reason})") from None
    given = None if target.variable else value.encode()
    try:
        _, said = process.communicate(given, timeout=target.timeout_seconds)
    except subprocess.TimeoutExpired:
        raise _failure(target, f"did not end within {target.timeout_seconds:g} s and was ended") from None
    finally:
        # Whatever it started, too.
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stderr:
            process.stderr.close()
    if process.returncode != 0:
        words = redact(said.decode(errors="replace").replace(value, "***").strip()).splitlines()
        last = words[-1][:LONGEST_WORDS] if words else "it said nothing"
        raise _failure(target, f"ended with code {process.returncode}: {last}")


def _failure(target: CommandTarget, what: str) -> PropagationError:
    return PropagationError(f"the command {target.label} {what}", operation="run a command")
