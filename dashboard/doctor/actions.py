"""When the doctor is asked: by a click, and by itself after an operation that failed."""

from __future__ import annotations

from core.doctor import examination
from core.doctor.diagnosis import Diagnosis
from core.models import SessionSnapshot
from core.operation_status import OperationStatus
from dashboard import state
from dashboard.auth.users import Role
from dashboard.cache.examinations import Tell

EXPLAINED = (
    "code_expired",
    "failed",
    "link_not_completed",
    "needs_pairing",
    "secret_rejected",
    "start_failed",
    "stuck",
    "timed_out",
    "unauthorized",
    "unreachable",
)
"""Ends of an operation that leave the reader asking why."""


def examine_session(server: str, session: str) -> None:
    """Examine a session in the background."""
    state.require(Role.OPERATOR)
    _begin(server, session)


def ask_whatsapp(server: str, session: str) -> None:
    """Examine a session in the background, and have WhatsApp itself asked through it."""
    state.require(Role.OPERATOR)
    _begin(server, session, asks_whatsapp=True)


def examine_failed(session: SessionSnapshot, operation: OperationStatus | None) -> None:
    """Examine a session by itself, once after each operation that failed; called while drawing."""
    state.require(Role.OPERATOR)
    if operation is None or operation.outcome is None or operation.outcome.code not in EXPLAINED:
        return
    known = state.examinations().latest(session.server, session.session)
    if known is None or known.began_at < operation.outcome.at:
        _begin(session.server, session.session)


def _begin(server: str, session: str, *, asks_whatsapp: bool = False) -> None:
    core = state.core()

    def examine(tell: Tell) -> Diagnosis:
        return examination.examine(
            core, server, session, asks_whatsapp=asks_whatsapp, tell=tell, now=core.now
        )

    state.examinations().begin(server, session, examine)
