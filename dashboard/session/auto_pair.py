"""Pairing without a click: requested by an alert's link, or repeated after a code expired."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.models import SessionSnapshot
from core.operation_status import OperationStatus
from dashboard import components, session_state, state
from dashboard.auth.users import Role
from dashboard.cache.attempts import MAX_ATTEMPTS
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import gettext as _
from dashboard.session import actions
from dashboard.session.panel import Panel, asks_which_phone, begins_by_itself
from dashboard.words import IF_A_PASSKEY_IS_ASKED

_ARRIVAL_WAITS = (
    Panel.OFFER_PAIRING,
    Panel.OFFER_RESTART,
    Panel.QR,
    Panel.STARTING,
    Panel.WAITING,
    Panel.UNREACHABLE,
)
"""The panels in which the pairing requested by an alert's link may still start."""


def draw_what_begins_by_itself(
    formatter: LocaleFormatter, session: SessionSnapshot, operation: OperationStatus | None, panel: Panel
) -> None:
    """Draw a hidden button that `page.js` clicks while the tab is visible, with a note that pairing starts.

    Loading a page must not start an action: any site can send a signed-in browser to a URL (CSRF). The click
    goes through the websocket, which only pages of this origin can open.
    """
    server, name = session.server, session.session
    if panel not in _ARRIVAL_WAITS:
        session_state.clear_alert_link()
    attempts = _attempts(session)
    if not _begins(formatter, session, operation):
        return
    if panel != Panel.QR:
        components.waiting(_("Pairing starts automatically"))
    key = f"by-itself-{server}-{name}"
    st.button(_("Show a new code"), key=key, on_click=actions.pair_by_itself, args=(server, name))
    mark = f"{attempts} {operation.finished_at if operation else None}"
    st.html(
        f'<span data-ops-press="{escape(key, quote=True)}" data-ops-mark="{escape(mark, quote=True)}"></span>'
    )


def asks_first(session: SessionSnapshot, panel: Panel) -> bool:
    """Return whether to ask on which device WhatsApp is, before an alert's link starts a pairing."""
    arrived = session_state.has_alert_link(session.server, session.session)
    may_be_the_phone = arrived and _may_be_the_phone(session)
    return asks_which_phone(session, panel, arrived=arrived, may_be_the_phone=may_be_the_phone)


def next_code_follows(
    formatter: LocaleFormatter, session: SessionSnapshot, operation: OperationStatus | None
) -> bool:
    """Return whether another code is requested without a click after this one has expired."""
    expired = operation is not None and operation.outcome and operation.outcome.code == "code_expired"
    return bool(expired) and _begins(formatter, session, operation)


def rounds_so_far(session: SessionSnapshot) -> str:
    """Return the number of codes in this series, if the next one needs a click; empty if there was none."""
    attempts = _attempts(session)
    if not attempts:
        return ""
    return _("Code {round} of {most}. For another one, press the button.").format(
        round=attempts, most=MAX_ATTEMPTS
    )


def rounds_line(session: SessionSnapshot) -> str:
    """Return the number of codes in this series and what follows; empty if the user requested none."""
    attempts = _attempts(session)
    if not attempts:
        return ""
    if attempts >= MAX_ATTEMPTS:
        return rounds_so_far(session)
    text = _("Code {round} of {most}. While this tab is visible, the next one appears automatically.")
    return text.format(round=attempts, most=MAX_ATTEMPTS)


def earlier_code_lines(session: SessionSnapshot) -> tuple[str, ...]:
    """Return what to tell users who scanned an earlier code of this series in vain."""
    return (_(IF_A_PASSKEY_IS_ASKED),) if _attempts(session) > 1 else ()


def _begins(formatter: LocaleFormatter, session: SessionSnapshot, operation: OperationStatus | None) -> bool:
    arrived = session_state.has_alert_link(session.server, session.session) and not _may_be_the_phone(session)
    return state.may(Role.OPERATOR) and begins_by_itself(
        session, operation, arrived=arrived, attempts=_attempts(session), now=formatter.now
    )


def _may_be_the_phone(session: SessionSnapshot) -> bool:
    if not (state.is_phone() and state.may(Role.OPERATOR)):
        return False
    return state.core().operations.code_obstacle(session.server, session.session) is None


def _attempts(session: SessionSnapshot) -> int:
    return state.attempts().count(state.attempts_key(session.server, session.session))
