"""A gateway with a fault of its own in the overview: one card for it and all the sessions that it costs."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import streamlit as st

from core.models import Verdict
from core.uptime.records import TrackRecord
from dashboard import components, formatting, session_state, state
from dashboard.alerting import panel as alert_panel
from dashboard.auth.users import Role
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import gettext as _
from dashboard.overview.actions import examine
from dashboard.overview.row import Row, draw_row
from dashboard.overview.selection import Fold
from dashboard.session import actions


def draw_card(formatter: LocaleFormatter, fold: Fold, records: Mapping[tuple[str, str], TrackRecord]) -> None:
    """Draw the gateway's fault, its cause and the next step; its sessions only once they are unfolded."""
    server = fold.gateway.server
    with st.container(key=f"fold-gateway-{server}"):
        st.html(_describe(formatter, fold))
        if state.may(Role.OPERATOR) and not fold.in_maintenance:
            with st.container(key=f"fold-actions-{server}"):
                _draw_main_action(fold)
                alert_panel.draw_gateway_acknowledgement(fold.gateway)
        alert_panel.draw_alerting_problem(formatter, server, "")
        # While several are selected, each needs its box.
        is_selecting = session_state.selected() is not None
        expander = st.expander(
            _("Show the {count} sessions").format(count=len(fold.sessions)),
            expanded=is_selecting,
            key=f"fold-sessions-{int(is_selecting)}-{server}",
            on_change="rerun",
        )
        if expander.open:
            with expander:
                for session in fold.sessions:
                    record = records.get((session.server, session.session))
                    draw_row(formatter, Row(session, record, is_folded=True))


def _describe(formatter: LocaleFormatter, fold: Fold) -> str:
    gateway, css = fold.gateway, "ops-fold-title"
    title, cause = components.fault_text(gateway)
    if fold.in_maintenance:
        css += " ops-fold-quiet"
        title, cause = (
            _("Gateway {server}").format(server=gateway.server),
            f"{formatting.maintenance(formatter, gateway.maintenance_until)}. {title}",
        )
    first = min(fold.sessions, key=lambda one: one.since)
    count = _("{count} sessions").format(count=len(fold.sessions))
    return (
        f'<h2 class="{css}">{escape(title)}</h2>'
        f'<div class="ops-line">{components.badge(formatter, first)}{components.since(formatter, first)}'
        f'<span class="ops-soft">{escape(count)}</span></div>'
        f'<div class="ops-soft ops-why">{components.prose(cause)}</div>'
        f"{alert_panel.gateway_silence_line(formatter, gateway)}"
    )


def _draw_main_action(fold: Fold) -> None:
    server = fold.gateway.server
    if state.may(Role.ADMINISTRATOR):
        is_key = fold.fault is Verdict.UNAUTHORIZED
        label = _("Check the secret key") if is_key else _("Check the address")
        st.button(
            label,
            key=f"fold-settings-{server}",
            on_click=actions.open_settings,
            args=(server,),
            type="primary",
            width="stretch",
        )
        return
    names = (server, fold.sessions[0].session)
    key = f"fold-doctor-{server}"
    st.button(_("Run diagnosis"), key=key, on_click=examine, args=names, type="primary", width="stretch")
