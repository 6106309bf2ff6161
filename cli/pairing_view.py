"""The lines that the terminal shows while a phone is being linked, from values only."""

from __future__ import annotations

from datetime import datetime, timedelta

from cli.terminal import draw_qr, wrap
from core.messages.operation import STEPS
from core.models import QrCode, Reason, SessionSnapshot, Verdict
from core.operation_status import Kind, OperationStatus, Step

SHORTEST_CODE = timedelta(seconds=5)
"""A next code is announced only if it lives at least this long before the attempt ends."""

DOUBTFUL = (
    "This is taking longer than usual. If the gateway's log shows a launch error, the browser will not "
    "start: after 4 minutes the session counts as stuck."
)
REPLACED = (
    "WhatsApp may have replaced this code by now. If the phone refuses it, wait until the gateway ends this "
    "attempt, then run this command again without --phone and scan the QR code."
)

PASSKEY = (
    "If the phone asks for a passkey or says to continue in WhatsApp Web, this gateway cannot answer that, "
    "and scanning again will not help."
)


def frame(
    status: OperationStatus, seen: SessionSnapshot | None, now: datetime, *, columns: int, rows: int
) -> list[str]:
    """Return the lines of the whole screen."""
    title = f"{status.session} on {status.server}"
    doing = STEPS[status.step] + _countdown(status.step_until, now)
    lines = [title, ""]
    below: list[str] = []
    qr: QrCode | None = None
    if status.kind is not Kind.PAIR:
        lines += [f"{status.actor} is already working on it ({status.kind}): {doing}"]
    elif seen is not None and seen.verdict is Verdict.LINKING:
        used = "was scanned" if seen.reason is Reason.CODE_SCANNED else "was probably used"
        lines += [
            f"The code {used}. WhatsApp is completing the link, which takes up to three minutes.",
            PASSKEY,
        ]
    elif status.pairing_code:
        half = len(status.pairing_code) // 2
        lines += [
            "On the phone: WhatsApp, Linked devices, Link a device, Link with phone number instead.",
            f"Enter this code:  {status.pairing_code[:half]}-{status.pairing_code[half:]}",
            doing,
        ]
        if status.code_may_be_replaced(now):
            lines += [REPLACED]
    elif seen is not None and seen.verdict is Verdict.WAITING_FOR_QR and seen.qr is not None:
        qr = seen.qr
        ends = status.step_until if status.step is Step.WAITING_FOR_SCAN else None
        below = ["On the phone: WhatsApp, Linked devices, Link a device, and scan.", *_times(qr, ends, now)]
    else:
        lines += [doing]
        if status.start_is_doubtful(now):
            lines += [DOUBTFUL]
    lines = [row for line in lines for row in wrap(line, columns)]
    below = [row for line in [*below, "Ctrl-C leaves."] for row in wrap(line, columns)]
    if qr is not None:
        # One row less than available: the cursor is below the last line.
        free = rows - len(lines) - len(below) - 1
        lines += draw_qr(qr.payload, columns=columns, rows=free)
    return [*lines, *below]


def _countdown(until: datetime | None, now: datetime) -> str:
    left = _seconds(until, now) if until is not None else 0
    return f", {left} s left" if left > 0 else ""


def _times(qr: QrCode, attempt_ends: datetime | None, now: datetime) -> list[str]:
    """Return the code's remaining time, whether another follows, and the default end of the attempt."""
    # A code that came after that end belongs to a gateway that waits longer than by default.
    is_last = attempt_ends is not None and qr.first_seen < attempt_ends < qr.ends_at + SHORTEST_CODE
    if attempt_ends is not None and now >= attempt_ends:
        attempt_ends = None  # The gateway waits longer than by default.
    left = _seconds(min(qr.ends_at, attempt_ends) if attempt_ends is not None else qr.ends_at, now)
    if left <= 0:
        # A used code stays until the phone has synced; an expired one is about to be replaced.
        return ["Scanned, or expired: wait." if is_last else "Scanned, or about to be renewed: wait."]
    if attempt_ends is None:
        return [f"Code expires in {left} s; the next one appears here automatically."]
    next_one = "by default no other follows" if is_last else "the next one appears here automatically"
    return [
        f"Code expires in {left} s; {next_one}.",
        f"By default the gateway ends this attempt in {_seconds(attempt_ends, now)} s.",
    ]


def _seconds(until: datetime, now: datetime) -> int:
    return round((until - now).total_seconds())
