"""Group reasons into few values, for metric labels and for what is shown as one problem."""

from __future__ import annotations

from enum import StrEnum

from core.models import Reason, ServerSnapshot, Verdict


class Loss(StrEnum):
    """Cause of a connection loss. Bounded: it is a metric label."""

    GATEWAY = "gateway"
    """The gateway does not respond, or was restarted."""
    PAGE = "page"
    """The session's WhatsApp page does not respond."""
    CLOSED = "closed"
    """Unlinked on the phone, or closed by another client."""
    OPERATOR = "operator"
    OTHER = "other"

    @classmethod
    def of(cls, reason: Reason) -> Loss:
        """Return the cause for a reason."""
        return _LOSSES.get(reason, cls.OTHER)


_LOSSES = {
    Reason.GATEWAY_UNREACHABLE: Loss.GATEWAY,
    Reason.GATEWAY_TIMEOUT: Loss.GATEWAY,
    Reason.GATEWAY_RESTARTED: Loss.GATEWAY,
    Reason.PAGE_NOT_ANSWERING: Loss.PAGE,
    Reason.WHATSAPP_NOT_ANSWERING: Loss.PAGE,
    Reason.BROWSER_DEAD: Loss.PAGE,
    Reason.CLOSED_ON_GATEWAY: Loss.CLOSED,
    Reason.CLOSED_BY_OPERATOR: Loss.OPERATOR,
    Reason.LOGGED_OUT_BY_OPERATOR: Loss.OPERATOR,
}


def gateway_fault(gateway: ServerSnapshot) -> Verdict | None:
    """Return the verdict that a fault of the gateway itself gives its sessions; None without such a fault."""
    if not gateway.enabled:
        return None
    if gateway.up is False:
        return Verdict.UNREACHABLE
    return Verdict.UNAUTHORIZED if gateway.secret_key_valid is False else None


class ProbeFailure(StrEnum):
    """Why a probe failed. Bounded: it is a metric label."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    TOKEN = "token"  # noqa: S105 - a reason's name, not a password
    SECRET = "secret"  # noqa: S105 - a reason's name, not a password
    ANSWER = "answer"
    """The response could not be read, or was a refusal."""

    @classmethod
    def of(cls, kind: str) -> ProbeFailure:
        """Return the failure for a `Problem.kind`."""
        return _PROBE_FAILURES.get(kind, cls.ANSWER)


_PROBE_FAILURES = {
    "ConnectError": ProbeFailure.CONNECT,
    "RequestTimeoutError": ProbeFailure.TIMEOUT,
    "AuthenticationError": ProbeFailure.TOKEN,
    "SecretKeyRejectedError": ProbeFailure.SECRET,
}
