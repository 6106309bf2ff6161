"""JSON responses about a session, as the server derives them from its session object (sections 5 and 6)."""

from typing import Any, TypeAlias

from simulator import pictures
from simulator.sessions import ABSENT, SessionObject

JsonResponse: TypeAlias = tuple[int, dict[str, Any]]
"""HTTP status and JSON body."""

CLOSED: JsonResponse = (200, {"status": "CLOSED", "qrcode": None})
CONNECTION_TRUE: JsonResponse = (200, {"status": True, "message": "Connected"})
CONNECTION_FALSE: JsonResponse = (200, {"status": False, "message": "Disconnected"})
SESSION_CLOSED: JsonResponse = (200, {"status": True, "message": "Session successfully closed"})
CLOSE_FAILED: JsonResponse = (
    500,
    {"status": False, "message": "Error closing session", "error": {"level": "error"}},
)
NOT_ACTIVE: JsonResponse = (
    404,
    {
        "response": None,
        "status": "Disconnected",
        "message": "A sessão do WhatsApp não está ativa.",
    },
)
NUMBER_CHECK_FAILED: JsonResponse = (
    500,
    {"status": "error", "message": "Error on check number status", "error": {}},
)
NOT_STARTED: JsonResponse = (
    200,
    {
        "status": None,
        "message": "Session not started. "
        "Please, use the /start-session route, for initialization your session",
    },
)


def session_state(entry: SessionObject | None, version: str, *, is_waiting: bool) -> JsonResponse | None:
    """Return the response of status-session, and the first of start-session; None if the server sends none.

    `is_waiting` is the body's waitQrCode. status-session reads it, too, which causes H4.
    """
    if (entry is None or entry.status in (None, ABSENT)) and not is_waiting:
        return CLOSED
    if entry is None:
        return None
    body: dict[str, Any] = {}
    if entry.status is not ABSENT:
        body["status"] = entry.status
    body["qrcode"] = pictures.data_url(entry.urlcode) if entry.urlcode else None
    if entry.urlcode:
        body["urlcode"] = entry.urlcode
    return 200, body | {"version": version}


def no_qr(entry: SessionObject | None) -> JsonResponse:
    """Return the response of qrcode-session if there is no picture."""
    if entry is None:
        return NOT_STARTED
    status = {} if entry.status is ABSENT else {"status": entry.status}
    return 200, status | {"message": "QRCode is not available..."}


def number_status(number: str, *, exists: bool) -> JsonResponse:
    """Return the response of check-number-status."""
    profile = {
        "id": {"server": "c.us", "user": number, "_serialized": f"{number}@c.us"}
        if exists
        else f"{number}@c.us",
        "isBusiness": False,
        "canReceiveMessage": exists,
        "numberExists": exists,
        "status": 200 if exists else 404,
    }
    return 200, {"status": "success", "response": profile}


def with_session(entry: SessionObject, body: dict[str, Any]) -> dict[str, Any]:
    """Return the body with the session's name, which a closed and restarted session lacks (section 7)."""
    return body if entry.name is ABSENT else body | {"session": entry.name}
