"""The list of maintenance windows and its dialogs."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

import streamlit as st

from core.settings.maintenance import Window
from dashboard import components, session_state, state
from dashboard.auth.users import Role
from dashboard.dialogs import opened
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import gettext as _
from dashboard.maintenance import actions
from dashboard.maintenance.form import draw_form
from dashboard.text import maintenance as maintenance_text

PLAN, DELETE = "plan-maintenance", "delete-maintenance"
"""Names of the dialogs."""


def draw_windows() -> None:
    """Draw the windows that are open or still to come, the next one first."""
    formatter = state.formatter(datetime.now(UTC))
    found = [
        (period, one)
        for one in state.settings().maintenance
        if (period := one.next(formatter.now)) is not None
    ]
    components.subtitle(_("Maintenance"))
    if not found:
        components.soft(_("No maintenance is planned."))
    for _period, window in sorted(found, key=lambda pair: (pair[0], pair[1].id)):
        _draw_window(formatter, window)
    components.draw_notice(session_state.notice(actions.PLACE))
    if state.may(Role.OPERATOR) and st.button(_("Plan maintenance"), key=PLAN):
        opened.ask(PLAN)


def ask_plan() -> None:
    """Open the dialog that plans a window."""
    opened_at = datetime.now(UTC)

    @st.dialog(_("Plan maintenance"))
    def ask() -> None:
        state.user()
        st.write(
            _("Meanwhile no alerts are sent, and nothing counts as an outage. Sessions are still checked.")
        )
        chosen = draw_form(opened_at)
        label = _("Plan maintenance")
        components.answers(label, "maintenance-yes", actions.plan, (), disabled=chosen.window is None)

    ask()


def ask_delete(window: str) -> None:
    """Open the dialog that confirms deleting a window."""
    found = next((one for one in state.settings().maintenance if one.id == window), None)
    if found is None:
        return
    formatter = state.formatter(datetime.now(UTC))
    told = [maintenance_text.targets(formatter, found.targets), *maintenance_text.lines(formatter, found)]
    label = _("Delete maintenance window")

    @st.dialog(f"{label}?")
    def ask() -> None:
        state.user()
        components.consequences([("idle", one) for one in told])
        components.answers(label, f"maintenance-delete-yes-{window}", actions.delete, (window,))

    ask()


def _draw_window(formatter: LocaleFormatter, window: Window) -> None:
    with st.container(key=f"maintenance-{window.id}", horizontal=True, vertical_alignment="center"):
        names = escape(maintenance_text.targets(formatter, window.targets))
        words = "<br>".join(map(escape, maintenance_text.lines(formatter, window)))
        st.html(f'<div class="ops-break"><b>{names}</b><br>{words}</div>')
        if not state.may(Role.OPERATOR):
            return
        if window.current(formatter.now) is not None:
            st.button(
                _("End now"), key=f"maintenance-end-{window.id}", on_click=actions.end, args=(window.id,)
            )
        if st.button(_("Delete"), key=f"maintenance-delete-{window.id}", type="tertiary"):
            opened.ask(DELETE, window.id)
