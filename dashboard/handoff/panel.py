"""Hand-off card of the session page: make a link, share it, and follow its use."""

from __future__ import annotations

from html import escape
from ipaddress import ip_address
from urllib.parse import urlsplit

import streamlit as st

from core.handoffs import MINUTES, STANDARD_MINUTES, Event, Handoff
from core.models import WAITS_FOR_A_PHONE, SessionSnapshot, Verdict
from core.operation_status import Kind, OperationStatus
from dashboard import components, state
from dashboard.auth.users import Role
from dashboard.formatting import LocaleFormatter, plain
from dashboard.handoff import actions, sent_codes
from dashboard.i18n import gettext as _
from dashboard.session.panel import NEWS
from dashboard.theme.link_box import link_box

_NEEDS_A_PHONE = WAITS_FOR_A_PHONE | {Verdict.DISCONNECTED}
"""The holder of the phone can resolve these."""


def draw_handoff(
    formatter: LocaleFormatter, session: SessionSnapshot, operation: OperationStatus | None
) -> None:
    """Draw the card, or nothing where a hand-off does not apply. Reads memory only."""
    if not state.may(Role.OPERATOR):
        return
    newest = sent_codes.newest(session.server, session.session)
    is_followed = newest is not None and newest.is_followed(formatter.now)
    is_news = newest is not None and newest.ended_at is not None and formatter.now - newest.ended_at < NEWS
    # The browser starts in the middle of a pairing, too: the card must not come and go.
    is_pairing = operation is not None and operation.is_running and operation.kind is Kind.PAIR
    can_make = session.verdict in _NEEDS_A_PHONE or (is_pairing and session.verdict is Verdict.STARTING)
    if not (can_make or is_news):
        return
    with st.container(key="handoff-box"):
        components.subtitle(_("Is the phone with someone else?"))
        if newest is not None and (is_followed or is_news):
            _draw_followed(formatter, newest, session)
        if newest is not None and is_followed:
            _draw_link(session, newest)
        elif can_make:
            _draw_offer(session)


def _draw_offer(session: SessionSnapshot) -> None:
    server, name = session.server, session.session
    components.soft(_("Create a one-time link that needs no sign-in and shows only this session's code."))
    st.segmented_control(
        _("Link valid for (minutes)"),
        MINUTES,
        default=STANDARD_MINUTES,
        key=actions.minutes_key(server, name),
    )
    st.button(
        _("Create a link for {session}").format(session=plain(name)),
        key=f"handoff-{server}-{name}",
        on_click=actions.make_link,
        args=(server, name),
        width="stretch",
    )


def _draw_link(session: SessionSnapshot, handoff: Handoff) -> None:
    address = sent_codes.remembered_link(handoff.id)
    if address is not None and handoff.opened_at is None:
        _draw_address(session, handoff, address)
    st.button(
        _("Revoke the link for {session}").format(session=plain(session.session)),
        key=f"revoke-{session.server}-{session.session}",
        on_click=actions.revoke_link,
        args=(session.server, session.session, handoff.id),
        width="stretch",
    )


def _draw_address(session: SessionSnapshot, handoff: Handoff, address: str) -> None:
    minutes = int((handoff.expires_at - handoff.made_at).total_seconds() // 60)
    message = _(
        "{maker} asks you to link a phone to the WhatsApp session {session}. This link works once and "
        "expires in {minutes} minutes:"
    ).format(maker=handoff.maker, session=session.session, minutes=minutes)
    st.html(link_box(address, message, name="handoff-link", copies_message=True))
    warning = _("Do not send it through {session}: that session is down, so the message would not arrive.")
    components.soft(warning.format(session=session.session))
    if _is_only_here(address):
        text = _(
            "This address works on this computer only. Open the page through an address that others can "
            "reach."
        )
        components.note("warn", text, icon="warning")


def _draw_followed(formatter: LocaleFormatter, handoff: Handoff, session: SessionSnapshot) -> None:
    made, end = formatter.moment(handoff.made_at), formatter.moment(handoff.expires_at)
    text = _("Link created by {maker} {moment}, valid until {end}")
    lines = [(True, text.format(maker=handoff.maker, moment=made, end=end))]
    if handoff.opened_at is not None:
        lines.append((True, _("Opened {moment}").format(moment=formatter.moment(handoff.opened_at))))
    elif handoff.end is None:
        lines.append((False, _("Not opened yet")))
    if handoff.end == Event.SCANNED and handoff.ended_at is not None:
        is_connected = session.verdict is Verdict.CONNECTED
        text = _("Linked {moment}: the session is connected") if is_connected else _("Linked {moment}")
        lines.append((True, text.format(moment=formatter.moment(handoff.ended_at))))
    elif handoff.end == Event.REVOKED:
        lines.append((False, _("Revoked: the link no longer works")))
    elif handoff.end == Event.EXPIRED:
        lines.append((False, _("Expired: the link no longer works")))
    elif handoff.opened_at is not None:
        lines.append((False, _("Not linked yet")))
        if not handoff.is_good(formatter.now):
            lines.append((False, _("Expired: only the code on the screen is still valid")))
    items = "".join(
        f'<li class="{"ops-done" if done else ""}">{components.shape("check" if done else "dots")}'
        f"<span>{escape(text)}</span></li>"
        for done, text in lines
    )
    st.html(f'<div role="status" data-ops="handoff-state"><ul class="ops-followed">{items}</ul></div>')


def _is_only_here(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
