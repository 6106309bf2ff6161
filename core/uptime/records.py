"""Uptime, outages and half-hour slots of each session, kept up to date from the history log."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from core.models import HistoryEntry, SessionSnapshot, Snapshot, Verdict
from core.reasons import Loss
from core.store import HistoryLog
from core.uptime.timeline import NO_GAP, Past, Span, timeline
from core.uptime.uptime import (
    Outage,
    Uptime,
    disconnects,
    mean_recovery_seconds,
    outages,
    uptime,
    uptimes,
)
from core.uptime.verdict_log import KINDS

SLOT = timedelta(minutes=30)
SLOTS = 48


class Window(StrEnum):
    """A time window that ends now."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"

    @property
    def length(self) -> timedelta:
        """The window's length."""
        return _LENGTHS[self]


_LENGTHS = {
    Window.DAY: timedelta(hours=24),
    Window.WEEK: timedelta(days=7),
    Window.MONTH: timedelta(days=30),
}
LONGEST_WINDOW = Window.MONTH
LONGEST = LONGEST_WINDOW.length


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """Uptime and outages of one session, or of several together."""

    uptimes: Mapping[Window, Uptime]
    outages: tuple[Outage, ...]
    """The outages of the last 30 days, oldest first."""
    disconnects: Mapping[Loss, int]
    """Connection losses of the last 30 days, by cause."""
    mean_recovery_seconds: float | None
    """Mean duration of the outages of the last 30 days; None if none has ended."""
    slots: tuple[Slot, ...] = ()
    """The last 24 hours; empty for several sessions together."""
    spans: tuple[Span, ...] = ()
    """The timeline; empty for several sessions together."""
    connected_before: bool = False
    """Whether the session was connected before its timeline begins."""


class Slot(NamedTuple):
    """Half an hour of a session's day."""

    since: datetime
    until: datetime
    spans: tuple[Span, ...]
    """The verdicts within the slot."""


class TrackRecords:
    """Track records of all sessions, computed incrementally. For use from one thread."""

    def __init__(self, history: HistoryLog) -> None:
        self._history = history
        self._added: Callable[[], Iterator[HistoryEntry]] | None = None
        self._past = Past()
        self._known: dict[tuple[str, str], tuple[object, tuple[Span, ...]]] = {}

    def read(self, snapshot: Snapshot) -> Mapping[tuple[str, str], TrackRecord]:
        """Return the track record of each session in the snapshot, by server and name. Raises StoreError."""
        now = snapshot.taken_at
        # One day more than the longest window, since a file holds a day.
        since = now - LONGEST - timedelta(days=1)
        if self._added is None:
            self._added = self._history.follow(since, kinds=KINDS)
        # Read after the snapshot: a transition is written before it is published.
        for entry in self._added():
            self._past.add(entry)
        self._past.forget(since)
        known, self._known = self._known, {}
        found = {}
        for server in snapshot.servers:
            for one in server.sessions:
                key = server.server, one.session
                spans = self._spans(known.get(key), one, server.published_at, now)
                found[key] = track_record(spans, one, now)
        return found

    def _spans(
        self,
        known: tuple[object, tuple[Span, ...]] | None,
        still: SessionSnapshot,
        heartbeat: datetime,
        now: datetime,
    ) -> tuple[Span, ...]:
        """Return the session's timeline; if nothing was added, the cached one with a new end."""
        transitions = self._past.transitions.get((still.server, still.session), [])
        gaps = self._past.gaps.get(still.server, [])
        newest = transitions[-1] if transitions else None
        made_of = (len(transitions), newest, len(gaps), still.verdict, still.since)
        # A change of this very moment has no span yet, which the cached ones would lack for ever.
        latest = max(still.since, newest.at) if newest else still.since
        is_usual = now - heartbeat < NO_GAP and latest < now
        # A timeline that ends unmeasured may be awaiting its first probe; its length decides, so no cache.
        if is_usual and known and known[0] == made_of and known[1] and known[1][-1].verdict is not None:
            spans = (*known[1][:-1], known[1][-1]._replace(until=now))
        else:
            spans = timeline(transitions, gaps, still, heartbeat=heartbeat, now=now)
        if is_usual:
            self._known[still.server, still.session] = made_of, spans
        return spans


