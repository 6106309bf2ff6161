"""The page's frame: looks, navigation, and only the way back in for who is not signed in."""

import streamlit as st

from dashboard import state
from dashboard.components import frame
from dashboard.i18n import gettext as _
from dashboard.theme.theme import MARK, NAME, asset

st.set_page_config(page_title=NAME, page_icon=asset(MARK), layout="wide", initial_sidebar_state="collapsed")
page = st.navigation(
    [
        st.Page(state.SESSIONS_PAGE, title=_("Sessions"), url_path="sessions", default=True),
        st.Page(state.SESSION_PAGE, title=_("Session"), url_path="session"),
        st.Page(state.INCIDENTS_PAGE, title=_("Incidents"), url_path="incidents"),
        st.Page(state.ALERTS_PAGE, title=_("Alerts"), url_path="alerts"),
        st.Page(state.ACTIVITY_PAGE, title=_("Activity"), url_path="activity"),
        st.Page(state.SETTINGS_PAGE, title=_("Settings"), url_path="settings"),
        st.Page(state.SYNC_PAGE, title=_("Sync"), url_path="sync"),
        st.Page(state.USERS_PAGE, title=_("Users"), url_path="users"),
    ],
    position="hidden",
)
frame(state.user(), page.url_path)
page.run()
