"""Texts of incidents: sessions, cause and what was done. Pure functions, without Streamlit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from core.uptime.incidents import Incident
from dashboard import formatting
from dashboard.formatting import LocaleFormatter
from dashboard.text import history as history_text
from dashboard.text import track as track_text


class Event(NamedTuple):
    """One event within an incident."""

    at: datetime
    text: str
    actor: str = ""


def where(formatter: LocaleFormatter, incident: Incident) -> str:
    """Return the session, or the gateway with the number of its sessions."""
    if len(incident.sessions) == 1:
        return incident.sessions[0]
    _ = formatter.translate
    return _("{server}: {count} sessions").format(server=incident.server, count=len(incident.sessions))


def cause(formatter: LocaleFormatter, incident: Incident) -> str:
    """Return why the connection was lost."""
    return formatting.why(formatter, incident.reason) or track_text.loss(formatter, incident.reason)


def lasted(formatter: LocaleFormatter, incident: Incident) -> str:
    """Return the duration, "12 min so far" while it lasts."""
    text = formatting.duration(incident.seconds(formatter.now))
    if incident.until is not None:
        return text
    return formatter.translate("{duration} so far").format(duration=text)


def events(formatter: LocaleFormatter, incident: Incident, firing_since: datetime | None) -> list[Event]:
    """Return what happened in an incident, oldest first; `firing_since` is when its alert began to fire."""
    return sorted(_events(formatter, incident, firing_since), key=lambda one: one.at)


def _events(formatter: LocaleFormatter, incident: Incident, firing_since: datetime | None) -> Iterator[Event]:
    _ = formatter.translate
    for at, text in (
        (firing_since, _("Alert firing")),
        (incident.code_shown_at, _("Code shown")),
        (incident.code_used_at, _("Code used")),
        (incident.until, _("Connected") if incident.has_recovered else _("Paused")),
    ):
        if at is not None:
            yield Event(at, text)
    for entry in incident.responses:
        actor = formatting.actor(formatter, entry.actor) if entry.actor else ""
        # Of several sessions, each response names its own.
        session = f"{entry.session}: " if entry.session and len(incident.sessions) > 1 else ""
        yield Event(entry.at, session + history_text.line(formatter, entry), actor)
