"""Select the actions in the menu of a session's page from the session's state. Pure functions."""

from __future__ import annotations

from enum import Enum, auto

from core.models import Reason, SessionSnapshot, Verdict
from core.operation_status import OperationStatus


class Control(Enum):
    """A less common action on a session."""

    RESTART = auto()
    CLOSE = auto()
    LOG_OUT = auto()
    PAUSE = auto()


def controls(
    session: SessionSnapshot, operation: OperationStatus | None, *, can_close: bool = True
) -> frozenset[Control]:
    """Return the actions to offer; none for a paused session, as after a logout.

    `can_close`: the gateway can close a session without unlinking its phone.
    """
    if not session.enabled:
        return frozenset()
    if operation is not None and operation.is_running:
        return frozenset({Control.PAUSE})
    offered = {Control.PAUSE, *_BY_VERDICT.get(session.verdict, ())}
    if session.verdict is Verdict.DISCONNECTED and not _may_come_back(session):
        offered.discard(Control.RESTART)
    if not can_close:
        offered.discard(Control.CLOSE)
    return frozenset(offered)


def _may_come_back(session: SessionSnapshot) -> bool:
    """Return whether a start may connect a closed session without a scan."""
    return session.ever_connected and session.reason is not Reason.LOGGED_OUT_BY_OPERATOR


_BY_VERDICT: dict[Verdict, tuple[Control, ...]] = {
    Verdict.CONNECTED: (Control.RESTART, Control.CLOSE, Control.LOG_OUT),
    Verdict.UNRESPONSIVE: (Control.RESTART, Control.CLOSE, Control.LOG_OUT),
    Verdict.STUCK: (Control.RESTART, Control.CLOSE),
    Verdict.DISCONNECTED: (Control.RESTART,),
    Verdict.UNKNOWN: (Control.RESTART, Control.CLOSE, Control.LOG_OUT),
}
"""Other verdicts allow pausing only. A browser that is starting or waits for a phone ends by itself, and a
close would leave it running; a gateway that is unreachable or refuses access takes no request."""
