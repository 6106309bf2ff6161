"""Actions of the overview's filter."""

from __future__ import annotations

from dashboard import session_state, state
from dashboard.auth.users import Role

TEXT, SERVER, VERDICTS, PAGE = "find", "server", "verdicts", "page"
"""Keys of the widgets. Those that Streamlit binds to query parameters use the same name there."""
VERDICT = "verdict"
"""The query parameter of the selected verdicts."""


def show_all() -> None:
    """Clear the filter."""
    state.require(Role.VIEWER)
    session_state.set_value(TEXT, "")
    if session_state.has_value(SERVER):
        session_state.set_value(SERVER, "")
    session_state.set_value(VERDICTS, [])
    session_state.set_query_param(VERDICT, [])


def keep_verdicts() -> None:
    """Write the selected verdicts to the URL. Bound by Streamlit, it would hold their translated labels."""
    state.require(Role.VIEWER)
    session_state.set_query_param(VERDICT, session_state.selected_values(VERDICTS))
