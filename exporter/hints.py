"""Have a session probed at once, and a few times after an event, without waiting for anybody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.clock import Monotonic, Now, monotonic, now
from core.exceptions import WppconnectError
from core.linking_events import LinkingEvent, write_event
from core.logs import register_secret
from core.models import Snapshot, Verdict
from core.store import Store
from core.workers import Workers
from exporter.events import Event

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""A server's and a session's name."""

GAPS_SECONDS = (0.4, 0.5, 0.7, 0.9)
"""Between the probes after an event: a session that was removed on the phone is called connected for another
one to two seconds (contract, section 5)."""

STOP_SECONDS = 1.0
BURST = 10
PER_SECOND = 2.0
"""How many sessions an event may have probed beyond their interval: when a gateway restarts, all of them
have something to say, and the interval finds out soon enough."""


class HintSender:
    """Passes hints on from a thread of its own: where another process probes, a hint is a file."""

    def __init__(self, hint: Callable[[str, str], None]) -> None:
        self._hint = hint
        self._workers = Workers(1, "hints")
        self._queued: set[Key] = set()

    def send(self, server: str, session: str) -> None:
        """Pass a hint on, unless the same one still waits; returns at once."""
        key = (server, session)
        if key not in self._queued:
            self._queued.add(key)
            self._workers.submit(lambda: self._pass_on(key))

    def stop(self) -> None:
        """Drop what waits, and end the thread."""
        self._workers.stop()
        self._workers.join(STOP_SECONDS)

    def _pass_on(self, key: Key) -> None:
        self._queued.discard(key)
        try:
            self._hint(*key)
        except WppconnectError as error:
            log.warning("hint_failed server=%s session=%s error=%s", *key, error)


class LinkingEventKeeper:
    """Keeps what events say of phones that are being linked, in a thread of its own: the store is a disk."""

    def __init__(self, store: Store, read_snapshot: Callable[[], Snapshot], *, clock: Now = now) -> None:
        self._store = store
        self._read_snapshot = read_snapshot
        self._clock = clock
        self._workers = Workers(1, "linking-events")

    def keep(self, server: str, session: str, event: Event) -> None:
        """Keep an event of a session that may wait for a phone; returns at once."""
        seen = self._read_snapshot().session(server, session)
        if event.linking is None or seen is None or seen.verdict in _LINKED:
            return
        kind, code, at = event.linking, event.pairing_code, self._clock()
        if code is not None:
            register_secret(code)
        self._workers.submit(lambda: self._write(server, session, kind, at, code))

    def stop(self) -> None:
        """Drop what waits."""
        self._workers.stop()

    def _write(self, server: str, session: str, kind: LinkingEvent, at: datetime, code: str | None) -> None:
        try:
            write_event(self._store, server, session, kind, at=at, code=code)
        except WppconnectError as error:
            log.warning("linking_event_lost server=%s session=%s error=%s", server, session, error)


_LINKED = (Verdict.CONNECTED, Verdict.UNRESPONSIVE, Verdict.PAUSED)
"""Nothing is being linked, so nothing that an event says of it is kept."""


@dataclass
class _Series:
    latest: float
    timer: asyncio.TimerHandle


class Reprobes:
    """The probes after events; belongs to one event loop."""

    def __init__(
        self,
        send: Callable[[str, str], None],
        *,
        gaps_seconds: tuple[float, ...] = GAPS_SECONDS,
        clock: Monotonic = monotonic,
    ) -> None:
        self._send = send
        self._gaps = gaps_seconds
        self._clock = clock
        self._series: dict[Key, _Series] = {}
        self._tokens = float(BURST)
        self._filled_at = clock()

    def want(self, server: str, session: str) -> bool:
        """Probe a session now and a few times more; False when too many others were wanted just now.

        An event in the middle of a series starts it anew, and the next probe comes as soon as it may.
        """
        key = (server, session)
        running = self._series.get(key)
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
        self._send(*key)
        if step == len(self._gaps):
            self._series.pop(key, None)
            return
        timer = asyncio.get_running_loop().call_later(self._gaps[step], self._probe, key, step + 1)
        self._series[key] = _Series(self._clock(), timer)

    def _take_token(self) -> bool:
        now = self._clock()
        self._tokens = min(float(BURST), self._tokens + (now - self._filled_at) * PER_SECOND)
        self._filled_at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