def outages_between(
    entries: Iterable[HistoryEntry], snapshot: Snapshot, since: datetime, until: datetime
) -> dict[tuple[str, str], list[Outage]]:
    """Return the outages that began in a period, by gateway and session; those of removed sessions, too.

    `entries` is the log from before the period until now, to know which sessions were connected.
    """
    now = snapshot.taken_at
    past = Past(entries)
    still = {
        (server.server, one.session): (one, server.published_at)
        for server in snapshot.servers
        for one in server.sessions
    }
    found = {}
    for key in {*past.transitions, *still}:
        present, heartbeat = still.get(key, (None, now))
        transitions, gaps = past.transitions.get(key, []), past.gaps.get(key[0], [])
        spans = timeline(transitions, gaps, present, heartbeat=heartbeat, now=now)
        found[key] = [one for one in outages(spans, present) if since <= one.since < until]
    return found


def track_record(spans: Sequence[Span], still: SessionSnapshot, now: datetime) -> TrackRecord:
    """Return the track record of a session's timeline."""
    found = [one for one in outages(spans, still) if one.until is None or one.until > now - LONGEST]
    connected_before = _was_connected_before(spans, still)
    return TrackRecord(
        uptimes={
            window: uptime(spans, now - window.length, now, connected_before=connected_before)
            for window in Window
        },
        outages=tuple(found),
        disconnects=disconnects(found, now - LONGEST, now),
        mean_recovery_seconds=mean_recovery_seconds(found, now - LONGEST, now),
        slots=tuple(slots(spans, now)),
        spans=tuple(spans),
        connected_before=connected_before,
    )


def _was_connected_before(spans: Sequence[Span], still: SessionSnapshot) -> bool:
    """Return whether a session was connected before the log begins."""
    if not spans or not still.ever_connected:
        return False
    first = spans[0].since
    if still.last_connected is not None and still.last_connected < first:
        return True
    return all(one.verdict is not Verdict.CONNECTED for one in spans)


def together(records: Iterable[TrackRecord]) -> TrackRecord | None:
    """Return the record of several sessions, each measured second weighted equally; None if empty."""
    records = list(records)
    if not records:
        return None
    uptimes = {window: _added_up([one.uptimes[window] for one in records]) for window in Window}
    found = sorted((one for record in records for one in record.outages), key=lambda one: one.since)
    month = uptimes[LONGEST_WINDOW]
    return TrackRecord(
        uptimes=uptimes,
        outages=tuple(found),
        disconnects=disconnects(found, month.since, month.until),
        mean_recovery_seconds=mean_recovery_seconds(found, month.since, month.until),
    )


def daily(records: Iterable[TrackRecord], now: datetime, zone: tzinfo) -> list[Uptime]:
    """Return the uptime of several sessions for each of the last 30 days of a time zone, today last."""
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in reversed(range(LONGEST.days))]
    # Midnight of each day, not 24 hours later: a day in which the clock changes has 23 or 25.
    bounds = [datetime.combine(day, time(), zone).astimezone(UTC) for day in days] + [now]
    found = [uptimes(one.spans, bounds, connected_before=one.connected_before) for one in records]
    if not found:
        return [Uptime(since, until, 0.0, 0.0, 0) for since, until in pairwise(bounds)]
    return [_added_up(day) for day in zip(*found, strict=True)]


def slots(spans: Sequence[Span], now: datetime) -> Iterator[Slot]:
    """Split the last 24 hours into half hours of the clock; the last one is not over yet."""
    seconds = SLOT.total_seconds()
    latest = datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
    begins = [latest - number * SLOT for number in reversed(range(SLOTS))]
    bounds = [(since, min(since + SLOT, now)) for since in begins]
    for (since, until), within in zip(bounds, split(spans, bounds), strict=True):
        yield Slot(since, until, within)


def split(spans: Sequence[Span], bounds: Sequence[tuple[datetime, datetime]]) -> Iterator[tuple[Span, ...]]:
    """Yield the parts of the spans within each pair of bounds; both are in order and do not overlap."""
    position = bisect_right(spans, bounds[0][0], key=lambda one: one.until)
    for since, until in bounds:
        within: list[Span] = []
        while position < len(spans) and spans[position].since < until:
            one = spans[position]
            within.append(one._replace(since=max(one.since, since), until=min(one.until, until)))
            if one.until > until:
                break
            position += 1
        yield tuple(within)


def _added_up(found: Sequence[Uptime]) -> Uptime:
    return Uptime(
        min(one.since for one in found),
        max(one.until for one in found),
        sum(one.connected_seconds for one in found),
        sum(one.measured_seconds for one in found),
        sum(one.sessions for one in found if one.measured_seconds > 0) or len(found),
    )
