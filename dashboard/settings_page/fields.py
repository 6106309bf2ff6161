"""Fields of the forms on the settings page, each with its setting, its value and a readable value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.gateways.registry import kind_of
from core.messages import Message, render
from core.models import Frozen
from core.settings.model import ProgramFields, ServerFields, SessionFields
from core.settings.setting import SettingField, setting_fields
from core.settings.values import Settings
from dashboard.i18n import gettext as _
from dashboard.session_state import Field

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
    """Return the fields of a gateway's form that its kind offers; None if it was removed."""
    server = settings.server(name)
    if server is None:
        return None
    fields, offered = _fields(ServerFields, server, f"servers.{name}."), kind_of(server.kind).capabilities
    needs = {one.name: one.setting.capability for one in setting_fields(ServerFields)}
    return {name: field for name, field in fields.items() if needs[name] in (None, *offered)}


def session_fields(settings: Settings, server: str, name: str) -> Fields | None:
    """Return the fields of a session's form; None if it was removed."""
    found = settings.server(server)
    session = found.session(name) if found else None
    if session is None:
        return None
    path, webhook = f"servers.{server}.sessions.{name}", session.webhook
    if webhook is None:
        kind, words = WEBHOOK_UNKNOWN, _("unknown")
    else:
        kind, words = (WEBHOOK_URL, webhook) if webhook else (WEBHOOK_NONE, _("none"))
    return {
        **_fields(SessionFields, session, f"{path}."),
        "webhook": FieldNow(f"{path}.webhook", kind, webhook, words),
        "webhook_url": FieldNow(f"{path}.webhook", webhook or "", webhook, words),
    }


def interval_fields(settings: Settings) -> Fields | None:
    """Return the field of the interval's form."""
    return _fields(ProgramFields, settings, "")


def text(message_id: str, **names: str) -> str:
    """Return a text of a setting in the user's language; "" for no id."""
    return render(Message(message_id, names), _) if message_id else ""


def _fields(model: type[Frozen], values: Frozen, path: str) -> dict[str, FieldNow]:
    return {
        one.name: _field_now(one, getattr(values, one.name), f"{path}{one.name}")
        for one in setting_fields(model)
        if one.setting.label
    }


def _field_now(one: SettingField, value: Any, path: str) -> FieldNow:
    if one.is_secret:
        return FieldNow(path, "", value, _("set") if value else _("not set"))
    if one.type is bool:
        return FieldNow(path, value, value, _("yes") if value else _("no"))
    if one.type is float:
        unit = "min" if one.name.endswith("_minutes") else "s"
        return FieldNow(path, float(value), value, f"{value:g} {unit}" if value else _("never"))
    if value in one.setting.choices:
        return FieldNow(path, str(value), value, text(one.setting.choices[value]))
    return FieldNow(path, value or "", value, value or _("none"))
