"""Redaction for viewers: a live code would permit them to link a phone of their own.

Applied where values enter the page, so that no drawing code can send a code to a viewer's browser.
"""

from __future__ import annotations

from core.models import ServerSnapshot, SessionSnapshot, Snapshot
from core.operation_status import OperationStatus
from core.phone_numbers import last_digits


def without_codes(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot without QR codes, and with only the last digits of phone numbers."""
    servers = tuple(_without_codes(server) for server in snapshot.servers)
    return snapshot.model_copy(update={"servers": servers})


def without_code(operation: OperationStatus) -> OperationStatus:
    """Return the operation without its pairing code."""
    return operation.model_copy(update={"pairing_code": None})


def _without_codes(server: ServerSnapshot) -> ServerSnapshot:
    return server.model_copy(update={"sessions": tuple(_without_code(one) for one in server.sessions)})


def _without_code(session: SessionSnapshot) -> SessionSnapshot:
    update: dict[str, object] = {"qr": None} if session.qr else {}
    if session.account is not None:
        number = last_digits(session.account.number) or None
        update["account"] = session.account.model_copy(update={"number": number})
    return session.model_copy(update=update) if update else session
