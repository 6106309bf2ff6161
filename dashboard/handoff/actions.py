"""Actions of the hand-off's buttons; each requires the role first."""

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
    """Make a link for the holder of the phone; it replaces an earlier one for the session."""
    user = state.require(Role.OPERATOR)
    key = minutes_key(server, session)
    chosen = session_state.value(key) if session_state.has_value(key) else None
    minutes = chosen if isinstance(chosen, int) else STANDARD_MINUTES
    try:
        made, token = state.core().handoffs.make(server, session, maker=user.name, minutes=minutes)
    except StoreError as error:
        session_state.set_notice(
            place(server, session), Notice("bad", formatting.cause(_, type(error).__name__))
        )
        return
    # The token is in the fragment: browsers do not send it, and no server logs it.
    sent_codes.remember_link(made.id, f"{_own_address()}{PATH}#{token}")


def revoke_link(server: str, session: str, number: str) -> None:
    """Revoke the link that was shown; `number` identifies it, because a newer one may exist."""
    user = state.require(Role.OPERATOR)
    try:
        state.core().handoffs.revoke(number, actor=user.name)
    except StoreError as error:
        session_state.set_notice(
            place(server, session), Notice("bad", formatting.cause(_, type(error).__name__))
        )


def minutes_key(server: str, session: str) -> str:
    """Return the widget key for the validity of a link."""
    return f"handoff-minutes-{server}-{session}"


def _own_address() -> str:
    """Return the published address, else the one that the user's browser requested."""
    if external_url := identity.administration().external_url:
        return external_url
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
