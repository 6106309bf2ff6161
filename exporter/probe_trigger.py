"""Trigger probes at once, and a series of probes after an event, without waiting for the disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from core.clock import Monotonic, monotonic
from core.exceptions import WppconnectError
from core.workers import Workers

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""A server's and a session's name."""

GAPS_SECONDS = (0.4, 0.5, 0.7, 0.9)
"""Delays between the probes after an event: a session unlinked on the phone is reported as connected for
another one to two seconds (contract, section 5)."""

STOP_SECONDS = 1.0
BURST = 10
PER_SECOND = 2.0
"""Limit of series started by events, per second beyond a burst: after a gateway's restart all sessions send
events, and the regular interval covers them soon enough."""


class ProbeTrigger:
    """Triggers probes in a separate thread: a hint to another process is written to a file."""

    def __init__(self, hint: Callable[[str, str], None]) -> None:
        self._hint = hint
        self._workers = Workers(1, "hints")
        self._queued: set[Key] = set()

    def trigger(self, server: str, session: str) -> None:
        """Request a probe of a session unless one is queued; return at once."""
        key = (server, session)
        if key not in self._queued:
            self._queued.add(key)
            self._workers.submit(lambda: self._pass_on(key))

    def stop(self) -> None:
        """Drop queued requests and end the thread."""
        self._workers.stop()
        self._workers.join(STOP_SECONDS)

    def _pass_on(self, key: Key) -> None:
        self._queued.discard(key)
        try:
            self._hint(*key)
        except WppconnectError as error:
            log.warning("hint_failed server=%s session=%s error=%s", *key, error)


@dataclass
class _Series:
    latest: float
    timer: asyncio.TimerHandle


class ProbeSeries:
    """Series of probes after events. Belongs to one event loop."""

    def __init__(
        self,
        trigger: Callable[[str, str], None],
        *,
        gaps_seconds: tuple[float, ...] = GAPS_SECONDS,
        clock: Monotonic = monotonic,
    ) -> None:
        self._trigger = trigger
        self._gaps = gaps_seconds
        self._clock = clock
        self._running: dict[Key, _Series] = {}
        self._tokens = float(BURST)
        self._filled_at = clock()

    def start(self, server: str, session: str) -> bool:
        """Probe a session now and a few times more; return False if the rate limit is exceeded.

        An event during a series restarts it; its next probe follows as soon as the first gap allows.
        """
        key = (server, session)
        running = self._running.get(key)
        if running is None:
            if not self._take_token():
                return False
            self._probe(key, step=0)
        else:
            running.timer.cancel()
            wait = running.latest + self._gaps[0] - self._clock()
            running.timer = asyncio.get_running_loop().call_later(max(0.0, wait), self._probe, key, 0)
        return True

    def _probe(self, key: Key, step: int) -> None:
        self._trigger(*key)
        if step == len(self._gaps):
            self._running.pop(key, None)
            return
        timer = asyncio.get_running_loop().call_later(self._gaps[step], self._probe, key, step + 1)
        self._running[key] = _Series(self._clock(), timer)

    def _take_token(self) -> bool:
        now = self._clock()
        self._tokens = min(float(BURST), self._tokens + (now - self._filled_at) * PER_SECOND)
        self._filled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
