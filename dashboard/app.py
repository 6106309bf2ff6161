"""The page's frame: looks, navigation, and only the way back in for who is not signed in."""

import streamlit as st

from dashboard import state
from dashboard.components import frame, shows_store_errors
from dashboard.i18n import gettext as _
from dashboard.navigation import PAGES
from dashboard.theme.theme import MARK, NAME, asset

st.set_page_config(page_title=NAME, page_icon=asset(MARK), layout="wide", initial_sidebar_state="collapsed")
page = st.navigation(
    [st.Page(one.script, title=_(one.title), url_path=one.name, default=one is PAGES[0]) for one in PAGES],
    position="hidden",
)
frame(state.user(), page.url_path)
with shows_store_errors():
    page.run()
