"""Compute the samples of each metric from a Snapshot: pure functions, no I/O, no state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from core.models import Histogram, Reason, ServerSnapshot, SessionSnapshot, Verdict
from core.settings.values import Timeouts
from core.verdict import (
    conclude,
    out_of_maintenance,
    page_stale_after,
    stale_after_seconds,
    with_staleness,
)

AUTH_FAILURE_REASONS = (Reason.TOKEN_REJECTED, Reason.SECRET_REJECTED)


class Sample(NamedTuple):
    """A value; `labels` are the label values besides those of the subject."""

    value: float
    labels: tuple[str, ...] = ()
    suffix: str = ""


Samples = tuple[Sample, ...]


def stale_after(server: ServerSnapshot, timeouts: Timeouts) -> timedelta:
    """Return the age from which a Snapshot of this server is stale."""
    seconds = stale_after_seconds(server.interval_seconds, timeouts, server.hold_off_seconds)
    return timedelta(seconds=seconds)


def is_stale(server: ServerSnapshot, now: datetime, timeouts: Timeouts) -> bool:
    """Return whether the Snapshot of this server is stale."""
    return now > server.published_at + stale_after(server, timeouts)


def server_at(server: ServerSnapshot, now: datetime, limit: timedelta) -> ServerSnapshot:
    """Return a server as known at `now`; `up` is unknown if it is stale, paused or in maintenance."""
    until = server.maintenance_until
    if until is not None and until <= now:
        server = server.model_copy(update={"maintenance_until": None})
    is_unknown = not server.enabled or server.maintenance_until or now > server.published_at + limit
    return server.model_copy(update={"up": None}) if server.up is not None and is_unknown else server


def session_at(
    server: ServerSnapshot, session: SessionSnapshot, now: datetime, limit: timedelta
) -> SessionSnapshot:
    """Return a session as known at `now`: paused, unknown if stale, otherwise as published.

    `limit` is `stale_after` of its server. An unchanged session is returned as the same object.
    """
    if session.verdict == Verdict.PAUSED:
        return session
    if not (server.enabled and session.enabled):
        return session.model_copy(update={"verdict": Verdict.PAUSED})
    session = out_of_maintenance(session, now)
    expires = server.published_at + limit
    if now > expires:
        return conclude(session, Verdict.UNKNOWN, Reason.STALE, expires)
    if session.verdict == Verdict.CONNECTED:
        # A process that publishes without probing must not keep a session connected for ever.
        return with_staleness(session, now, limit)
    return session


def expiry(server: ServerSnapshot, limit: timedelta) -> list[datetime]:
    """Return the times at which a server and its sessions become stale, or leave maintenance."""
    ends = [
        one.page_checked_at + page_stale_after(one, limit) if one.page_checked_at else one.observed_at + limit
        for one in server.sessions
        if one.verdict == Verdict.CONNECTED and one.observed_at is not None
    ]
    windows = {server.maintenance_until, *(one.maintenance_until for one in server.sessions)}
    return [server.published_at + limit, *ends, *(end for end in windows if end is not None)]


def value(number: float) -> Samples:
    """Return a sample of a number."""
    return (Sample(number),)


def flag(is_so: bool | None) -> Samples:
    """Return a sample of 1 or 0; none if unknown."""
    return () if is_so is None else (Sample(float(is_so)),)


def moment(at: datetime | None) -> Samples:
    """Return a sample of a time in seconds since 1970; none for None."""
    return () if at is None else (Sample(round(at.timestamp(), 3)),)


def info(*labels: str | None) -> Samples:
    """Return a sample of 1 with texts as its labels; none if one of them is None."""
    known = tuple(label for label in labels if label is not None)
    return (Sample(1.0, known),) if len(known) == len(labels) else ()


def listed(tags: tuple[str, ...]) -> Samples:
    """Return a sample of 1 for each tag."""
    return tuple(Sample(1.0, (tag,)) for tag in tags)


def counts(known: Mapping[str, int], reasons: Iterable[StrEnum]) -> Samples:
    """Return a sample per reason, also of 0: `increase()` of a counter that first appears at 1 is 0."""
    return tuple(Sample(known.get(reason, 0), (reason.value,)) for reason in reasons)


def histogram(known: Histogram | None) -> Samples:
    """Return samples of the buckets, sum and count; none for None."""
    if known is None:
        return ()
    # OpenMetrics requires `le` as a canonical float; the text format accepts it, so series agree in both.
    bounds = [*(str(float(bound)) for bound in known.bounds), "+Inf"]
    buckets = (Sample(count, (bound,), "_bucket") for bound, count in zip(bounds, known.buckets, strict=True))
    return (*buckets, Sample(known.sum_seconds, (), "_sum"), Sample(known.buckets[-1], (), "_count"))


_STATES: dict[Verdict, Samples] = {
    holds: tuple(Sample(float(verdict is holds), (verdict.value,)) for verdict in Verdict)
    for holds in Verdict
}


def state(session: SessionSnapshot) -> Samples:
    """Return a sample per verdict: 1 for the current one, 0 for the others."""
    return _STATES[session.verdict]


def counts_as_up_or_down(session: SessionSnapshot) -> bool:
    """Return whether a session is neither paused nor in maintenance, so that alerts may fire for it."""
    return session.verdict is not Verdict.PAUSED and session.maintenance_until is None


def connected(session: SessionSnapshot) -> Samples:
    """Return the sample of whether a session is connected; none while it is paused or in maintenance."""
    return flag(session.verdict is Verdict.CONNECTED) if counts_as_up_or_down(session) else ()


def last_probe(session: SessionSnapshot) -> Samples:
    """Return the sample of when the latest probe ended; none while paused or in maintenance."""
    # The last probe of a paused session is old by intention and must not trigger an alert.
    return moment(session.observed_at) if counts_as_up_or_down(session) else ()


def lost_reason(session: SessionSnapshot) -> Samples:
    """Return the sample of why the current outage began; none without an outage."""
    return () if session.lost_at is None else info(session.lost_reason.value)


def end_to_end_possible(session: SessionSnapshot) -> Samples:
    """Return the sample of whether a session can be checked end to end; none if unknown or paused."""
    known = session.end_to_end
    return () if known is None or session.verdict is Verdict.PAUSED else flag(known.is_possible)


def end_to_end_success(session: SessionSnapshot) -> Samples:
    """Return the sample of whether the latest end-to-end check passed.

    None without one, while paused and in maintenance.
    """
    known = session.end_to_end
    if known is None or known.checked_at is None or not counts_as_up_or_down(session):
        return ()
    return flag(known.failures == 0)


def end_to_end_last_success(session: SessionSnapshot) -> Samples:
    """Return the sample of when an end-to-end check last passed; none if it never did."""
    return () if session.end_to_end is None else moment(session.end_to_end.passed_at)


def self_healing_tries(session: SessionSnapshot) -> Samples:
    """Return the sample of self-healing attempts in the current outage; none without an outage."""
    return () if session.healing is None or session.lost_at is None else value(session.healing.tries)
