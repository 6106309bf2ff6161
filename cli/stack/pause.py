"""Pause services while a backup copies their files, and store which they are.

A killed backup leaves its services paused. The note in `config/` lists them for the next `backup`, `up` or
`restore`; a lock on the note is held while its writer runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from cli.stack.engine import Compose, StackError

NOTE = "paused-for-backup"


class Pause:
    """The right to pause services, for one command at a time."""

    def __init__(self, compose: Compose, note: TextIO) -> None:
        self._compose = compose
        self._note = note

    def pause(self, services: Sequence[str]) -> bool:
        """Pause services, after storing them in the note. Return whether that succeeded."""
        self._write(services)
        if not services:
            return True
        return not self._compose.run(
            "--profile", "*", "pause", *services, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def wake(self) -> list[str]:
        """Unpause the services in the note that are still paused, and return them."""
        self._note.seek(0)
        noted = self._note.read().split()
        if not noted:
            return []
        done = self._compose.ask("--profile", "*", "ps", "--services", "--status", "paused")
        left = noted if done.returncode else [one for one in noted if one in done.stdout.split()]
        if left and self._compose.run("--profile", "*", "unpause", *left, stderr=subprocess.DEVNULL):
            names = " ".join(left)
            raise StackError(f"{names}: still paused by a backup; wake them: docker compose unpause {names}")
        self._write([])
        return left

    def _write(self, services: Sequence[str]) -> None:
        self._note.seek(0)
        self._note.truncate()
        self._note.write(" ".join(services))
        self._note.flush()
        os.fsync(self._note.fileno())


@contextlib.contextmanager
def pausing(compose: Compose, config: Path) -> Iterator[Pause]:
    """Unpause the services that a killed backup left paused, and at the end those paused here.

    Raise StackError while another backup is running.
    """
    with (config / NOTE).open("a+", encoding="utf-8") as note:
        try:
            fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(
                "a backup is being written from this folder; try again when it has ended"
            ) from None
        pause = Pause(compose, note)
        if woken := pause.wake():
            names = ", ".join(woken)
            print(f"note: a backup was cut off and had left these paused, which run again: {names}")
        try:
            yield pause
        finally:
            pause.wake()


def resume_leftovers(compose: Compose, config: Path) -> None:
    """Unpause the services that a killed backup left paused. Raise StackError while one is running."""
    if (config / NOTE).exists():
        with pausing(compose, config):
            pass
