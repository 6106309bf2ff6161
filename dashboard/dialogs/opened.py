"""Open dialogs from fragments that refresh periodically, which would close them on the next run.

The fragment stores the request in the session state and reruns the page, which opens the dialog.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from dashboard import session_state


def ask(question: str, *arguments: str) -> None:
    """Request a dialog by its name, and rerun the page."""
    session_state.set_confirmation((question, *arguments))
    st.rerun()


def draw_asked(questions: Mapping[str, Callable[..., None]]) -> None:
    """Open the requested dialog once. To be called at the end of a page."""
    noted = session_state.pop_confirmation()
    if noted is not None:
        questions[noted[0]](*noted[1:])
