"""Status and outcome of operations, as values that every process can read."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, Field

from core.models import START_DOUBT, Frozen, Outcome

SELF_HEALING = "self-healing"
"""Actor of operations started by self-healing."""


class Kind(StrEnum):
    """Kinds of operations."""

    START = "start"
    RESTART = "restart"
    PAIR = "pair"
    CLOSE = "close"
    LOGOUT = "logout"
    REMOVE = "remove"


class Step(StrEnum):
    """The current step of an operation; the page translates it."""

    CHECKING = "checking"
    CLOSING = "closing"
    WAITING_AFTER_CLOSE = "waiting_after_close"
    WAITING_AFTER_LOGOUT = "waiting_after_logout"
    STARTING = "starting"
    WAITING_FOR_BROWSER = "waiting_for_browser"
    WAITING_FOR_GATEWAY = "waiting_for_gateway"
    WAITING_FOR_CODE_TO_EXPIRE = "waiting_for_code_to_expire"
    WAITING_FOR_SCAN = "waiting_for_scan"
    WAITING_FOR_CODE_ENTRY = "waiting_for_code_entry"
    LOGGING_OUT = "logging_out"
    REMOVING = "removing"
    VERIFYING = "verifying"
    DONE = "done"


class OperationStatus(Frozen):
    """One operation on one session. The newest one is kept until the next starts."""

    server: str
    session: str
    kind: Kind
    actor: str
    holder: str
    """The process that runs it, for example "wppconnect-dashboard[4711]"."""
    started_at: AwareDatetime
    mode: str = "qr"
    """For `pair`: "qr" or "code"."""
    by_itself: bool = False
    """Whether self-healing started it; it then yields to a user's operation."""
    step: Step = Step.CHECKING
    step_since: AwareDatetime
    step_until: AwareDatetime | None = None
    """When the wait of this step ends, for a countdown."""
    pairing_code: str | None = Field(default=None, repr=False)
    """Live pairing code, which the gateway returns once; kept only until it is used or has expired."""
    code_life_seconds: float | None = None
    """When WhatsApp may replace the pairing code, after it was shown; None if it does not."""
    finished_at: AwareDatetime | None = None
    outcome: Outcome | None = None
    interrupted: bool = False
    """Whether its process ended before the operation did; it is not resumed."""

    def code_may_be_replaced(self, now: datetime) -> bool:
        """Return whether WhatsApp may have replaced the pairing code unnoticed since it was shown."""
        if self.pairing_code is None or self.code_life_seconds is None:
            return False
        return now - self.step_since >= timedelta(seconds=self.code_life_seconds)

    def start_is_doubtful(self, now: datetime) -> bool:
        """Return whether the browser has been starting for so long that it may never come up."""
        return self.step == Step.WAITING_FOR_BROWSER and now - self.step_since >= START_DOUBT

    @property
    def is_running(self) -> bool:
        """Whether the operation is still running."""
        return self.finished_at is None and not self.interrupted


class Facts(Frozen):
    """Facts kept between operations, because the gateway does not report them."""

    closed_at: AwareDatetime | None = None
    """Time of a confirmed close; from then on the gateway's API does not return pairing codes."""
    failed_close_at: AwareDatetime | None = None
    """Time of a close answered with 500: the browser may run on and hold the profile until `free_at`."""
    free_at: AwareDatetime | None = None
    logged_out_at: AwareDatetime | None = None
    closed_by_itself: bool = False
    """Whether self-healing made the latest close."""
    no_webhook_at: AwareDatetime | None = None
    """When the gateway held no webhook: it did not know the session, or a start sent options without one."""
    phone_saved: bool = False
    """Whether the latest start with options sent a phone, which the gateway would reuse for an empty body."""


