"""Uptime, outages and recovery of a session, from its timeline; terms as defined in docs/design.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from core.models import Reason, SessionSnapshot, Verdict
from core.reasons import Loss
from core.uptime.timeline import Span


@dataclass(frozen=True, slots=True)
class Outage:
    """The time from leaving `connected` until connected again, including all verdicts in between."""

    since: datetime
    until: datetime | None
    """None while it lasts."""
    reason: Reason
    """The reason at its start."""
    recovered: bool
    """False while it lasts, and when it ended by a pause, a removal or maintenance."""
    spans: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    """Its verdicts, oldest first; empty if it is older than the log."""

    def seconds(self, now: datetime) -> float:
        """Return the duration, until `now` if it still lasts."""
        return ((self.until or now) - self.since).total_seconds()


@dataclass(frozen=True, slots=True)
class Uptime:
    """Connected and measured time in one window."""

    since: datetime
    until: datetime
    connected_seconds: float
    measured_seconds: float
    """Time in the window in which the session was enabled, probed and not in maintenance."""
    sessions: int = 1
    """Number of sessions in the sum."""

    @property
    def share(self) -> float | None:
        """Connected share of the measured time, from 0 to 1; None if nothing was measured."""
        return self.connected_seconds / self.measured_seconds if self.measured_seconds > 0 else None


def uptime(
    spans: Sequence[Span], since: datetime, until: datetime, *, connected_before: bool = False
) -> Uptime:
    """Return the connected and measured time of the session in a window.

    Time before the first connection does not count as measured, unless `connected_before`: the session was
    connected before the first span.
    """
    (found,) = uptimes(spans, (since, until), connected_before=connected_before)
    return found


def uptimes(
    spans: Sequence[Span], bounds: Sequence[datetime], *, connected_before: bool = False
) -> list[Uptime]:
    """Return the connected and measured time between each two of the bounds, as `uptime` does."""
    first = None if connected_before else _first_connection(spans)
    connected, measured = [0.0] * (len(bounds) - 1), [0.0] * (len(bounds) - 1)
    window = len(bounds) - 2
    for one in reversed(spans):
        if one.until <= bounds[0] or (first is not None and one.since < first):
            break
        while window and one.until <= bounds[window]:
            window -= 1
        if not one.is_measured:
            continue
        # A span that is longer than a window reaches into the windows before.
        for number in range(window, -1, -1):
            since, until = max(one.since, bounds[number]), min(one.until, bounds[number + 1])
            if since < until:
                seconds = (until - since).total_seconds()
                measured[number] += seconds
                if one.verdict is Verdict.CONNECTED:
                    connected[number] += seconds
            if one.since >= bounds[number]:
                break
    windows = zip(pairwise(bounds), connected, measured, strict=True)
    return [Uptime(since, until, up, counted) for (since, until), up, counted in windows]


def _first_connection(spans: Sequence[Span]) -> datetime | None:
    """Return when a session that is new to the log first connected, or the end of the spans; None for others.

    A new session's timeline begins unmeasured or unknown. The log no longer holds the beginning of others.
    """
    if not spans or spans[0].verdict not in (None, Verdict.UNKNOWN):
        return None
    return next((one.since for one in spans if one.verdict is Verdict.CONNECTED), spans[-1].until)


def outages(spans: Sequence[Span], still: SessionSnapshot | None = None) -> list[Outage]:
    """Return the outages in a timeline, oldest first.

    Unmeasured time does not end an outage. A session that is unknown because its prober has just started is
    not lost. `still`, the session's current snapshot, supplies an outage that is older than the log.
    """
    found: list[Outage] = []
    running: list[Span] = []
    was_connected, is_first_look = False, True
    for one in spans:
        if one.in_maintenance or one.verdict in (Verdict.CONNECTED, Verdict.PAUSED):
            is_connected = one.verdict is Verdict.CONNECTED
            if running:
                found.append(_outage(running, one.since, recovered=is_connected and not one.in_maintenance))
            running, was_connected = [], was_connected or is_connected
        elif one.verdict is not None and (running or _is_loss(one, was_connected, is_first_look)):
            running.append(one)
        is_first_look = one.verdict in (None, Verdict.PAUSED) or (
            is_first_look and one.verdict is Verdict.UNKNOWN
        )
    if running:
        found.append(_outage(running, None, recovered=False))
    elif still is not None and still.lost_at is not None and spans and spans[-1].is_down:
        found.append(Outage(still.lost_at, None, still.lost_reason, recovered=False))
    return found


def _is_loss(span: Span, was_connected: bool, is_first_look: bool) -> bool:
    return was_connected and not (is_first_look and span.verdict is Verdict.UNKNOWN)


def _outage(spans: Sequence[Span], until: datetime | None, *, recovered: bool) -> Outage:
    return Outage(spans[0].since, until, spans[0].reason, recovered, tuple(spans))


def disconnects(found: Sequence[Outage], since: datetime, until: datetime) -> Counter[Loss]:
    """Count the outages that began in a window, by the cause of the connection loss."""
    return Counter(Loss.of(one.reason) for one in found if since <= one.since < until)


def mean_recovery_seconds(found: Sequence[Outage], since: datetime, until: datetime) -> float | None:
    """Return the mean time to recovery of the outages that recovered in a window; None if there are none."""
    lasted = [
        (one.until - one.since).total_seconds()
        for one in found
        if one.recovered and one.until is not None and since <= one.until < until
    ]
    return sum(lasted) / len(lasted) if lasted else None
