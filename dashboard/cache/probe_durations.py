"""How long the probes of each gateway took during the last day, kept in memory."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from core.models import Histogram, Snapshot

log = logging.getLogger(__name__)

POLL_SECONDS = 30.0
SLOT = timedelta(minutes=10)
SLOTS = 144
HIGH = 0.95
"""The share of probes that took at most `Slot.high_seconds`."""


class Slot(NamedTuple):
    """The probes of a gateway that ended within a slot of time."""

    since: datetime
    probes: int
    mean_seconds: float
    high_seconds: float


class ProbeDurations:
    """Reads the published histograms from time to time and keeps what they grew by, in slots."""

    def __init__(self, read_snapshot: Callable[[], Snapshot]) -> None:
        self._read_snapshot = read_snapshot
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._slots: dict[str, deque[Slot]] = {}
        self._open: dict[str, tuple[datetime, Histogram, Histogram]] = {}
        """Of each gateway the start of the open slot, and the histogram then and now."""

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="probe-durations", daemon=True).start()

    def stop(self) -> None:
        """Stop the thread."""
        self._stop.set()

    def of(self, server: str) -> tuple[Slot, ...]:
        """Return the slots in which a gateway was probed, oldest first."""
        with self._lock:
            return tuple(self._slots.get(server, ()))

    def take(self, snapshot: Snapshot) -> None:
        """Add what the histograms have grown by since the last call."""
        with self._lock:
            known = {one.server for one in snapshot.servers}
            for gone in self._open.keys() - known:
                del self._open[gone]
                self._slots.pop(gone, None)
            for one in snapshot.servers:
                if one.probe_seconds is not None:
                    self._take(one.server, one.probe_seconds, slot_of(snapshot.taken_at))

    def _take(self, server: str, seen: Histogram, slot: datetime) -> None:
        since, begin, latest = self._open.get(server, (slot, seen, seen))
        if seen.bounds != begin.bounds or seen.buckets[-1] < latest.buckets[-1]:
            # Another program probes now, and has begun to count anew.
            begin = seen.model_copy(update={"buckets": (0,) * len(seen.buckets), "sum_seconds": 0.0})
            since = slot
        elif since != slot:
            since, begin = slot, latest
        self._open[server] = since, begin, seen
        slots = self._slots.setdefault(server, deque(maxlen=SLOTS))
        found = summed(since, begin, seen)
        if found is None:
            return
        if slots and slots[-1].since == since:
            slots.pop()
        slots.append(found)

    def _run(self) -> None:
        while True:
            try:
                self.take(self._read_snapshot())
            except Exception:
                log.exception("probe_durations_not_read")
            if self._stop.wait(POLL_SECONDS):
                return


def slot_of(at: datetime) -> datetime:
    """Return the start of the slot that a moment belongs to."""
    seconds = SLOT.total_seconds()
    return datetime.fromtimestamp(at.timestamp() // seconds * seconds, UTC)


def summed(since: datetime, begin: Histogram, end: Histogram) -> Slot | None:
    """Return mean and quantile of what a histogram has grown by; None without a probe."""
    counts = [after - before for before, after in zip(begin.buckets, end.buckets, strict=True)]
    if counts[-1] <= 0:
        return None
    mean = max(0.0, end.sum_seconds - begin.sum_seconds) / counts[-1]
    return Slot(since, counts[-1], mean, quantile(HIGH, end.bounds, counts))


def quantile(share: float, bounds: tuple[float, ...], cumulative: list[int]) -> float:
    """Return the duration below which a share of the values lies, interpolated within its bucket."""
    wanted = share * cumulative[-1]
    edges = [(0.0, 0), *zip(bounds, cumulative, strict=False)]
    for (low, before), (high, after) in pairwise(edges):
        if after >= wanted:
            return low + (high - low) * (wanted - before) / (after - before)
    return bounds[-1]
