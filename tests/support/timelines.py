"""The past of a gateway's sessions as the whole log tells it, read at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core.models import HistoryEntry, ServerSnapshot
from core.uptime.timeline import Past, Span, timeline

Timelines = dict[tuple[str, str], tuple[Span, ...]]


def timelines(entries: Iterable[HistoryEntry], server: ServerSnapshot, now: datetime) -> Timelines:
    """Work out the past of every session of a gateway, by server and session."""
    past = Past(entries)
    gaps = past.gaps[server.server]
    return {
        key: timeline(past.transitions[key], gaps, one, heartbeat=server.published_at, now=now)
        for one in server.sessions
        for key in [(server.server, one.session)]
    }
