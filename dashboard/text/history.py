"""Texts of history entries: event and result. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from core.messages.operation import OUTCOMES
from core.models import HistoryEntry, Verdict
from dashboard import formatting
from dashboard.auth.words import ROLES
from dashboard.formatting import LocaleFormatter
from dashboard.text import alerts as alert_text
from dashboard.text import maintenance as maintenance_text
from dashboard.text import sync as sync_text
from dashboard.words import (
    HANDOFF_EVENTS,
    HISTORY_KINDS,
    LOOKS,
    OPERATIONS,
    REASONS,
    SIGN_IN_OUTCOMES,
    USER_CHANGES,
)

SHORTEST_GAP_SECONDS = 1.0
"""A shorter gap between two probing programs is not reported."""


class Told(NamedTuple):
    """The text of a history entry: the event."""

    what: str
    result: str = ""
    """The result, or the reason."""
    tone: str = ""
    """"good", "bad" or "" (neutral)."""


def tell(formatter: LocaleFormatter, entry: HistoryEntry) -> Told:
    """Return the text of an entry; of an unknown kind, its data."""
    return _TOLD.get(entry.kind, _tell_data)(formatter, entry)


def line(formatter: LocaleFormatter, entry: HistoryEntry) -> str:
    """Return the text of an entry as one line."""
    told = tell(formatter, entry)
    return f"{told.what}: {told.result}" if told.result else told.what


def _tell_transition(formatter: LocaleFormatter, entry: HistoryEntry) -> Told:
    _ = formatter.translate
    word, why = entry.data.get("to"), _known(formatter, _REASON_WORDS, entry.data.get("reason"))
    maintained = entry.data.get("maintenance_until")
    if word == entry.data.get("from"):
        return Told(_("Maintenance started") if maintained else _("Maintenance ended"))
    if word == Verdict.UNKNOWN and entry.data.get("from") == Verdict.PAUSED:
        return Told(_("Checks resumed"))
    tone = LOOKS[Verdict(str(word))].tone if word in _VERDICT_WORDS and not maintained else ""
    why = " ".join(one for one in (why, _("During maintenance.") if maintained else "") if one)
    return Told(_known(formatter, _VERDICT_WORDS, word), why, tone)


def _tell_operation(formatter: LocaleFormatter, entry: HistoryEntry) -> Told:
    data = entry.data
    result = _known(formatter, OUTCOMES, data.get("outcome"))
    return Told(
        _known(formatter, OPERATIONS, data.get("operation")), result, "good" if data.get("ok") else "bad"
    )


def _tell_pause(formatter: LocaleFormatter, entry: HistoryEntry) -> Told:
    _ = formatter.translate
    if entry.data.get("event") == "resumed":
        return Told(_("Resumed"))
    until = entry.data.get("until")
    reason = str(entry.data.get("reason") or "")
    if not isinstance(until, str):
        return Told(_("Paused"), reason)
    moment = formatter.moment(datetime.fromisoformat(until))
    return Told(_("Paused until {moment}").format(moment=moment), reason)


def _tell_settings(formatter: LocaleFormatter, entry: HistoryEntry) -> Told:
    _ = formatter.translate
    fields = str(entry.data.get("fields") or "").split(", ")
    return Told(_("Settings changed"), "; ".join(formatting.settings_field(_, one) for one in fields if one))


def _tell_monitoring(formatter: LocaleFormatter, entry: HistoryEntry) -> Told:
    _ = formatter.translate
    if entry.data.get("event") != "started":
        return _tell_data(formatter, entry)
    program = formatting.program(_, str(entry.data.get("holder") or ""))
    told = _("Checks taken over by {program}").format(program=program)
    heartbeat = entry.data.get("last_heartbeat")
    if not isinstance(heartbeat, str):
        return Told(told)
    gap = (entry.at - datetime.fromisoformat(heartbeat)).total_seconds()
    if gap < SHORTEST_GAP_SECONDS:
        return Told(told)
    return Told(told, _("Not checked for {duration}").format(duration=formatting.duration(gap)))


def _tell_sign_in(formatter: LocaleFormatter, entry: HistoryEntry) -> Told:
    outcome, address = entry.data.get("outcome"), entry.data.get("address")
    return Told(_known(formatter, SIGN_IN_OUTCOMES, outcome), str(address or ""))


def _tell_user(formatter: LocaleFormatter, entry: HistoryEntry) -> Told:
    words = (str(entry.data.get("user") or ""), _known(formatter, _ROLE_WORDS, entry.data.get("role")))
    return Told(
        _known(formatter, USER_CHANGES, entry.data.get("change")), ", ".join(one for one in words if one)
    )


def _tell_alert(formatter: LocaleFormatter, entry: HistoryEntry) -> Told:
    _ = formatter.translate
    data = entry.data
    if data.get("event") == "pager_tested":
        is_good = data.get("outcome") == "delivered"
        result = _("Delivered") if is_good else alert_text.problem(formatter, str(data.get("outcome")))
        return Told(_("Test alert sent"), result, "good" if is_good else "bad")
    until = data.get("until")
    if data.get("event") != "acknowledged" or not isinstance(until, str):
        over = _("The session is connected.") if entry.session else _("The gateway answers again.")
        return Told(_("Alerts resumed"), over if data.get("reason") == "connected" else "")
    moment = formatter.moment(datetime.fromisoformat(until))
    return Told(_("Acknowledged until {moment}").format(moment=moment), str(data.get("reason") or ""))


def _tell_handoff(formatter: LocaleFormatter, entry: HistoryEntry) -> Told:
    words = _known(formatter, HANDOFF_EVENTS, entry.data.get("event"))
    return Told(words.replace("{maker}", str(entry.data.get("maker") or "")))


def _tell_maintenance(formatter: LocaleFormatter, entry: HistoryEntry) -> Told:
    return Told(*maintenance_text.history_line(formatter, entry))


def _tell_sync(formatter: LocaleFormatter, entry: HistoryEntry) -> Told:
    return Told(sync_text.history_line(formatter, entry))


def _tell_data(formatter: LocaleFormatter, entry: HistoryEntry) -> Told:
    kind = formatter.translate(HISTORY_KINDS.get(entry.kind, entry.kind))
    return Told(
        kind, ", ".join(f"{key}: {value}" for key, value in entry.data.items() if value not in (None, ""))
    )


_TOLD: Mapping[str, Callable[[LocaleFormatter, HistoryEntry], Told]] = {
    "transition": _tell_transition,
    "operation": _tell_operation,
    "pause": _tell_pause,
    "maintenance": _tell_maintenance,
    "settings": _tell_settings,
    "monitoring": _tell_monitoring,
    "sign_in": _tell_sign_in,
    "user": _tell_user,
    "sync": _tell_sync,
    "handoff": _tell_handoff,
    "alert": _tell_alert,
}
_ROLE_WORDS = {role.value: words for role, words in ROLES.items()}
_VERDICT_WORDS = {verdict.value: look.label for verdict, look in LOOKS.items()}
_REASON_WORDS = {reason.value: words for reason, words in REASONS.items()}


def _known(formatter: LocaleFormatter, table: Mapping[str, str], code: object) -> str:
    """Return the translated text of a code; an unknown code unchanged."""
    word = table.get(str(code), "" if code is None else str(code))
    return formatter.translate(word)
