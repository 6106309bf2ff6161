"""Questions that are asked from a part of the page that refreshes itself: there they would be closed again.

The part notes the question and has the whole page drawn anew, which then asks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from dashboard import session_state


def ask(question: str, *arguments: str) -> None:
    """Have a question asked."""
    session_state.note_question((question, *arguments))
    st.rerun()


def draw_asked(questions: Mapping[str, Callable[..., None]]) -> None:
    """Ask what was noted, once; at the end of a page."""
    noted = session_state.noted_question()
    if noted is not None:
        questions[noted[0]](*noted[1:])
