"""Probes of one gateway: run in executors, at most one of each kind at a time, and handled in one thread."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from typing import Protocol, TypeVar

log = logging.getLogger(__name__)

Seen = TypeVar("Seen")

URGENT, NORMAL = 0, 1


class Executor(Protocol):
    """Runs calls to the gateway; implemented by `Lane`."""

    def submit(self, call: Callable[[], None], *, priority: int = NORMAL) -> None: ...


class ProbeQueue:
    """Probes in flight of one gateway, and the results that wait to be handled."""

    def __init__(self, server: str, *, wake: Callable[[], None]) -> None:
        self._server = server
        self._wake = wake
        """Has `apply` called at once."""
        self._arrived: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._in_flight: set[tuple[str, str]] = set()

    def is_free(self, kind: str, name: str = "") -> bool:
        """Return whether no probe of this kind is in flight."""
        return (kind, name) not in self._in_flight

    def ask(
        self,
        executor: Executor,
        question: tuple[str, str],
        ask: Callable[[], Seen],
        take: Callable[[Seen], None],
        *,
        priority: int,
    ) -> None:
        """Run a probe in an executor; `apply` passes its result to `take`, if urgent at once.

        A probe that raises may be repeated.
        """
        self._in_flight.add(question)

        def call() -> None:
            try:
                seen = ask()
            except Exception:
                log.exception("probe_failed server=%s question=%s", self._server, question)
                self._arrived.put(lambda: self._in_flight.discard(question))
                return

            def arrive() -> None:
                self._in_flight.discard(question)
                take(seen)

            self._arrived.put(arrive)
            if priority == URGENT:
                self._wake()

        executor.submit(call, priority=priority)

    def tell(self, news: Callable[[], None]) -> None:
        """Have the thread that calls `apply` run a callback at once. Callable from any thread."""
        self._arrived.put(news)
        self._wake()

    def apply(self) -> None:
        """Run all queued callbacks."""
        try:
            while True:
                self._take(self._arrived.get_nowait())
        except queue.Empty:
            return

    def _take(self, news: Callable[[], None]) -> None:
        try:
            news()
        except Exception:
            # A fault in one result must not hide the other sessions.
            log.exception("answer_not_taken server=%s", self._server)
