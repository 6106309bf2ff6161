"""What the terminal shows while a phone is being linked: values to lines, nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

from cli.qr_terminal import draw_qr
from core.models import QrCode, SessionSnapshot, Verdict
from core.operation_status import Kind, OperationStatus, Step

FIRST_CODE_LIVES = timedelta(seconds=60)
LATER_CODES_LIVE = timedelta(seconds=20)
"""WhatsApp renews a QR code after these times (contract, section 5)."""
LINES_AROUND = 6
"""Rows that the frame needs besides the code."""

STEPS: dict[Step, str] = {
    Step.CHECKING: "looking at the session",
    Step.CLOSING: "closing the session's browser",
    Step.WAITING_AFTER_CLOSE: "waiting until the old browser is gone",
    Step.WAITING_AFTER_LOGOUT: "waiting until the old browser is gone",
    Step.STARTING: "starting the session",
    Step.WAITING_FOR_BROWSER: "waiting for the browser",
    Step.WAITING_FOR_GATEWAY: "waiting for the gateway to come back",
    Step.WAITING_FOR_CODE_TO_EXPIRE: "waiting until an earlier pairing code has expired",
    Step.WAITING_FOR_SCAN: "waiting for the scan",
    Step.WAITING_FOR_CODE_ENTRY: "waiting until the code is entered on the phone",
    Step.LOGGING_OUT: "logging out",
    Step.VERIFYING: "looking at the session again",
    Step.DONE: "done",
}


def frame(
    status: OperationStatus, seen: SessionSnapshot | None, now: datetime, *, columns: int, rows: int
) -> list[str]:
    """Return the lines of the whole screen."""
    title = f"{status.session} on {status.server}"
    doing = STEPS[status.step] + _countdown(status.step_until, now)
    lines = [title, ""]
    if status.kind is not Kind.PAIR:
        lines += [f"{status.actor} is at it already ({status.kind}): {doing}"]
    elif status.pairing_code:
        half = len(status.pairing_code) // 2
        lines += [
            "On the phone: WhatsApp, Linked devices, Link a device, Link with phone number instead.",
            f"Enter this code:  {status.pairing_code[:half]}-{status.pairing_code[half:]}",
            doing,
        ]
    elif seen is not None and seen.verdict is Verdict.WAITING_FOR_QR and seen.qr is not None:
        lines += draw_qr(seen.qr.payload, columns=columns, rows=rows - LINES_AROUND)
        lines += ["On the phone: WhatsApp, Linked devices, Link a device, and scan.", _code_age(seen.qr, now)]
    else:
        lines += [doing]
    return [*lines, "Ctrl-C leaves."]


def _countdown(until: datetime | None, now: datetime) -> str:
    left = round((until - now).total_seconds()) if until is not None else 0
    return f", {left} s left" if left > 0 else ""


def _code_age(qr: QrCode, now: datetime) -> str:
    lives = FIRST_CODE_LIVES if qr.generation == 1 else LATER_CODES_LIVE
    left = round((qr.first_seen + lives - now).total_seconds())
    if left > 0:
        return f"This code is good for {left} s; the next one is drawn here by itself."
    # A used-up code stays until the phone has synced; an expired one is about to be replaced.
    return "Scanned, or about to be renewed: wait."
