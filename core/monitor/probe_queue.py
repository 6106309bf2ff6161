"""Questions to a gateway: asked in lanes, at most one of each kind at a time, and answered in one thread."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from typing import Protocol, TypeVar

log = logging.getLogger(__name__)

Seen = TypeVar("Seen")

URGENT, NORMAL = 0, 1


class Executor(Protocol):
    """Where calls to the gateway are made; `Workers` is one."""

    def submit(self, call: Callable[[], None], *, priority: int = NORMAL) -> None: ...


class ProbeQueue:
    """What was asked of one gateway, and the answers that wait to be taken in."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._arrived: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._in_flight: set[tuple[str, str]] = set()

    def is_free(self, kind: str, name: str = "") -> bool:
        """Tell whether the last question of this kind has been answered."""
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
        """Have a lane ask, and `apply` take the answer; one that breaks may be asked again."""
        self._in_flight.add(question)

        def call() -> None:
            try:
                seen = ask()
            except Exception:
                log.exception("probe_failed server=%s question=%s", self._server, question)
                self.tell(lambda: self._in_flight.discard(question))
                return

            def arrive() -> None:
                self._in_flight.discard(question)
                take(seen)

            self.tell(arrive)

        executor.submit(call, priority=priority)

    def tell(self, news: Callable[[], None]) -> None:
        """Have something done where the answers are taken in; callable from any thread."""
        self._arrived.put(news)

    def apply(self, wait_seconds: float) -> None:
        """Take in what has come, waiting so long for the first of it."""
        try:
            self._take(self._arrived.get(timeout=wait_seconds))
            while True:
                self._take(self._arrived.get_nowait())
        except queue.Empty:
            return

    def _take(self, news: Callable[[], None]) -> None:
        try:
            news()
        except Exception:
            # What is wrong with one answer must not hide the other sessions.
            log.exception("answer_not_taken server=%s", self._server)
