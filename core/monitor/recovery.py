"""Where a prober begins: at what its predecessor left, or at nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from core import verdict
from core.models import (
    EndToEnd,
    Frozen,
    Healing,
    HistoryEntry,
    Reason,
    ServerSnapshot,
    SessionSnapshot,
    Verdict,
)
from core.monitor.histogram import RunningHistogram
from core.settings.values import ServerSettings, Settings
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
"""How long a gateway that was down is taken to be still down; the alert rules remember as long."""


Known = TypeVar("Known", bound=Frozen)

Newest = Callable[[str, datetime | None], HistoryEntry | None]
"""Find the newest transition of a session in the history, not older than a moment."""


def first_server_snapshot(
    server: ServerSettings, settings: Settings, *, holder: str, now: datetime
) -> ServerSnapshot:
    """Describe a gateway that nobody has looked at yet."""
    return ServerSnapshot(
        server=server.name,
        enabled=server.enabled,
        up=None,
        interval_seconds=settings.interval_seconds,
        holder=holder,
        published_at=now,
        settings_revision=settings.revision,
        probe_seconds=RunningHistogram().snapshot(),
        sessions=tuple(
            first_snapshot(server.name, one.name, now, enabled=one.enabled and server.enabled)
            for one in server.sessions
        ),
    )


def first_snapshot(server: str, session: str, now: datetime, *, enabled: bool = True) -> SessionSnapshot:
    """Describe a session that nobody has looked at yet."""
    return SessionSnapshot(
        server=server,
        session=session,
        enabled=enabled,
        verdict=Verdict.UNKNOWN if enabled else Verdict.PAUSED,
        since=now,
    )


def resume_server(first: ServerSnapshot, before: ServerSnapshot | None) -> ServerSnapshot:
    """Carry on what stays true of a gateway whoever probes it."""
    if before is None:
        return first
    carried = {name: getattr(before, name) for name in _CARRIED_ON}
    if before.up is False and timedelta(0) <= first.published_at - before.published_at <= LAST_WORD_HOLDS:
        # Forgotten, its alert would end and begin anew at each restart of the prober during one outage.
        carried |= {"up": False, "problem": before.problem}
    return first.model_copy(update=carried)


def shift_times(known: Known, by: timedelta) -> Known:
    """Move every moment with the clock that was set: for how long something has lasted stays true."""
    update: dict[str, object] = {}
    for name, value in known:
        if isinstance(value, datetime):
            update[name] = value + by
        elif isinstance(value, Frozen):
            update[name] = shift_times(value, by)
    return known.model_copy(update=update)


def resume_sessions(
    server: ServerSettings,
    before: ServerSnapshot | None,
    *,
    newest: Newest,
    stale_after: timedelta,
    now: datetime,
) -> Iterator[tuple[SessionSnapshot, SessionSnapshot]]:
    """Give each session as its last prober left it, and as this one begins with it."""
    known = {one.session: one for one in before.sessions} if before else {}
    for one in server.sessions:
        published = known.get(one.name)
        # What is older stands in the last snapshot: to look for that in all files takes seconds in the end.
        since = before.published_at - NO_GAP if before and published else None
        left = catch_up(published or first_snapshot(server.name, one.name, now), newest(one.name, since))
        if before and before.published_at - now >= NO_GAP:
            left = shift_times(left, now - before.published_at)
        after = pause_or_resume(left, enabled=one.enabled and server.enabled, now=now)
        after = mark_stale(after, now=now, stale_after=stale_after)
        if bool(server.end_to_end_minutes) != (after.end_to_end is not None):
            begun = EndToEnd() if server.end_to_end_minutes else None
            after = after.model_copy(update={"end_to_end": begun})
        if server.self_healing != (after.healing is not None):
            untried = Healing() if server.self_healing else None
            after = after.model_copy(update={"healing": untried})
        yield left, after


def removed_sessions(
    server: ServerSettings, before: ServerSnapshot | None, *, now: datetime
) -> Iterator[tuple[SessionSnapshot, SessionSnapshot]]:
    """Give each session that is not configured any more as its last prober left it, and as paused.

    From now on nobody measures it; were it added again, that time would look like its last verdict.
    """
    for one in before.sessions if before else ():
        if server.session(one.session) is None:
            yield one, pause_or_resume(one, enabled=False, now=now)


def catch_up(session: SessionSnapshot, newest: HistoryEntry | None) -> SessionSnapshot:
    """Go on from the newest transition in the history, where the last snapshot does not know of it yet.

    A prober writes the transition first and publishes then; it may have been killed between the two.
    """
    if newest is None or (session.observed_at is not None and newest.at <= session.since):
        return session
    missed = read_transition(newest)
    return verdict.conclude(session, missed.after, missed.reason, missed.at) if missed.after else session


def pause_or_resume(session: SessionSnapshot, *, enabled: bool, now: datetime) -> SessionSnapshot:
    """Follow the settings: a paused session is not measured, a resumed one is unknown until it is probed."""
    session = session.model_copy(update={"enabled": enabled})
    if not enabled:
        return verdict.conclude(session, Verdict.PAUSED, Reason.NONE, now)
    if session.verdict == Verdict.PAUSED:
        return _unknown(session, Reason.NONE, now)
    return session


def mark_stale(session: SessionSnapshot, *, now: datetime, stale_after: timedelta) -> SessionSnapshot:
    """Show what nobody has looked at for too long as unknown until it is probed."""
    seen = session.observed_at
    if seen is None or session.verdict in (Verdict.PAUSED, Verdict.UNKNOWN) or now - seen <= stale_after:
        return session
    return _unknown(session, Reason.STALE, now)


def _unknown(session: SessionSnapshot, reason: Reason, now: datetime) -> SessionSnapshot:
    # Not by `conclude`: that nobody looked is not a loss, and what runs of an outage goes on.
    return session.model_copy(update={"verdict": Verdict.UNKNOWN, "reason": reason, "since": now, "qr": None})
