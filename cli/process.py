"""One child process of the supervisor: started, listened to, ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import IO

from cli.services import Service

Listener = Callable[[str], None]


class Child:
    """A running service; `ended` is set, and `code` known, once it is gone and all it said was heard."""

    def __init__(
        self, service: Service, *, said: Listener, logged: Listener, gone: Callable[[Child], None]
    ) -> None:
        """Start it; the three are called from threads: per line on stdout, per line on stderr, at the end."""
        self.service = service
        self.code: int | None = None
        self.ended = threading.Event()
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            service.command,
            env=dict(service.environ) | {"PYTHONUNBUFFERED": "1"},
            # Held open and never written to: when we are gone it ends, and the child with it (cli/child.py).
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            # Ctrl-C in the terminal reaches the supervisor only, which then ends its children in order.
            start_new_session=True,
        )
        readers = [
            threading.Thread(target=_read, args=(pipe, listener), daemon=True)
            for pipe, listener in ((self._process.stdout, said), (self._process.stderr, logged))
        ]
        for reader in readers:
            reader.start()
        threading.Thread(target=self._wait, args=(readers, gone), daemon=True).start()

    def ask_to_end(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """End it and whatever it started at once."""
        if not self.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    @property
    def end(self) -> str:
        """Say in words how it ended."""
        code = self.code or 0
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    def _wait(self, readers: list[threading.Thread], gone: Callable[[Child], None]) -> None:
        self.code = self._process.wait()
        for reader in readers:
            # Bounded: a grandchild may hold the pipe open.
            reader.join(timeout=0.5)
        self.ended.set()
        gone(self)


def _read(pipe: IO[str] | None, listener: Listener) -> None:
    if pipe is not None:
        with pipe:
            for line in pipe:
                listener(line.rstrip("\n"))
