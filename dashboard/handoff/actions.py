"""What the buttons of a hand-off do; each asks for the role first."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from core.exceptions import StoreError
from core.handoffs import STANDARD_MINUTES
from dashboard import formatting, session_state, state
from dashboard.auth import identity
from dashboard.auth.users import Role
from dashboard.handoff import sent_codes
from dashboard.handoff.page import PATH
from dashboard.i18n import gettext as _
from dashboard.session.actions import place
from dashboard.session_state import Notice


def make_link(server: str, session: str) -> None:
    """Make a link for whoever holds the phone; an earlier one for the session ends."""
    user = state.require(Role.OPERATOR)
    key = minutes_key(server, session)
    chosen = session_state.held(key) if session_state.holds(key) else None
    minutes = chosen if isinstance(chosen, int) else STANDARD_MINUTES
    try:
        made, token = state.core().handoffs.make(server, session, maker=user.name, minutes=minutes)
    except StoreError as error:
        session_state.tell(place(server, session), Notice("bad", formatting.cause(_, type(error).__name__)))
        return
    # The token stands behind "#": browsers send it to nobody, and it is in no server's log.
    sent_codes.remember_link(made.id, f"{_own_address()}{PATH}#{token}")


def revoke_link(server: str, session: str, number: str) -> None:
    """Make the link that was shown worthless; somebody may have made another one meanwhile."""
    user = state.require(Role.OPERATOR)
    try:
        state.core().handoffs.revoke(number, actor=user.name)
    except StoreError as error:
        session_state.tell(place(server, session), Notice("bad", formatting.cause(_, type(error).__name__)))


def minutes_key(server: str, session: str) -> str:
    """Name the choice of how long a link is good for."""
    return f"handoff-minutes-{server}-{session}"


def _own_address() -> str:
    """Return the published address, else that by which the reader's browser came here."""
    if external_url := identity.administration().external_url:
        return external_url
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
