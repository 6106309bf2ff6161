"""The form of reason and end, shared by pausing and acknowledging."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

import streamlit as st

from dashboard import components, session_state, state
from dashboard.i18n import gettext as _
from dashboard.text.until import AT, OPEN, SPANS, USUAL, ends_at

REASON_LENGTH = 200


@dataclass(frozen=True)
class Chosen:
    """The reason and the end entered in the form."""

    reason: str
    until: datetime | None


def draw_until(form: str, *, may_stay_open: bool) -> None:
    """Draw the fields of reason and end."""
    st.text_input(
        _("Reason (visible to everyone)"),
        key=f"{form}-reason",
        max_chars=REASON_LENGTH,
        placeholder=_("Maintenance, new SIM card, ..."),
        autocomplete="off",
    )
    spans = [one for one in SPANS if may_stay_open or one != OPEN]
    span = st.pills(
        _("For how long?"),
        spans,
        default=USUAL,
        required=True,
        format_func=lambda one: _(SPANS[one]),
        key=f"{form}-span",
        wrap=True,
    )
    if span == AT:
        st.time_input(_("Until this time, today or tomorrow"), value=time(14), key=f"{form}-at", step=900)
    formatter = state.formatter(datetime.now(UTC))
    chosen = read_until(form)
    if chosen.until is not None:
        components.soft(_("Ends automatically at {moment}.").format(moment=formatter.moment(chosen.until)))
    else:
        components.soft(_("Lasts until someone ends it."))


def read_until(form: str) -> Chosen:
    """Return the values of the form; durations count from now."""
    now = datetime.now(UTC)
    at = session_state.time_value(f"{form}-at")
    until = ends_at(
        session_state.text_value(f"{form}-span") or USUAL, at, now=now, zone=state.formatter(now).zone
    )
    reason = " ".join(session_state.text_value(f"{form}-reason").split())[:REASON_LENGTH]
    return Chosen(reason, until)