OUTCOMES: dict[str, tuple[bool, str]] = {
    "connected": (True, "The session is connected."),
    "already_connected": (True, "The session was connected already; nothing was done."),
    "needs_pairing": (
        False,
        "The session started, but the gateway asks for a phone. Re-pair it: scan a QR code or enter a code.",
    ),
    "closed": (True, "The session is closed; its pairing is kept. Start it to connect again."),
    "close_unverified": (
        False,
        "The gateway answered the close with an error and still reports the session. Look again in a minute.",
    ),
    "close_refused": (
        False,
        "The session is starting or waiting for a phone; it closes by itself within a minute. Closing it now "
        "would leave its browser running.",
    ),
    "logged_out": (
        True,
        "The phone is unlinked and the session paused. A new scan is needed to use it again.",
    ),
    "logged_out_not_paused": (
        True,
        "The phone is unlinked, but the session could not be paused: the settings cannot be saved. Pause it "
        "yourself, or it counts as lost.",
    ),
    "not_connected": (
        False,
        "The gateway can log out only a connected session. Remove the linked device on the phone instead.",
    ),
    "removed": (True, "The session is removed from the gateway, its pairing included."),
    "removed_not_forgotten": (
        True,
        "The session is removed from the gateway, but still stands here: the settings cannot be saved. "
        "Remove it here yourself.",
    ),
    "remove_refused": (
        False,
        "Nothing was removed: the gateway removes only a session that is closed and whose profile is no "
        "symbolic link. Close it, then try again.",
    ),
    "remove_too_early": (
        False,
        "Nothing was removed: the browser of an earlier attempt may still use the session's profile. Try "
        "again in two minutes.",
    ),
    "remove_not_offered": (
        False,
        "This gateway cannot remove the session: this is supported by versions after 2.10.16, for names "
        "that begin with a letter or digit.",
    ),
    "code_expired": (
        False,
        "No phone was linked before the code expired. Request a new one. If the phone asked for a passkey "
        "or said to continue in WhatsApp Web, this gateway cannot answer that, and scanning again will not "
        "help.",
    ),
    "link_not_completed": (
        False,
        "Linking was not completed. If the phone asked for a passkey or said to continue in WhatsApp Web, "
        "this gateway cannot answer that, and scanning again will not help: update the gateway to a "
        "version that can, or link an account without a passkey. If the phone asked for nothing, check "
        "that it is online and has fewer than four linked devices, then request a new code.",
    ),
    "code_not_visible": (
        False,
        "The gateway tells a pairing code only on the first start of a session, so none can be shown now. "
        "Use the QR code.",
    ),
    "code_unsupported": (
        False,
        "This gateway is too old for pairing codes, which need version 2.6.0. Use the QR code.",
    ),
    "needs_webhook_confirmation": (
        False,
        "This start replaces the options saved on the gateway, and what webhook the session has is not known "
        "here: one would be lost. Enter it in the settings, or confirm.",
    ),
    "start_failed": (
        False,
        "The gateway could not start the session's browser. Look at the gateway's log, then try again.",
    ),
    "stuck": (False, "The browser on the gateway did not start within 4 minutes. Restart the session."),
    "unauthorized": (
        False,
        "The gateway does not accept the token. Check the session's name and the secret key in the settings.",
    ),
    "secret_rejected": (
        False,
        "The gateway does not accept the secret key. Enter the gateway's own key in the settings.",
    ),
    "unreachable": (
        False,
        "The gateway does not answer. Check that it runs and its address in the settings.",
    ),
    "asked_to_wait": (False, "The gateway, or a proxy in front of it, asks for a pause. Try again later."),
    "timed_out": (False, "The gateway took too long to answer. Look at the session's state and try again."),
    "busy_elsewhere": (False, "Somebody else is working on this session right now."),
    "not_needed": (True, "The session had changed by then; nothing was done."),
    "gave_way": (False, "Self-healing stopped because another action was requested for this session."),
    "stopped": (False, "This program was stopped in the middle. Look at the session's state and try again."),
    "failed": (
        False,
        "The gateway gave an answer that makes no sense here. Look at its state and try again.",
    ),
}
"""Every outcome code, with whether it is a success and the sentence with the next step."""
