"""The form that plans a maintenance window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import available_timezones

import streamlit as st

from core.settings.maintenance import Once, Target, Weekly, Window
from core.settings.values import Settings, all_tags
from dashboard import components, session_state, state
from dashboard.dialogs.until_form import REASON_LENGTH
from dashboard.formatting import LocaleFormatter, by_name, plain
from dashboard.i18n import gettext as _
from dashboard.text import maintenance as maintenance_text
from dashboard.text.until import LENGTHS, SPANS, USUAL

TARGETS, REPEAT, SINCE, UNTIL, DAYS, AT, SPAN, ZONE, REASON = (
    f"maintenance-{name}"
    for name in ("targets", "repeat", "since", "until", "days", "at", "span", "zone", "reason")
)
"""Keys of the widgets."""
ONCE, WEEKLY = "once", "weekly"
EVERYTHING, TAG = "/", "tag:"
"""Values of the first field: everything, and what a tag begins with. No name of a gateway has a colon."""
NIGHT = time(2)


@dataclass(frozen=True)
class Chosen:
    """The window entered in the form."""

    window: Window | None
    problem: str = ""
    """What is still missing."""


def draw_form(opened_at: datetime) -> Chosen:
    """Draw the fields and return what they hold."""
    formatter, settings = state.formatter(opened_at), state.settings()
    st.multiselect(
        _("Applies to"),
        _options(settings),
        format_func=lambda one: plain(maintenance_text.target(formatter, _target(one))),
        key=TARGETS,
        placeholder=_("Gateways, tags, sessions"),
    )
    repeat = st.pills(
        _("When?"),
        [ONCE, WEEKLY],
        default=ONCE,
        required=True,
        format_func=lambda one: {ONCE: _("Once"), WEEKLY: _("Every week")}[one],
        key=REPEAT,
    )
    if repeat == WEEKLY:
        _draw_weekly(formatter)
    else:
        _draw_once(formatter)
    st.text_input(_("Reason (visible to everyone)"), key=REASON, max_chars=REASON_LENGTH, autocomplete="off")
    chosen = read_form("", "")
    if chosen.window is None:
        components.soft(chosen.problem)
    else:
        components.soft(
            " · ".join(maintenance_text.lines(state.formatter(datetime.now(UTC)), chosen.window)[:-1])
        )
    return chosen


def read_form(id_: str, by: str) -> Chosen:
    """Return the window of the form's values, with this id and author, or what is missing."""
    now = datetime.now(UTC)
    targets = tuple(_target(one) for one in session_state.selected_values(TARGETS))
    if not targets:
        return Chosen(None, _("Choose gateways, tags or sessions."))
    if session_state.text_value(REPEAT) == WEEKLY:
        schedule: Once | Weekly | str = _read_weekly()
    else:
        schedule = _read_once(now, state.formatter(now))
    if isinstance(schedule, str):
        return Chosen(None, schedule)
    reason = " ".join(session_state.text_value(REASON).split())[:REASON_LENGTH]
    return Chosen(Window(id=id_, targets=targets, schedule=schedule, by=by, reason=reason))


def _draw_once(formatter: LocaleFormatter) -> None:
    local = formatter.now.astimezone(formatter.zone).replace(tzinfo=None, minute=0, second=0, microsecond=0)
    begin = local + timedelta(hours=1)
    shape = "YYYY-MM-DD" if formatter.locale == "en" else "DD/MM/YYYY"
    st.datetime_input(_("Starts at"), value=begin, key=SINCE, format=shape, required=True)
    st.datetime_input(_("Ends at"), value=begin + timedelta(hours=2), key=UNTIL, format=shape, required=True)


def _draw_weekly(formatter: LocaleFormatter) -> None:
    st.pills(
        _("Days"),
        [str(number) for number in range(7)],
        selection_mode="multi",
        format_func=lambda one: formatter.weekday(int(one)),
        key=DAYS,
        wrap=True,
    )
    st.time_input(_("Starts at"), value=NIGHT, key=AT, step=900)
    st.pills(
        _("For how long?"),
        list(LENGTHS),
        default=USUAL,
        required=True,
        format_func=lambda one: SPANS[one],
        key=SPAN,
        wrap=True,
    )
    zones = _zones()
    here = state.zone_name()
    st.selectbox(_("Time zone"), zones, index=zones.index(here) if here in zones else None, key=ZONE)


def _read_once(now: datetime, formatter: LocaleFormatter) -> Once | str:
    since, until = session_state.datetime_value(SINCE), session_state.datetime_value(UNTIL)
    if since is None or until is None:
        return _("Enter start and end.")
    begin, end = (one.replace(tzinfo=formatter.zone).astimezone(UTC) for one in (since, until))
    if end <= begin:
        return _("The end must be after the start.")
    if end <= now:
        return _("The end is in the past.")
    return Once(since=begin, until=end)


def _read_weekly() -> Weekly | str:
    weekdays = tuple(sorted(int(one) for one in session_state.selected_values(DAYS)))
    at, zone = session_state.time_value(AT), session_state.text_value(ZONE)
    if not weekdays:
        return _("Choose at least one day.")
    if at is None or not zone:
        return _("Enter time and time zone.")
    length = LENGTHS[session_state.text_value(SPAN) or USUAL]
    return Weekly(weekdays=weekdays, at=f"{at:%H:%M}", minutes=int(length.total_seconds() // 60), zone=zone)


def _options(settings: Settings) -> list[str]:
    """Return everything, each gateway, tag and session as values of the field."""
    servers = sorted(settings.servers, key=lambda one: by_name(one.name))
    sessions = [
        f"{server.name}/{one.name}"
        for server in servers
        for one in sorted(server.sessions, key=lambda one: by_name(one.name))
    ]
    tags = all_tags(one for server in servers for one in server.sessions)
    gateways = (f"{one.name}/" for one in servers)
    return [EVERYTHING, *gateways, *(f"{TAG}{one}" for one in tags), *sessions]


def _target(option: str) -> Target:
    if option.startswith(TAG):
        return Target.of_tag(option.removeprefix(TAG))
    server, _separator, session = option.partition("/")
    return Target(server=server or None, session=session or None)


@cache
def _zones() -> list[str]:
    return sorted(available_timezones())
