"""Expiry of pauses: each process compares their end with the clock, so their expiry needs no write.

Pure functions; `core.settings.pausing` saves pauses.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from core.models import Pause
from core.settings.values import ServerSettings, Settings


def in_force(settings: Settings, now: datetime) -> tuple[Settings, datetime | None]:
    """Return the settings without expired pauses, and when the next pause expires; None if none does."""
    ends = [pause.until for pause in _pauses(settings) if pause.until is not None]
    if any(end <= now for end in ends):
        settings = settings.model_copy(
            update={"servers": tuple(_lifted(server, now) for server in settings.servers)}
        )
    return settings, min((end for end in ends if end > now), default=None)


def pause_of(settings: Settings, server: str, session: str) -> Pause | None:
    """Return the pause of a session's gateway or of the session itself; None if there is none on record."""
    found = settings.server(server)
    one = found.session(session) if found else None
    return (found.pause if found else None) or (one.pause if one else None)


def _pauses(settings: Settings) -> Iterator[Pause]:
    for server in settings.servers:
        yield from (one for one in (server.pause, *(one.pause for one in server.sessions)) if one is not None)


def _lifted(server: ServerSettings, now: datetime) -> ServerSettings:
    sessions = tuple(
        one.model_copy(update={"enabled": True, "pause": None}) if _is_over(one.pause, now) else one
        for one in server.sessions
    )
    update: dict[str, object] = {"sessions": sessions}
    if _is_over(server.pause, now):
        update |= {"enabled": True, "pause": None}
    return server.model_copy(update=update)


def _is_over(pause: Pause | None, now: datetime) -> bool:
    return pause is not None and pause.until is not None and pause.until <= now
