"""Start an examination: by a click, or automatically after a failed operation."""

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
"""Outcomes after which an examination starts automatically."""


def examine_session(server: str, session: str) -> None:
    """Examine a session in the background."""
    state.require(Role.OPERATOR)
    _begin(server, session)


def ask_whatsapp(server: str, session: str) -> None:
    """Examine a session in the background, including a query to WhatsApp through it."""
    state.require(Role.OPERATOR)
    _begin(server, session, asks_whatsapp=True)


def examine_failed(session: SessionSnapshot, operation: OperationStatus | None) -> None:
    """Start an examination once after each failed operation. Called on every drawing."""
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
