"""Actions of the overview's filter and of a gateway's card."""

from __future__ import annotations

from dashboard import session_state, state
from dashboard.auth.users import Role
from dashboard.doctor.actions import examine_session
from dashboard.session.actions import open_session

TEXT, SERVER, TAG, VERDICTS, GROUPING, PAGE = "find", "gateway", "tag", "verdicts", "grouping", "page"
"""Keys of the widgets. Those that Streamlit binds to query parameters use the same name there.

None may be a parameter of another page, such as "server": Streamlit refuses to switch to it then.
"""
VERDICT, GROUP = "verdict", "group"
"""The query parameters of the selected verdicts and of the grouping."""


def show_all() -> None:
    """Clear the filter."""
    state.require(Role.VIEWER)
    session_state.set_value(TEXT, "")
    for key in (SERVER, TAG):
        if session_state.has_value(key):
            session_state.set_value(key, "")
    session_state.set_value(VERDICTS, [])
    session_state.set_query_param(VERDICT, [])


def keep_verdicts() -> None:
    """Write the selected verdicts to the URL. Bound by Streamlit, it would hold their translated labels."""
    state.require(Role.VIEWER)
    session_state.set_query_param(VERDICT, session_state.selected_values(VERDICTS))


def keep_grouping() -> None:
    """Write the grouping to the URL, as its word and not as its translated label."""
    state.require(Role.VIEWER)
    chosen = session_state.text_value(GROUPING)
    session_state.set_query_param(GROUP, [chosen] if chosen else [])


def examine(server: str, session: str) -> None:
    """Examine a session and open its page, which shows the result."""
    state.require(Role.OPERATOR)
    examine_session(server, session)
    open_session(server, session)
