"""Alerts: those that fire, silences, receivers, and the pager test."""

import streamlit as st

from dashboard import components, state
from dashboard.alerting import overview
from dashboard.fragments import fragment
from dashboard.i18n import gettext as _

REFRESH_SECONDS = 2


@fragment(run_every=REFRESH_SECONDS)
def draw() -> None:
    """Draw what background threads have read from Alertmanager."""
    state.user()
    overview.draw_overview(state.snapshot())


state.user()
st.html(components.heading(_("Alerts")))
overview.begin()
draw()
