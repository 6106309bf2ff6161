"""Our programs as processes, with everything they print kept in files."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
FORKS = multiprocessing.get_context("forkserver")
PRELOADED = ["tests.support.preloaded"]
FORKS.set_forkserver_preload(PRELOADED)


class Process:
    """One of our programs, started as its users start it."""

    def __init__(
        self, package: str, log: Path, environ: Mapping[str, str], *arguments: str, out: Path | None = None
    ) -> None:
        self.log = log
        call = f"import sys; from {package} import main; sys.exit(main(sys.argv[1:]))"
        with (out or log).open("ab") as stdout, log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-c", call, *arguments], env=environ, cwd=ROOT, stdout=stdout, stderr=stderr
            )

    @property
    def is_running(self) -> bool:
        """Return whether it has not ended."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def printed(self) -> str:
        """Everything it said so far."""
        return self.log.read_text()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self.is_running:
            os.kill(self.pid, number)

    def stop(self) -> int:
        """End it as an init system does, and return its exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it without warning."""
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Wait for its end, and return its exit code."""
        return self._process.wait(60)


class Fork(Process):
    """The same as a fork of a process that has imported what takes it longest: Streamlit, two seconds."""

    def __init__(
        self, package: str, log: Path, environ: Mapping[str, str], *arguments: str, out: Path | None = None
    ) -> None:
        self.log = log
        log.touch()
        call = (package, log, out or log, dict(environ), arguments)
        self._fork = FORKS.Process(target=_run, args=call, daemon=True)
        # A fork first runs the `__main__` of this process, which an AppTest leaves as the page's script.
        main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
        try:
            self._fork.start()
        finally:
            sys.modules["__main__"] = main

    @property
    def is_running(self) -> bool:
        return self._fork.is_alive()

    @property
    def pid(self) -> int:
        return self._fork.pid or 0

    def wait(self) -> int:
        self._fork.join(60)
        assert self._fork.exitcode is not None, "it does not end"
        return self._fork.exitcode


def _run(package: str, log: Path, out: Path, environ: dict[str, str], arguments: tuple[str, ...]) -> None:
    """Become the program."""
    for path, descriptor in ((out, 1), (log, 2)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), descriptor)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = [package, *arguments]
    sys.exit(import_module(package).main(list(arguments)))
