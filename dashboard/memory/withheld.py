"""What viewers are not given: whoever has a live code can link a phone of their own.

Taken out where values enter the page, so that no drawing can send a code to a viewer's browser.
"""

from __future__ import annotations

from core.models import ServerSnapshot, Snapshot
from core.operation_status import OperationStatus


def without_codes(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot without the QR codes."""
    servers = tuple(_without_codes(server) for server in snapshot.servers)
    return snapshot.model_copy(update={"servers": servers})


def without_code(operation: OperationStatus) -> OperationStatus:
    """Return the operation without its pairing code."""
    return operation.model_copy(update={"pairing_code": None})


def _without_codes(server: ServerSnapshot) -> ServerSnapshot:
    if not any(session.qr for session in server.sessions):
        return server
    sessions = tuple(
        session.model_copy(update={"qr": None}) if session.qr else session for session in server.sessions
    )
    return server.model_copy(update={"sessions": sessions})
