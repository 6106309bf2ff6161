"""Activity: actions with their user, time and outcome, in one timeline with the state changes of sessions."""

import streamlit as st

from dashboard import components, state
from dashboard.activity import history_cache
from dashboard.activity import table as activity_table
from dashboard.fragments import fragment
from dashboard.i18n import gettext as _

REFRESH_SECONDS = 5


@fragment(run_every=REFRESH_SECONDS)
def draw_activity() -> None:
    """Draw the filter and the entries, which a background thread reads."""
    state.user()
    components.troubles()
    snapshot = state.snapshot()
    wanted = activity_table.draw_filter(snapshot)
    lines = history_cache.activity(wanted)
    if lines is None:
        components.soft(_("Loading..."))
    elif lines.entries:
        st.html(activity_table.table(state.formatter(snapshot.taken_at), lines.entries))
        activity_table.draw_footer(lines)
    else:
        activity_table.draw_nothing(wanted)


state.user()
st.html(components.heading(_("Activity")))
draw_activity()
