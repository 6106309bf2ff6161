"""The state of a hand-off for its browser: the code of one session, and nothing else. Pure functions."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TypedDict

from core.handoffs import MOST_ROUNDS, Event, Handoff
from core.messages.operation import OUTCOMES
from core.models import START_DOUBT, WAITS_FOR_A_PHONE, QrCode, Reason, SessionSnapshot, Verdict
from core.operation_status import OperationStatus, Step
from dashboard import formatting
from dashboard.formatting import LocaleFormatter
from dashboard.session.panel import Panel, begins_by_itself, choose
from dashboard.text.engine import formatter_for
from dashboard.theme.qr import qr_data_uri
from dashboard.words import (
    CODE_MAY_BE_REPLACED,
    CODE_STEPS,
    IF_A_PASSKEY_IS_ASKED,
    NEXT_CODE_FOLLOWS,
)

_MENDED_BY_A_CODE = (Panel.OFFER_PAIRING, Panel.OFFER_RESTART)
_BROWSER = Step.WAITING_FOR_BROWSER
_LOST = WAITS_FOR_A_PHONE | {Verdict.DISCONNECTED}
_SHOWN_OUTCOMES = ("code_expired", "link_not_completed", "code_not_visible", "code_unsupported")
"""Outcomes that the holder of the phone can resolve; the others are for operators."""


class State(TypedDict):
    """The JSON response to the browser."""

    phase: str
    """qr | code | waiting | offer | linked | stopped"""
    text: str
    detail: str
    """A secondary line, or ""."""
    steps: list[str]
    qr: str
    """The QR code as a data URI, or ""."""
    code: list[str]
    """The pairing code in groups."""
    seconds: int
    """Remaining validity of the code in seconds; 0 if it has expired or is unknown."""
    life: int
    """Total validity of the code in seconds."""
    may_ask: bool
    asks_by_itself: bool
    """Whether the script may request the next code without a press, while the tab is visible."""
    by_number: bool
    """Whether a pairing code for a phone number may be requested."""
    problem: str
    """The problem with the submitted phone number, or ""."""
    number: str
    """The phone number as parsed, in the response to its submission only: it is not stored."""
    about: str
    """Label and owner of the session, as an administrator entered them; never a phone number."""
    left: str


def build_state(
    formatter: LocaleFormatter,
    handoff: Handoff,
    session: SessionSnapshot | None,
    operation: OperationStatus | None,
    *,
    by_number: bool = False,
) -> State:
    """Return the state of the session; `by_number`: the gateway can make a code for a phone number."""
    formatter = formatter_for(formatter, session) if session is not None else formatter
    _ = formatter.translate
    state = _empty_state(formatter, handoff)
    if session is not None and session.verdict in _LOST and handoff.end == Event.SCANNED:
        text = _(
            "The phone was linked, but the session disconnected again. Contact {maker}, who sent you the "
            "link."
        )
        state["text"] = text.format(maker=handoff.maker)
        return state
    if handoff.end == Event.SCANNED or (session is not None and session.verdict == Verdict.CONNECTED):
        _set_success(formatter, state, handoff, session)
        return state
    panel = choose(session, operation, formatter.now) if session is not None else None
    if panel is Panel.QR and session is not None and session.qr is not None:
        _set_qr(formatter, state, handoff, session.qr, operation)
    elif panel is Panel.CODE and operation is not None:
        _set_code(formatter, state, handoff, operation)
    elif panel is Panel.LINKING and session is not None:
        state["phase"], state["text"] = "waiting", formatting.why(formatter, session.reason)
        state["detail"] = _(IF_A_PASSKEY_IS_ASKED)
    elif panel is Panel.PROGRESS and operation is not None:
        _set_progress(formatter, state, handoff, operation)
    elif panel is Panel.STARTING and session is not None:
        _set_wait(formatter, state, handoff, _BROWSER, session.since)
    elif panel is Panel.WAITING:
        state["phase"], state["text"] = "waiting", _("The code will appear in a moment.")
    elif panel in _MENDED_BY_A_CODE and handoff.may_ask(formatter.now) and session is not None:
        state["phase"], state["may_ask"], state["by_number"] = "offer", True, by_number
        state["text"] = _("No code is shown at the moment.")
        # Opening the link counts as a first request, even if the code was made for an operator before.
        attempts = max(1, handoff.rounds)
        state["asks_by_itself"] = begins_by_itself(
            session, operation, arrived=False, attempts=attempts, now=formatter.now
        )
        outcome = operation.outcome if operation is not None else None
        if state["asks_by_itself"]:
            state["detail"] = _(NEXT_CODE_FOLLOWS)
        elif outcome is not None and outcome.code in _SHOWN_OUTCOMES and outcome.at >= handoff.made_at:
            state["detail"] = formatting.outcome(formatter, outcome)
        elif session.reason == Reason.LINK_NOT_COMPLETED:
            state["detail"] = _(OUTCOMES[Reason.LINK_NOT_COMPLETED])
    else:
        text = _("No code can be shown now. Contact {maker}, who sent you the link.")
        state["text"] = text.format(maker=handoff.maker)
    return state


def needs_a_code(
    session: SessionSnapshot, operation: OperationStatus | None, formatter: LocaleFormatter
) -> bool:
    """Return whether a code has to be requested from the gateway before one can be shown."""
    return choose(session, operation, formatter.now) in _MENDED_BY_A_CODE


def _empty_state(formatter: LocaleFormatter, handoff: Handoff) -> State:
    _ = formatter.translate
    minutes = math.ceil((handoff.expires_at - formatter.now).total_seconds() / 60)
    left = _("This page expires in {minutes} min.").format(minutes=minutes)
    if minutes <= 0:
        left = _("This link has expired. The code on the screen is still valid.")
    return State(
        phase="stopped",
        text="",
        detail="",
        steps=[],
        qr="",
        code=[],
        seconds=0,
        life=0,
        may_ask=False,
        asks_by_itself=False,
        by_number=False,
        problem="",
        number="",
        left=left,
        about="",
    )


def _set_success(
    formatter: LocaleFormatter, state: State, handoff: Handoff, session: SessionSnapshot | None
) -> None:
    _ = formatter.translate
    state["phase"], state["left"] = "linked", _("You can close this page.")
    state["text"] = _("{session} is connected").format(session=handoff.session)
    lasted = session.outage_seconds if session is not None else None
    if lasted is not None:
        text = _("The outage lasted {duration}.")
        state["detail"] = text.format(duration=formatting.duration(lasted))


def _set_qr(
    formatter: LocaleFormatter, state: State, handoff: Handoff, qr: QrCode, operation: OperationStatus | None
) -> None:
    _ = formatter.translate
    state["phase"], state["qr"] = "qr", qr_data_uri(qr.payload)
    state["text"] = _("Scan this code with the phone of {session}.").format(session=handoff.session)
    state["steps"] = [_("On the phone: WhatsApp, Settings, Linked devices, Link a device.")]
    state["life"] = round(qr.life_seconds)
    left = formatting.code_seconds_left(formatter, qr)
    ends = formatting.seconds_until(formatter, operation.step_until) if operation is not None else None
    state["seconds"] = left if ends is None else min(left, ends)
    if not handoff.may_ask(formatter.now):
        state["detail"] = _("This is the last code of this link.")
    elif handoff.rounds:
        text = _("Code {round} of {most}. While this tab is visible, the next one appears automatically.")
        state["detail"] = text.format(round=handoff.rounds, most=MOST_ROUNDS)
    if handoff.rounds > 1:
        state["detail"] += " " + _(IF_A_PASSKEY_IS_ASKED)


def _set_code(formatter: LocaleFormatter, state: State, handoff: Handoff, operation: OperationStatus) -> None:
    _ = formatter.translate
    state["phase"], state["code"] = "code", list(formatting.pairing_code_groups(operation.pairing_code or ""))
    state["text"] = _("Enter this code on the phone of {session}.").format(session=handoff.session)
    state["steps"] = [_(step) for step in CODE_STEPS]
    state["seconds"] = formatting.seconds_until(formatter, operation.step_until) or 0
    if operation.code_may_be_replaced(formatter.now):
        state["detail"] = _(CODE_MAY_BE_REPLACED)
    if operation.step_until is not None:
        state["life"] = int((operation.step_until - operation.step_since).total_seconds())


def _set_progress(
    formatter: LocaleFormatter, state: State, handoff: Handoff, operation: OperationStatus
) -> None:
    _ = formatter.translate
    _set_wait(formatter, state, handoff, operation.step, operation.step_since)
    left = formatting.seconds_until(formatter, operation.step_until)
    if left:
        state["detail"] += ", " + _("at most {seconds} s left").format(seconds=left)


def _set_wait(formatter: LocaleFormatter, state: State, handoff: Handoff, step: str, since: datetime) -> None:
    _ = formatter.translate
    state["phase"], state["text"] = "waiting", formatting.step(formatter, step)
    # Separate from the text, which screen readers announce whenever it changes.
    state["detail"] = formatting.for_how_long(formatter, since)
    if step == _BROWSER and formatter.now - since >= START_DOUBT:
        text = _(
            "This is taking longer than usual. If no code appears, contact {maker}, who sent you the link."
        )
        state["detail"] = text.format(maker=handoff.maker)
