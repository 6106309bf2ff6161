"""History entries of verdicts and probing: written by the prober, read by the timeline."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from core.models import HistoryEntry, Reason, SessionSnapshot, Verdict

TRANSITION, MONITORING = "transition", "monitoring"
KINDS = frozenset({TRANSITION, MONITORING})

_VERDICTS = {verdict.value: verdict for verdict in Verdict}
_REASONS = {reason.value: reason for reason in Reason}


class Transition(NamedTuple):
    """A change of verdict in the log; a verdict is None if only a later release knows it."""

    at: datetime
    before: Verdict | None
    after: Verdict | None
    reason: Reason
    held_since: datetime
    """Start of the verdict before."""
    maintenance_until: datetime | None = None
    """When the maintenance window that is open afterwards ends; None if none is."""


class Start(NamedTuple):
    """The start of probing a gateway."""

    at: datetime
    heartbeat: datetime | None
    """The previous prober's last heartbeat; None if unknown."""


def write_transition(
    before: SessionSnapshot, after: SessionSnapshot, at: datetime | None = None
) -> HistoryEntry:
    """Return the history entry for a change of verdict, or of maintenance at a time in the same verdict."""
    at = at or after.since
    data: dict[str, str | int | float | bool | None] = {
        "from": before.verdict,
        "to": after.verdict,
        "reason": after.reason,
        "held_seconds": round(max(0.0, (at - before.since).total_seconds()), 3),
    }
    if after.maintenance_until is not None:
        data["maintenance_until"] = after.maintenance_until.isoformat()
    return HistoryEntry(at=at, kind=TRANSITION, server=after.server, session=after.session, data=data)


def read_transition(entry: HistoryEntry) -> Transition:
    """Return the change of verdict in a history entry."""
    held, reason = entry.data.get("held_seconds"), entry.data.get("reason")
    seconds = float(held) if isinstance(held, int | float) else 0.0
    until = entry.data.get("maintenance_until")
    return Transition(
        entry.at,
        _VERDICTS.get(str(entry.data.get("from"))),
        _VERDICTS.get(str(entry.data.get("to"))),
        _REASONS.get(str(reason), Reason.NONE),
        entry.at - timedelta(seconds=max(0.0, seconds)),
        datetime.fromisoformat(until) if isinstance(until, str) else None,
    )


def write_start(server: str, holder: str, start: Start) -> HistoryEntry:
    """Return the history entry for a prober's start."""
    heartbeat = start.heartbeat.isoformat() if start.heartbeat else None
    data: dict[str, str | int | float | bool | None]
    data = {"event": "started", "holder": holder, "last_heartbeat": heartbeat}
    return HistoryEntry(at=start.at, kind=MONITORING, server=server, data=data)


def read_start(entry: HistoryEntry) -> Start | None:
    """Return the prober's start in a history entry; None for an event of a later release."""
    if entry.data.get("event") != "started":
        return None
    heartbeat = entry.data.get("last_heartbeat")
    return Start(entry.at, datetime.fromisoformat(heartbeat) if isinstance(heartbeat, str) else None)
