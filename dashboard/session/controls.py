"""What the menu of a session's page offers: only what makes sense of the session as it is now; pure."""

from __future__ import annotations

from enum import Enum, auto

from core.models import Reason, SessionSnapshot, Verdict
from core.operation_status import OperationStatus


class Control(Enum):
    """What is needed rarely."""

    RESTART = auto()
    CLOSE = auto()
    LOG_OUT = auto()
    PAUSE = auto()


def controls(session: SessionSnapshot, operation: OperationStatus | None) -> frozenset[Control]:
    """Return what is offered; none of it for a session that is paused, as after a logout."""
    if not session.enabled:
        return frozenset()
    if operation is not None and operation.is_running:
        return frozenset({Control.PAUSE})
    offered = {Control.PAUSE, *_BY_VERDICT.get(session.verdict, ())}
    if session.verdict is Verdict.DISCONNECTED and not _may_come_back(session):
        offered.discard(Control.RESTART)
    return frozenset(offered)


def _may_come_back(session: SessionSnapshot) -> bool:
    """Return whether a start may connect a closed session without a phone."""
    return session.ever_connected and session.reason is not Reason.LOGGED_OUT_BY_OPERATOR


_BY_VERDICT: dict[Verdict, tuple[Control, ...]] = {
    Verdict.CONNECTED: (Control.RESTART, Control.CLOSE, Control.LOG_OUT),
    Verdict.UNRESPONSIVE: (Control.RESTART, Control.CLOSE, Control.LOG_OUT),
    Verdict.STUCK: (Control.RESTART, Control.CLOSE),
    Verdict.DISCONNECTED: (Control.RESTART,),
    Verdict.UNKNOWN: (Control.RESTART, Control.CLOSE, Control.LOG_OUT),
}
"""A browser that is starting or waits for a phone ends by itself; closing it would leave it running. To a
gateway that does not answer, or refuses us, nothing can be sent."""
