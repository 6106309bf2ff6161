"""Reasons summed up to few words, so that they can be metric labels."""

from __future__ import annotations

from enum import StrEnum

from core.models import Reason


class Loss(StrEnum):
    """Who or what ended a connection: the reasons, summed up to a metric label with few values."""

    GATEWAY = "gateway"
    """It does not answer, or was restarted."""
    PAGE = "page"
    """Its WhatsApp page does not answer."""
    CLOSED = "closed"
    """Removed on the phone, or closed by somebody else."""
    OPERATOR = "operator"
    OTHER = "other"

    @classmethod
    def of(cls, reason: Reason) -> Loss:
        """Sum a reason up."""
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


class ProbeFailure(StrEnum):
    """Why a probe failed. Bounded: it is a metric label."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    TOKEN = "token"  # noqa: S105 - a reason's name, not a password
    SECRET = "secret"  # noqa: S105 - a reason's name, not a password
    ANSWER = "answer"
    """The answer could not be read, or was a refusal."""

    @classmethod
    def of(cls, kind: str) -> ProbeFailure:
        """Sum up a `Problem.kind`."""
        return _PROBE_FAILURES.get(kind, cls.ANSWER)


_PROBE_FAILURES = {
    "ConnectError": ProbeFailure.CONNECT,
    "RequestTimeoutError": ProbeFailure.TIMEOUT,
    "AuthenticationError": ProbeFailure.TOKEN,
    "SecretKeyRejectedError": ProbeFailure.SECRET,
}
