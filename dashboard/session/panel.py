"""Select the main panel of the session page from the snapshot and the operation alone, so that a reload, a
second tab and a restart of the program show the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, auto

from core.models import Reason, SessionSnapshot, Verdict
from core.operation_status import Kind, OperationStatus, Step
from dashboard.cache.attempts import MAX_ATTEMPTS

SUCCESS_SHOWN = timedelta(minutes=2)
"""For how long the success panel is shown after a session has reconnected."""

NEWS = timedelta(minutes=2)
"""For how long the end of an operation counts as recent."""

_CODE_ENDED = ("code_expired", "link_not_completed")

BRINGS_UP = (Kind.PAIR, Kind.START, Kind.RESTART)

MENDED_BY_PAIRING = (
    Verdict.DISCONNECTED,
    Verdict.STUCK,
    Verdict.UNRESPONSIVE,
    Verdict.WAITING_FOR_QR,
    Verdict.WAITING_FOR_CODE,
)
"""Verdicts that pairing can resolve; the others need another action first, or none."""


class Panel(Enum):
    """The main panel of the session page."""

    QR = auto()
    CODE = auto()
    LINKING = auto()
    PROGRESS = auto()
    SUCCESS = auto()
    CONNECTED = auto()
    CONFIRM_WEBHOOK = auto()
    OFFER_PAIRING = auto()
    OFFER_RESTART = auto()
    STARTING = auto()
    PAUSED = auto()
    UNAUTHORIZED = auto()
    UNREACHABLE = auto()
    WAITING = auto()
    """No action can be offered until the state is known."""


def choose(session: SessionSnapshot, operation: OperationStatus | None, now: datetime) -> Panel:
    """Return the panel for a session and its latest operation."""
    if session.verdict == Verdict.LINKING:
        return Panel.LINKING
    running = operation if operation is not None and operation.is_running else None
    if running is not None and running.pairing_code and session.verdict != Verdict.CONNECTED:
        return Panel.CODE
    if _shows_qr(session, running):
        return Panel.QR
    if running is not None:
        return Panel.PROGRESS
    if session.verdict == Verdict.CONNECTED:
        return Panel.SUCCESS if _just_came_back(session, operation, now) else Panel.CONNECTED
    if operation is not None and operation.outcome and operation.outcome.code == "needs_webhook_confirmation":
        return Panel.CONFIRM_WEBHOOK
    return _BY_VERDICT.get(session.verdict, Panel.OFFER_PAIRING)


def asks_for_new_code(session: SessionSnapshot, operation: OperationStatus | None) -> bool:
    """Return whether an attempt ended after its code was shown, so that a new code is the next step."""
    expired = (
        operation is not None and operation.outcome is not None and operation.outcome.code in _CODE_ENDED
    )
    return expired or session.reason in (Reason.CODE_EXPIRED, Reason.LINK_NOT_COMPLETED)


def begins_by_itself(
    session: SessionSnapshot,
    operation: OperationStatus | None,
    *,
    arrived: bool,
    attempts: int,
    now: datetime,
) -> bool:
    """Return whether pairing may start without another click, in a visible tab.

    During an outage, opening an alert's link counts as the click. After that, an expired code is followed by
    the next one, up to `MAX_ATTEMPTS`.
    """
    if attempts >= MAX_ATTEMPTS or (operation is not None and operation.is_running):
        return False
    if session.reason == Reason.LINK_NOT_COMPLETED:
        # If the phone asks for a passkey, each further code fails too, and WhatsApp limits the attempts.
        return False
    outcome = operation.outcome if operation is not None else None
    just_ended = outcome is not None and now - outcome.at < NEWS
    code_expired = (
        outcome is not None
        and outcome.code == "code_expired"
        and operation is not None
        and operation.mode == "qr"
    )
    if arrived and session.lost_at is not None and session.verdict in MENDED_BY_PAIRING:
        # A recent failure in this outage is shown instead of being retried in a loop.
        is_of_this_outage = outcome is not None and outcome.at >= session.lost_at
        return code_expired or outcome is None or outcome.ok or not (just_ended and is_of_this_outage)
    return attempts > 0 and code_expired and just_ended and session.verdict == Verdict.DISCONNECTED


def asks_which_phone(
    session: SessionSnapshot, panel: Panel, *, arrived: bool, may_be_the_phone: bool
) -> bool:
    """Return whether an alert's link asks on which device WhatsApp is before it starts a pairing.

    A phone cannot scan its own screen, and a QR code uses up the gateway's only chance of a pairing code.
    """
    return arrived and may_be_the_phone and session.lost_at is not None and panel is Panel.OFFER_PAIRING


def tells_result(session: SessionSnapshot, operation: OperationStatus) -> bool:
    """Return whether the result of the latest operation still explains the session's state."""
    if operation.outcome is None or operation.finished_at is None:
        return operation.interrupted
    if operation.outcome.ok and operation.kind in BRINGS_UP:
        # The panel shows the session as connected; once it is lost again, "connected" would be wrong.
        return False
    return session.last_connected is None or session.last_connected <= operation.finished_at


def _shows_qr(session: SessionSnapshot, running: OperationStatus | None) -> bool:
    if session.verdict != Verdict.WAITING_FOR_QR or session.qr is None:
        return False
    # A QR code is of no use to a pairing by code, or after the phone has scanned.
    return running is None or (running.mode == "qr" and running.step != Step.VERIFYING)


def _just_came_back(session: SessionSnapshot, operation: OperationStatus | None, now: datetime) -> bool:
    if now - session.since < SUCCESS_SHOWN:
        return True
    if operation is None or operation.finished_at is None or operation.outcome is None:
        return False
    return (
        operation.kind in BRINGS_UP and operation.outcome.ok and now - operation.finished_at < SUCCESS_SHOWN
    )


_BY_VERDICT = {
    Verdict.STUCK: Panel.OFFER_RESTART,
    Verdict.UNRESPONSIVE: Panel.OFFER_RESTART,
    Verdict.STARTING: Panel.STARTING,
    Verdict.PAUSED: Panel.PAUSED,
    Verdict.UNAUTHORIZED: Panel.UNAUTHORIZED,
    Verdict.UNREACHABLE: Panel.UNREACHABLE,
    Verdict.UNKNOWN: Panel.WAITING,
    Verdict.WAITING_FOR_QR: Panel.WAITING,
}
