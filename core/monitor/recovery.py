"""Initial state of a prober: resumed from its predecessor's snapshot, or empty."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta

from core import verdict
from core.gateways.registry import kind_of
from core.models import (
    EndToEnd,
    Healing,
    HistoryEntry,
    Reason,
    ServerSnapshot,
    SessionSnapshot,
    Verdict,
)
from core.monitor.histogram import RunningHistogram
from core.reasons import Loss
from core.settings.maintenance import Window, concerning, period_of
from core.settings.values import ServerSettings, Settings
from core.snapshot import shift_times
from core.uptime.timeline import NO_GAP
from core.uptime.verdict_log import read_transition

_CARRIED_ON = (
    "secret_key_valid",
    "version",
    "uptime_seconds",
    "started_at",
    "restarted_at",
    "restarts",
    "links_not_completed",
    "default_secret",
    "end_to_end_offered",
    "probe_failures",
    "self_healing",
)

LAST_WORD_HOLDS = timedelta(hours=1)
"""How long a gateway that was down is assumed to be still down; the alert rules look back as far."""


Newest = Callable[[str, datetime | None], HistoryEntry | None]
"""Return a session's newest transition in the history, not older than the given time."""


def first_server_snapshot(
    server: ServerSettings, settings: Settings, *, holder: str, now: datetime
) -> ServerSnapshot:
    """Return the snapshot of a gateway that has not been probed yet."""
    kind, windows = kind_of(server.kind), concerning(settings.maintenance, server)

    def maintenance_until(session: str | None) -> datetime | None:
        period = period_of(windows, server.name, session, now)
        return period.until if period else None

    return ServerSnapshot(
        server=server.name,
        kind=kind.name,
        capabilities=tuple(sorted(kind.capabilities)),
        enabled=server.enabled,
        up=None,
        maintenance_until=maintenance_until(None),
        interval_seconds=settings.interval_seconds,
        holder=holder,
        published_at=now,
        settings_revision=settings.revision,
        probe_seconds=RunningHistogram().snapshot(),
        sessions=tuple(
            first_snapshot(server.name, one.name, now, enabled=one.enabled and server.enabled).model_copy(
                update={"maintenance_until": maintenance_until(one.name)}
            )
            for one in server.sessions
        ),
    )


def first_snapshot(server: str, session: str, now: datetime, *, enabled: bool = True) -> SessionSnapshot:
    """Return the snapshot of a session that has not been probed yet."""
    return SessionSnapshot(
        server=server,
        session=session,
        enabled=enabled,
        verdict=Verdict.UNKNOWN if enabled else Verdict.PAUSED,
        since=now,
    )


def resume_server(first: ServerSnapshot, before: ServerSnapshot | None) -> ServerSnapshot:
    """Return the first snapshot with the facts that stay true when the prober changes."""
    if before is None:
        return first
    carried = {name: getattr(before, name) for name in _CARRIED_ON}
    if before.up is False and timedelta(0) <= first.published_at - before.published_at <= LAST_WORD_HOLDS:
        # Otherwise the alert would resolve and fire again at each restart of the prober during an outage.
        carried |= {"up": False, "problem": before.problem}
    return first.model_copy(update=carried)


def resume_sessions(
    server: ServerSettings,
    before: ServerSnapshot | None,
    *,
    windows: Collection[Window] = (),
    newest: Newest,
    stale_after: timedelta,
    now: datetime,
) -> Iterator[tuple[SessionSnapshot, SessionSnapshot, datetime]]:
    """Yield the changes of each session from how its last prober left it, with their times.

    The last one of a session, which may change nothing, is what this prober starts with.
    """
    known = {one.session: one for one in before.sessions} if before else {}
    for one in server.sessions:
        published = known.get(one.name)
        # The last snapshot covers older transitions; searching all files can take seconds.
        since = before.published_at - NO_GAP if before and published else None
        left = catch_up(published or first_snapshot(server.name, one.name, now), newest(one.name, since))
        if before and before.published_at - now >= NO_GAP:
            left = shift_times(left, now - before.published_at)
        period = period_of(windows, server.name, one.name, now)
        current, at = verdict.maintained(left, period, now, known_at=now)
        current = count_loss(left, current)
        yield left, current, at
        after = pause_or_resume(current, enabled=one.enabled and server.enabled, now=now)
        after = mark_stale(after, now=now, stale_after=stale_after)
        if bool(server.end_to_end_minutes) != (after.end_to_end is not None):
            begun = EndToEnd() if server.end_to_end_minutes else None
            after = after.model_copy(update={"end_to_end": begun})
        if server.self_healing != (after.healing is not None):
            untried = Healing() if server.self_healing else None
            after = after.model_copy(update={"healing": untried})
        yield current, after, after.since


def removed_sessions(
    server: ServerSettings, before: ServerSnapshot | None, *, now: datetime
) -> Iterator[tuple[SessionSnapshot, SessionSnapshot]]:
    """Yield each session that is no longer configured, as its last prober left it and as paused.

    It is not probed from now on; if added again, that time would otherwise count as its last verdict.
    """
    for one in before.sessions if before else ():
        if server.session(one.session) is None:
            yield one, pause_or_resume(one, enabled=False, now=now)


def count_loss(before: SessionSnapshot, after: SessionSnapshot) -> SessionSnapshot:
    """Return the session with an outage that has just begun counted by its cause."""
    if before.lost_at is not None or after.lost_at is None:
        return after
    loss = Loss.of(after.lost_reason).value
    counts = after.disconnects | {loss: after.disconnects.get(loss, 0) + 1}
    return after.model_copy(update={"disconnects": counts})


def catch_up(session: SessionSnapshot, newest: HistoryEntry | None) -> SessionSnapshot:
    """Apply the newest transition in the history if the snapshot does not include it yet.

    A prober writes the transition before it publishes, and may have been killed in between.
    """
    if newest is None or (session.observed_at is not None and newest.at <= session.since):
        return session
    missed = read_transition(newest)
    if missed.after is None:
        return session
    session = session.model_copy(update={"maintenance_until": missed.maintenance_until})
    return verdict.conclude(session, missed.after, missed.reason, missed.at)


def pause_or_resume(session: SessionSnapshot, *, enabled: bool, now: datetime) -> SessionSnapshot:
    """Apply the settings: a disabled session is paused, a resumed one is unknown until it is probed."""
    session = session.model_copy(update={"enabled": enabled})
    if not enabled:
        return verdict.conclude(session, Verdict.PAUSED, Reason.NONE, now)
    if session.verdict == Verdict.PAUSED:
        return _unknown(session, Reason.NONE, now)
    return session


def mark_stale(session: SessionSnapshot, *, now: datetime, stale_after: timedelta) -> SessionSnapshot:
    """Return the session as unknown if its latest observation is older than `stale_after`."""
    seen = session.observed_at
    if seen is None or session.verdict in (Verdict.PAUSED, Verdict.UNKNOWN) or now - seen <= stale_after:
        return session
    return _unknown(session, Reason.STALE, now)


def _unknown(session: SessionSnapshot, reason: Reason, now: datetime) -> SessionSnapshot:
    # Not by `conclude`: missing probes are no connection loss, and a running outage goes on.
    return session.model_copy(update={"verdict": Verdict.UNKNOWN, "reason": reason, "since": now, "qr": None})
