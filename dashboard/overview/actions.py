"""What the overview's filter does when it is changed."""

from __future__ import annotations

from dashboard import session_state, state
from dashboard.auth.users import Role

TEXT, SERVER, VERDICTS, PAGE = "find", "server", "verdicts", "page"
"""Keys of the widgets; those that Streamlit keeps in the address bear the same name there."""
VERDICT = "verdict"
"""The name in the address of the statuses that are looked for."""


def show_all() -> None:
    """Look for nothing any more."""
    state.require(Role.VIEWER)
    session_state.put(TEXT, "")
    if session_state.holds(SERVER):
        session_state.put(SERVER, "")
    session_state.put(VERDICTS, [])
    session_state.put_in_address(VERDICT, [])


def keep_verdicts() -> None:
    """Write the chosen statuses into the address; bound by Streamlit, it would hold the translated labels."""
    state.require(Role.VIEWER)
    session_state.put_in_address(VERDICT, session_state.chosen(VERDICTS))
