"""Draw the incidents: filter, table and links to the monthly reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from html import escape
from typing import cast
from urllib.parse import urlencode

import streamlit as st

from core.models import Snapshot
from core.uptime.incidents import Incident, incidents
from core.uptime.records import LONGEST, Window
from dashboard import components, state
from dashboard.activity import history_cache
from dashboard.activity.actions import widget
from dashboard.activity.lines import USUAL_PERIOD
from dashboard.activity.table import choose
from dashboard.alerting import overview
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import gettext as _
from dashboard.incidents.report import MARKDOWN_PATH, PATH, month_of
from dashboard.text import incidents as incident_text
from dashboard.text.track import WINDOWS

MAX_INCIDENTS = 100
MAX_AGE_SECONDS = 3.0
MONTHS = 12
"""The history is kept a little longer."""

PAGE = "incidents"


def draw_filter(snapshot: Snapshot) -> tuple[Window, str, str]:
    """Draw the filter. Return the period, the gateway and the session; "" for all. The URL keeps it."""
    servers = [server.server for server in snapshot.servers]
    sessions = sorted({one.session for server in snapshot.servers for one in server.sessions})
    with st.container(key="filter", horizontal=True, vertical_alignment="bottom"):
        periods = {window.value: name for window, name in WINDOWS.items()}
        chosen = partial(choose, page=PAGE)
        period = chosen("period", _("Time"), list(periods), periods.__getitem__, usual=USUAL_PERIOD)
        server = chosen("server", _("Gateway"), servers, str) if len(servers) > 1 else ""
        session = chosen("session", _("Session"), sessions, str)
    return Window(period if period in periods else USUAL_PERIOD), server, session


def begin() -> None:
    """Start reading the incidents and wait for them briefly."""
    history_cache.begin_track_records()
    read()
    state.background().wait(PAGE, history_cache.FIRST_SECONDS)


def read() -> Sequence[Incident] | None:
    """Return the incidents of the last 30 days; None until they are read."""
    records = history_cache.known_track_records()
    if records is None:
        return None
    log, since = state.response_log(), state.snapshot().taken_at - LONGEST

    def read_now() -> list[Incident]:
        return incidents({key: one.outages for key, one in records.items()}, log.read(since))

    found = state.background().fresh(PAGE, read_now, max_age_seconds=MAX_AGE_SECONDS)
    return cast("list[Incident] | None", found)


def firing() -> Mapping[tuple[str, str], datetime]:
    """Return since when an alert fires, by gateway and session ("" for the gateway's own)."""
    known = overview.read()
    since: dict[tuple[str, str], datetime] = {}
    for one in known.firing if known else ():
        key = one.server, one.session
        since[key] = min(one.since, since.get(key, one.since))
    return since


def matching(
    found: Sequence[Incident], now: datetime, window: Window, server: str, session: str
) -> list[Incident]:
    """Return the incidents that lasted within the window, of a gateway and a session if these are given."""
    return [
        one
        for one in found
        if (one.until is None or one.until > now - window.length)
        and server in ("", one.server)
        and (not session or session in one.sessions)
    ]


def table(
    formatter: LocaleFormatter, found: Sequence[Incident], firing: Mapping[tuple[str, str], datetime]
) -> str:
    """Return the incidents as an HTML table, in the given order."""
    heads = "".join(
        f"<th>{escape(one)}</th>"
        for one in (_("Start"), _("Duration"), _("Session"), _("Cause"), _("Events"))
    )
    rows = "".join(_row(formatter, one, firing) for one in found)
    head = f"<thead><tr>{heads}</tr></thead>"
    return f'<table class="ops-history ops-incidents">{head}<tbody>{rows}</tbody></table>'


def draw_reports(formatter: LocaleFormatter) -> None:
    """Draw the month's choice and the links to its report."""
    components.subtitle(_("Monthly report"))
    months = [month_of(formatter.now.astimezone(formatter.zone), back) for back in range(MONTHS)]
    with st.container(key="report", horizontal=True, vertical_alignment="bottom"):
        month = st.selectbox(
            _("Month"),
            months,
            format_func=formatter.month,
            key=widget(PAGE, "month"),
            width=180,
        )
        query = escape(urlencode({"month": month, "zone": state.zone_name()}), quote=True)
        links = "".join(
            f'<a class="ops-anchor" href="{path[1:]}?{query}" download>{escape(label)}</a> '
            for path, label in ((PATH, _("Download as CSV")), (MARKDOWN_PATH, _("Download as Markdown")))
        )
        st.html(f'<div class="ops-line">{links}</div>', width="content")


def _row(formatter: LocaleFormatter, incident: Incident, firing: Mapping[tuple[str, str], datetime]) -> str:
    exact = escape(formatter.exactly(incident.since), quote=True)
    tone = ' class="ops-says-bad"' if incident.until is None else ""
    cells = (
        f"<span{tone}>{escape(incident_text.lasted(formatter, incident))}</span>",
        _where(formatter, incident),
        escape(incident_text.cause(formatter, incident)),
        _events(formatter, incident, firing),
    )
    return (
        f'<tr><td title="{exact}">{escape(formatter.moment(incident.since))}</td>'
        f"{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    )


def _where(formatter: LocaleFormatter, incident: Incident) -> str:
    links = [components.session_link(incident.server, name) for name in incident.sessions]
    if len(links) == 1:
        return links[0]
    is_open = set(incident.open_sessions)
    items = "".join(
        f"<li{' class=ops-says-bad' if name in is_open else ''}>{link}</li>"
        for name, link in zip(incident.sessions, links, strict=True)
    )
    title = escape(incident_text.where(formatter, incident))
    return f"<details><summary>{title}</summary><ul>{items}</ul></details>"


def _events(
    formatter: LocaleFormatter, incident: Incident, firing: Mapping[tuple[str, str], datetime]
) -> str:
    since = None
    if incident.until is None:
        known = [firing.get((incident.server, name)) for name in ("", *incident.open_sessions)]
        since = min((one for one in known if one is not None), default=None)
    items = []
    for event in incident_text.events(formatter, incident, since):
        exact = escape(formatter.exactly(event.at), quote=True)
        actor = f' <span class="ops-soft">({escape(event.actor)})</span>' if event.actor else ""
        moment = f'<span class="ops-soft" title="{exact}">{escape(formatter.moment(event.at))}</span>'
        items.append(f"<li>{moment} {escape(event.text)}{actor}</li>")
    return f"<ul>{''.join(items)}</ul>" if items else ""
