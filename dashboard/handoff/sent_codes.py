"""Hand-offs of a session; the links themselves only in the tab that made them."""

from __future__ import annotations

import streamlit as st

from core.exceptions import StoreError
from core.handoffs import Handoff
from dashboard import state

_LINKS = "ops-handoff-links"


def newest(server: str, session: str) -> Handoff | None:
    """Return the session's newest hand-off; None if none can be read. Reads the store's cache."""
    try:
        return state.core().handoffs.newest(server, session)
    except StoreError:
        return None


def remember_link(number: str, address: str) -> None:
    """Keep a hand-off's link in the state of this tab; it is stored nowhere else."""
    st.session_state[_LINKS] = {**st.session_state.get(_LINKS, {}), number: address}


def remembered_link(number: str) -> str | None:
    """Return a hand-off's link if this tab made it, else None."""
    found: str | None = st.session_state.get(_LINKS, {}).get(number)
    return found
