"""Alerts: those that fire, silences, receivers, the pager test, and maintenance windows."""

import streamlit as st

from dashboard import components, state
from dashboard.alerting import overview
from dashboard.dialogs.opened import draw_asked
from dashboard.fragments import fragment
from dashboard.i18n import gettext as _
from dashboard.maintenance import panel

REFRESH_SECONDS = 2


@fragment(run_every=REFRESH_SECONDS)
def draw() -> None:
    """Draw what background threads have read from Alertmanager."""
    state.user()
    components.troubles()
    overview.draw_overview(state.snapshot())
    panel.draw_windows()


state.user()
st.html(components.heading(_("Alerts")))
overview.begin()
draw()
draw_asked({panel.PLAN: panel.ask_plan, panel.DELETE: panel.ask_delete})
