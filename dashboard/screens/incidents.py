"""Incidents: outages with their cause and what was done about them, open ones first."""

import streamlit as st

from dashboard import components, navigation, state
from dashboard.fragments import fragment
from dashboard.i18n import gettext as _
from dashboard.incidents import view

REFRESH_SECONDS = 5


@fragment(run_every=REFRESH_SECONDS)
def draw_incidents() -> None:
    """Draw the filter and the incidents, which a background thread reads."""
    state.user()
    components.troubles()
    snapshot = state.snapshot()
    window, server, session = view.draw_filter(snapshot)
    known = view.read()
    if known is None:
        components.soft(_("Loading..."))
        return
    found = view.matching(known, snapshot.taken_at, window, server, session)
    if not found:
        with st.container(key="panel"):
            components.note("good", _("No outages in this period."), icon="check")
        return
    st.html(view.table(state.formatter(snapshot.taken_at), found[: view.MAX_INCIDENTS], view.firing()))
    if len(found) > view.MAX_INCIDENTS:
        text = _("Only the latest {count} incidents are shown. Choose a shorter period.")
        components.soft(text.format(count=view.MAX_INCIDENTS))


state.user()
st.html(components.heading(_("Incidents")))
view.begin()
draw_incidents()
view.draw_reports(state.formatter(state.snapshot().taken_at))
st.page_link(navigation.ACTIVITY.script, label=_("View all activity"))
