"""Diagnoses by session, run in background threads, because a frozen page takes a long time to examine."""

from __future__ import annotations

import threading
from collections.abc import Callable

from core.doctor.diagnosis import Diagnosis
from core.workers import Workers

THREADS = 2

Tell = Callable[[Diagnosis], None]


class Examinations:
    """Run at most one examination per session at a time, and keep the latest diagnosis."""

    def __init__(self) -> None:
        self._workers = Workers(THREADS, "doctor")
        self._lock = threading.Lock()
        self._running: set[tuple[str, str]] = set()
        self._found: dict[tuple[str, str], Diagnosis] = {}

    def begin(self, server: str, session: str, examine: Callable[[Tell], Diagnosis]) -> None:
        """Start an examination, unless one of this session is running."""
        key = (server, session)
        with self._lock:
            if key in self._running:
                return
            self._running.add(key)
        self._workers.submit(lambda: self._examine(key, examine))

    def is_running(self, server: str, session: str) -> bool:
        """Return whether an examination of the session is running."""
        with self._lock:
            return (server, session) in self._running

    def latest(self, server: str, session: str) -> Diagnosis | None:
        """Return the latest diagnosis, which is partial while an examination runs, or None."""
        with self._lock:
            return self._found.get((server, session))

    def stop(self) -> None:
        """Stop the threads after their current calls."""
        self._workers.stop()

    def _examine(self, key: tuple[str, str], examine: Callable[[Tell], Diagnosis]) -> None:
        try:
            self._tell(key, examine(lambda diagnosis: self._tell(key, diagnosis)))
        finally:
            with self._lock:
                self._running.discard(key)

    def _tell(self, key: tuple[str, str], diagnosis: Diagnosis) -> None:
        with self._lock:
            self._found[key] = diagnosis
