"""One session in the overview: a row, on a phone a card, with its main action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from html import escape

import streamlit as st

from core.models import SessionSnapshot, Verdict
from core.uptime.records import TrackRecord
from dashboard import components, formatting, navigation, session_state, state
from dashboard.alerting import panel as alert_panel
from dashboard.auth.users import Role
from dashboard.formatting import LocaleFormatter, plain
from dashboard.i18n import N_
from dashboard.i18n import gettext as _
from dashboard.overview.fleet_bar import draw_pick
from dashboard.session import actions
from dashboard.text import track as track_text
from dashboard.text.engine import formatter_for
from dashboard.words import look

SAME_MOMENT = timedelta(minutes=1)
"""A last connection less than this before the verdict's start is the same moment, and is not shown twice."""


@dataclass(frozen=True)
class Row:
    """The data of a row."""

    session: SessionSnapshot
    record: TrackRecord | None
    shows_server: bool = False
    """Whether to show the gateway's name: there are several gateways."""
    is_folded: bool = False
    """Whether the next step stands on the card of its gateway."""


def draw_row(formatter: LocaleFormatter, row: Row) -> None:
    """Draw one session. Keyed by name, so that a click never reaches another session that moved there."""
    session = row.session
    formatter = formatter_for(formatter, session)
    names = (session.server, session.session)
    params = {"server": session.server, "session": session.session}
    with st.container(key=f"row-{session.server}-{session.session}"):
        st.page_link(navigation.SESSION.script, label=plain(session.session), query_params=params)
        st.html(describe(formatter, row))
        st.html(
            track_text.heartbeat(formatter, session.session, row.record)
            + track_text.uptimes(formatter, row.record)
        )
        label, key, action, arguments = _OPEN if row.is_folded else button(session)
        st.button(
            _(label).format(session=plain(session.session)),
            key=f"{key}-{session.server}-{session.session}",
            on_click=action,
            args=arguments or names,
            type="primary" if look(session).tone == "bad" and not row.is_folded else "secondary",
            width="stretch",
        )
        found = alert_panel.silence_of(session)
        # That of a gateway stands on its card, and on the page of alerts.
        if found is not None and not found.gateway and state.may(Role.OPERATOR):
            alert_panel.draw_end_button(names, found)
        draw_pick(session)


def describe(formatter: LocaleFormatter, row: Row) -> str:
    """Return the verdict, its start, gateway and reason as HTML."""
    session = row.session
    server = f'<span class="ops-soft">{escape(session.server)}</span>' if row.shows_server else ""
    lines = [formatting.reason(formatter, session)]
    known, since = session.last_connected, session.since
    if session.verdict != Verdict.PAUSED and (known is None or since - known > SAME_MOMENT):
        lines.append(formatting.last_connected(formatter, session))
    failed = session_state.notice(actions.place(session.server, session.session))
    if failed is not None:
        lines.append(failed.text)
    told = "".join(f"<div>{escape(text)}</div>" for text in lines if text)
    return (
        f'<div class="ops-line">{components.badge(formatter, session)}'
        f"{components.since(formatter, session)}{server}</div>{components.about_briefly(session)}"
        f"{components.maintenance_line(formatter, session)}"
        f'<div class="ops-soft ops-why">{told}</div>{components.pause_line(formatter, session)}'
        f"{alert_panel.silence_line(formatter, session)}"
    )


_Button = tuple[str, str, Callable[..., None], tuple[str, ...]]
_OPEN: _Button = (N_("Open {session}"), "open", actions.open_session, ())


def button(session: SessionSnapshot) -> _Button:
    """Return the main action: label, key prefix, callback, arguments (empty: server and session)."""
    match session.verdict:
        case _ if not state.may(Role.OPERATOR):
            return _OPEN
        case Verdict.DISCONNECTED if session.ever_connected:
            return N_("Re-pair {session}"), "repair", actions.pair_from_list, ()
        case Verdict.DISCONNECTED:
            return N_("Pair {session}"), "repair", actions.pair_from_list, ()
        case Verdict.STUCK | Verdict.UNRESPONSIVE:
            return N_("Restart {session}"), "restart", actions.restart_from_list, ()
        case Verdict.UNAUTHORIZED if state.may(Role.ADMINISTRATOR):
            return N_("Check the secret key"), "secret", actions.open_settings, (session.server,)
        case Verdict.UNREACHABLE if state.may(Role.ADMINISTRATOR):
            return N_("Check the address"), "address", actions.open_settings, (session.server,)
        case Verdict.PAUSED:
            return N_("Resume {session}"), "resume", actions.resume, ()
        case Verdict.WAITING_FOR_QR:
            return N_("Show the QR code of {session}"), "open", actions.open_session, ()
        case _:
            return _OPEN
