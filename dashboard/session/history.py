"""The history on a session's page: uptime, outages and recent events."""

from __future__ import annotations

from datetime import datetime
from html import escape

import streamlit as st

from core.models import SessionSnapshot, Verdict
from core.uptime.records import TrackRecord, Window
from dashboard import components, formatting, navigation, state
from dashboard.activity import history_cache
from dashboard.charts.timeline import draw_timeline
from dashboard.formatting import LocaleFormatter
from dashboard.fragments import fragment
from dashboard.i18n import gettext as _
from dashboard.text import track as track_text
from dashboard.text.track import WINDOWS

REFRESH_SECONDS = 3
STATES_REFRESH_SECONDS = 15
USUAL_WINDOW = Window.WEEK
"""The last day stands above, as a bar."""
OUTAGES = 5


@fragment(run_every=REFRESH_SECONDS)
def draw_session_history(server: str, name: str) -> None:
    """Draw uptime, outages and recent events, which background threads read."""
    state.user()
    formatter = state.formatter(state.snapshot().taken_at)
    session = state.snapshot().session(server, name)
    record = history_cache.track_records().get((server, name))
    with st.container(key="track-box"):
        components.subtitle(_("Uptime and outages"))
        st.html(track_text.heartbeat(formatter, name, record) + track_text.uptimes(formatter, record))
        if record is not None:
            st.html(_outages(formatter, record, session))
    entries = history_cache.history(server, name)
    with st.container(key="history-box"):
        components.subtitle(_("Recent activity"))
        if entries is None:
            components.soft(_("Loading..."))
        elif not entries:
            components.soft(_("No activity yet."))
        else:
            st.html(components.history_table(formatter, entries))
            st.page_link(
                navigation.ACTIVITY.script,
                label=_("View all activity"),
                query_params={"server": server, "session": name},
            )


@fragment(run_every=STATES_REFRESH_SECONDS)
def draw_states(server: str, name: str) -> None:
    """Draw the states of a session as a chart, over a time that the user chooses."""
    state.user()
    record = history_cache.track_records().get((server, name))
    formatter = state.formatter(state.snapshot().taken_at)
    with st.container(key="states-box"):
        components.subtitle(_("State timeline"))
        window = st.pills(
            _("Time"),
            list(Window),
            default=USUAL_WINDOW,
            required=True,
            format_func=lambda one: WINDOWS[one],
            key="states-window",
            label_visibility="collapsed",
        )
        if record is None:
            components.soft(_("Loading..."))
        else:
            draw_timeline(formatter, name, record, window or USUAL_WINDOW)


def _back_at(session: SessionSnapshot | None) -> datetime | None:
    """Return since when a session is connected again; its track record is read less often than its state."""
    return session.since if session is not None and session.verdict is Verdict.CONNECTED else None


def _outages(formatter: LocaleFormatter, record: TrackRecord, session: SessionSnapshot | None) -> str:
    """Return the counts of connection losses by cause and the latest outages as HTML."""
    back_at, lost_now = _back_at(session), session is not None and session.lost_at is not None
    told = [
        *track_text.lost_and_back(formatter, record, lost_now=lost_now),
        *track_text.losses(formatter, record.disconnects),
    ]
    lines = "".join(f"<li>{escape(one)}</li>" for one in told)
    rows = []
    for outage in reversed(record.outages[-OUTAGES:]):
        lasted = formatting.duration(outage.seconds(back_at or formatter.now))
        if outage.until is None and back_at is None:
            lasted = _("{duration} so far").format(duration=lasted)
        why = formatting.why(formatter, outage.reason) or track_text.loss(formatter, outage.reason)
        exact = escape(formatter.exactly(outage.since), quote=True)
        rows.append(
            f'<tr><td title="{exact}">{escape(formatter.moment(outage.since))}</td>'
            f"<td>{escape(lasted)}</td><td>{escape(why)}</td></tr>"
        )
    table = ""
    if rows:
        heads = "".join(f"<th>{escape(head)}</th>" for head in (_("Started"), _("Duration"), _("Cause")))
        table = (
            f'<table class="ops-history ops-outages"><thead><tr>{heads}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table>"
        )
    return f'<ul class="ops-plain">{lines}</ul>{table}'
