"""Fields of the forms on the settings page, each with its setting, its value and a readable value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.settings.values import Settings
from dashboard.i18n import gettext as _
from dashboard.session_state import Field
from dashboard.words import TOKEN_SOURCES

WEBHOOK_UNKNOWN, WEBHOOK_NONE, WEBHOOK_URL = "unknown", "none", "url"


@dataclass(frozen=True)
class FieldNow:
    """One field of a form with its value in the active settings."""

    path: str
    """The dotted path of the setting."""
    drawn: Field
    """The value of its widget; empty for a secret key."""
    value: object
    """The value compared to detect a change by another user."""
    words: str
    """The value as text for the user."""


Fields = Mapping[str, FieldNow]
ReadFields = Callable[[Settings], Fields | None]
"""Returns a form's fields from the active settings; None if the form's gateway or session was removed."""


def server_fields(settings: Settings, name: str) -> Fields | None:
    """Return the fields of a gateway's form; None if it was removed."""
    server = settings.server(name)
    if server is None:
        return None
    path, source = f"servers.{name}", server.token_source
    is_set = _("set") if server.secret_key else _("not set")
    minutes = float(server.end_to_end_minutes)
    every = f"{minutes:g} min" if minutes else _("never")
    return {
        "url": FieldNow(f"{path}.url", server.url, server.url, server.url),
        "secret_key": FieldNow(f"{path}.secret_key", "", server.secret_key, is_set),
        "token_source": FieldNow(f"{path}.token_source", str(source), source, _(TOKEN_SOURCES[source])),
        "enabled": FieldNow(f"{path}.enabled", server.enabled, server.enabled, yes_or_no(server.enabled)),
        "end_to_end_minutes": FieldNow(f"{path}.end_to_end_minutes", minutes, minutes, every),
        "self_healing": FieldNow(
            f"{path}.self_healing", server.self_healing, server.self_healing, yes_or_no(server.self_healing)
        ),
    }


def session_fields(settings: Settings, server: str, name: str) -> Fields | None:
    """Return the fields of a session's form; None if it was removed."""
    found = settings.server(server)
    session = found.session(name) if found else None
    if session is None:
        return None
    path, webhook = f"servers.{server}.sessions.{name}", session.webhook
    if webhook is None:
        kind, words = WEBHOOK_UNKNOWN, _("not known")
    else:
        kind, words = (WEBHOOK_URL, webhook) if webhook else (WEBHOOK_NONE, _("none"))
    return {
        "enabled": FieldNow(f"{path}.enabled", session.enabled, session.enabled, yes_or_no(session.enabled)),
        "webhook": FieldNow(f"{path}.webhook", kind, webhook, words),
        "webhook_url": FieldNow(f"{path}.webhook", webhook or "", webhook, words),
        "label": FieldNow(f"{path}.label", session.label, session.label, session.label or _("none")),
        "owner": FieldNow(f"{path}.owner", session.owner, session.owner, session.owner or _("none")),
        "note": FieldNow(f"{path}.note", session.note, session.note, session.note or _("none")),
    }


def interval_fields(settings: Settings) -> Fields | None:
    """Return the field of the interval's form."""
    seconds = float(settings.interval_seconds)
    return {"seconds": FieldNow("interval_seconds", seconds, seconds, f"{seconds:g} s")}


def yes_or_no(value: bool) -> str:
    """Return the value of a switch as text."""
    return _("yes") if value else _("no")
