"""Reload environment, files and web configuration; after mistakes, the previous ones stay in effect."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from core.exceptions import ConfigurationError, WppconnectError
from exporter.own_metrics import OwnMetrics

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
STOP_SECONDS = 1.0


class Reloader:
    """Reloads settings. `read` reads and applies them, or raises and changes nothing; `files` are watched."""

    def __init__(
        self,
        read: Callable[[], None],
        *,
        files: Callable[[], Iterable[Path]],
        own: OwnMetrics,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._read = read
        self._files = files
        self._own = own
        self._look_seconds = look_seconds
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._is_stopping = False
        self._stamps = self._read_stamps()

    def reload(self) -> tuple[str, ...]:
        """Reload now, in the calling thread; return the problems, empty if there are none."""
        with self._lock:
            problems: tuple[str, ...] = ("The log says what went wrong.",)
            stamps = self._read_stamps()
            try:
                self._read()
                problems = ()
            except ConfigurationError as error:
                problems = error.problems
            except WppconnectError as error:
                problems = (str(error),)
            except Exception:
                log.exception("reload_failed")
            # Keep the stamps from before reading: files written meanwhile are read again. A new configuration
            # may name other files, which get their current stamps.
            now = self._read_stamps()
            self._stamps = {path: stamps.get(path, stamp) for path, stamp in now.items()}
            self._own.note_reload(is_successful=not problems)
        if problems:
            log.error("settings_refused problems=%s", "; ".join(problems))
        else:
            log.info("settings_reloaded")
        return problems

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Reload on SIGHUP and when a file is replaced, as certificates are every month or two."""
        thread = threading.Thread(target=self.follow, name="reloading", daemon=True)
        thread.start()
        is_main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGHUP, lambda *_: self._wanted.set()) if is_main else None
        try:
            yield
        finally:
            if is_main:
                signal.signal(signal.SIGHUP, before)
            self.stop()
            thread.join(STOP_SECONDS)

    def follow(self) -> None:
        """Reload on request and when a file has changed, until `stop` is called."""
        while not self._is_stopping:
            is_wanted = self._wanted.wait(self._look_seconds)
            self._wanted.clear()
            if not self._is_stopping and (is_wanted or self._read_stamps() != self._stamps):
                self.reload()

    def stop(self) -> None:
        """End `follow`."""
        self._is_stopping = True
        self._wanted.set()

    def _read_stamps(self) -> dict[Path, tuple[int, int, int] | None]:
        return {path: _stamp(path) for path in self._files()}


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
