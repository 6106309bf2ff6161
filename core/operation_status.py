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


SUCCESSES = frozenset(
    {
        "connected",
        "already_connected",
        "closed",
        "logged_out",
        "logged_out_not_paused",
        "removed",
        "removed_not_forgotten",
        "not_needed",
    }
)
"""The outcome codes of `core.messages.operation` that are a success."""
