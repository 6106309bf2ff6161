"""What the browser with a hand-off's link is told: the one session's code, and nothing else; pure."""

from __future__ import annotations

import math
from typing import TypedDict

from core.handoffs import MOST_ROUNDS, Event, Handoff
from core.models import SessionSnapshot, Verdict
from core.operation_status import OperationStatus
from dashboard.formatting import Voice, pairing_code_groups
from dashboard.panel import Panel, choose
from dashboard.qr import qr_data_uri

_MENDED_BY_A_CODE = (Panel.OFFER_PAIRING, Panel.OFFER_RESTART)
_TAKES_A_MOMENT = (Panel.PROGRESS, Panel.STARTING, Panel.WAITING)


class State(TypedDict):
    """What is sent to the browser."""

    phase: str
    """qr | code | waiting | offer | linked | stopped"""
    text: str
    how: str
    qr: str
    """The code as a data URI, or ""."""
    code: str
    may_ask: bool
    left: str


def tell(
    voice: Voice, handoff: Handoff, session: SessionSnapshot | None, operation: OperationStatus | None
) -> State:
    """Tell how the session stands."""
    _ = voice.translate
    told = State(phase="stopped", text="", how="", qr="", code="", may_ask=False, left=_left(voice, handoff))
    if handoff.end == Event.SCANNED or (session is not None and session.verdict == Verdict.CONNECTED):
        text = _("Done: {session} is connected. You can close this page.")
        told["phase"], told["text"], told["left"] = "linked", text.format(session=handoff.session), ""
        return told
    panel = choose(session, operation, voice.now) if session is not None else None
    if panel is Panel.QR and session is not None and session.qr is not None:
        told["phase"], told["qr"] = "qr", qr_data_uri(session.qr.payload)
        told["text"] = _("Scan this code with the phone of {session}.").format(session=handoff.session)
        told["how"] = _("On the phone: WhatsApp → Settings → Linked devices → Link a device.")
    elif panel is Panel.CODE and operation is not None and operation.pairing_code:
        told["phase"], told["code"] = "code", "-".join(pairing_code_groups(operation.pairing_code))
        told["text"] = _("Type this code on the phone of {session}.").format(session=handoff.session)
        told["how"] = _(
            "On the phone: WhatsApp → Settings → Linked devices → Link a device → Link with phone number."
        )
    elif panel in _TAKES_A_MOMENT:
        told["phase"], told["text"] = "waiting", _("The code comes in a moment.")
    elif panel in _MENDED_BY_A_CODE and handoff.rounds < MOST_ROUNDS:
        told["phase"], told["may_ask"] = "offer", True
        told["text"] = _("There is no code on the screen now.")
    else:
        told["text"] = _("No code can be shown now. Tell {maker}, who sent you the link.").format(
            maker=handoff.maker
        )
    return told


def needs_a_code(session: SessionSnapshot, operation: OperationStatus | None, voice: Voice) -> bool:
    """Tell whether the gateway has to be asked for a code before there is one to show."""
    return choose(session, operation, voice.now) in _MENDED_BY_A_CODE


def _left(voice: Voice, handoff: Handoff) -> str:
    minutes = max(1, math.ceil((handoff.expires_at - voice.now).total_seconds() / 60))
    _ = voice.translate
    return _("This page is good for {minutes} more min.").format(minutes=minutes)
