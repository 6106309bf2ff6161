"""Run a command in a terminal of a given size and see what is on its screen."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]
HOME = "\x1b[H"


class TerminalCommand:
    """One of our console scripts, given as "module:function", or any command, in a terminal of its own."""

    def __init__(
        self,
        entry: str | Sequence[str],
        *arguments: str,
        environ: Mapping[str, str],
        columns: int = 100,
        rows: int = 60,
        cwd: Path | None = None,
    ) -> None:
        ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            # The terminal becomes its own, so that Ctrl-C is a signal there; also where the suite itself runs
            # in the background with Ctrl-C ignored.
            ["setsid", "--ctty", "env", "--default-signal=INT", *_command(entry), *arguments],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm", **environ},
            cwd=cwd,
            stdin=its,
            stdout=its,
            stderr=its,
        )
        os.close(its)
        self._ours = ours
        self._written = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(timeout=60)
        os.close(self._ours)

    @property
    def written(self) -> str:
        """Everything written so far, control sequences included."""
        return self._written

    @property
    def screen(self) -> list[str]:
        """The lines of the newest frame."""
        return self._written.rpartition(HOME)[2].replace("\x1b[K", "").split("\r\n")

    def type(self, text: str) -> None:
        """Type on its keyboard."""
        os.write(self._ours, text.encode())

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        while True:
            try:
                data = os.read(self._ours, 65536)
            except OSError:
                # The other end is closed: the command is gone.
                return
            self._written += decoder.decode(data)


def _command(entry: str | Sequence[str]) -> list[str]:
    if not isinstance(entry, str):
        return list(entry)
    module, _, function = entry.partition(":")
    return [sys.executable, "-c", f"import sys; from {module} import {function}; sys.exit({function}())"]
