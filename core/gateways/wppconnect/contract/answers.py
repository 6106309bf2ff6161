"""Parse the gateway's responses into values or errors.

The status code and the structure decide, never the message text: the gateway mixes Portuguese and English,
and HTTP 200 only means that it responded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.exceptions import (
    ApiError,
    AuthenticationError,
    ConnectError,
    NotOfferedError,
    RequestRejectedError,
    RequestTimeoutError,
    ResponseError,
    SecretKeyRejectedError,
    ServerFailureError,
    SessionDisconnectedError,
    TransportError,
)
from core.gateways.protocol import SessionStatus
from core.gateways.wppconnect.contract.token_format import TokenKind, parse_token
from core.logs import showable
from core.messages import Message
from core.models import SessionState
from core.transport import Answer

WORDS_LIMIT = 160
LONGEST_TEXT = 2000
"""Maximum bytes of one value; the longest real one is a QR payload of 240, and a QR code holds under 3000."""
MOST_NAMES = 10_000
LONGEST_NAME = 100
LONGEST_UPTIME_SECONDS = 1e9

FROM_A_PROXY: Mapping[int, tuple[type[TransportError], str]] = {
    502: (ConnectError, "gateway.proxy_no_gateway"),
    503: (ConnectError, "gateway.proxy_no_gateway"),
    504: (RequestTimeoutError, "gateway.proxy_timeout"),
    520: (ConnectError, "gateway.cdn_no_gateway"),
    521: (ConnectError, "gateway.cdn_no_gateway"),
    522: (ConnectError, "gateway.cdn_no_gateway"),
    523: (ConnectError, "gateway.cdn_no_gateway"),
    524: (RequestTimeoutError, "gateway.proxy_timeout"),
    525: (ConnectError, "gateway.cdn_certificate"),
    526: (ConnectError, "gateway.cdn_certificate"),
    527: (ConnectError, "gateway.cdn_no_gateway"),
    530: (ConnectError, "gateway.cdn_no_gateway"),
}
"""Statuses that the gateway never sends: nginx, Traefik and CDNs do when they cannot reach it."""

ACCESS_REFUSED = frozenset({401, 403, 407})
"""Without the gateway's JSON, a proxy or another service refuses access."""

_PRIVATE = re.compile(r"\S*/api/\S*|\$2[abxy]\$\S+|2@\S+|\+?\d[\d ().-]{6,}\d")
"""Paths (with the secret key), tokens, QR payloads and phone numbers, in case a response repeats one."""


@dataclass(frozen=True)
class Device:
    """The linked phone."""

    platform: str | None
    push_name: str | None = field(repr=False)
    phone_number: str | None = field(repr=False)


def parse_generated(answer: Answer) -> str:
    """Return the token from a response of generate-token."""
    token = parse_token(_text(_object(answer), "token") or "")
    if token.kind is not TokenKind.BCRYPT:
        raise answer.unreadable("it holds no token")
    return token.token


def parse_names(answer: Answer) -> tuple[str, ...] | None:
    """Return the names from show-all-sessions; None (unknown) for anything but a list of strings."""
    names = _object(answer).get("response")
    if not isinstance(names, list) or len(names) > MOST_NAMES:
        return None
    if all(isinstance(name, str) for name in names):
        # A name that this truncates or alters is not a usable name, neither before nor after.
        return tuple(showable(name[:LONGEST_NAME]) for name in names)
    return None


_MAY_SHOW_QR = (SessionState.QRCODE, SessionState.CLOSED)
"""The gateway returns the last code in every later state too: dead, except in the start-up race under CLOSED
(section 6)."""


def parse_state(word: object) -> SessionState:
    """Return the state for the gateway's value; UNKNOWN for any other, never CONNECTED."""
    if isinstance(word, str) and word in SessionState.__members__:
        return SessionState(word)
    return SessionState.UNKNOWN


def parse_status(answer: Answer) -> SessionStatus:
    """Parse status-session; the status may be null, missing, or an unknown word."""
    body = _object(answer)
    if {"uptime", "timestamp"} <= body.keys():
        raise answer.unreadable("it is a health check's, as of a service that answers every path alike")
    word, version = _text(body, "status"), _text(body, "version")
    state = parse_state(word)
    return SessionStatus(
        state=state,
        qr_payload=_text(body, "urlcode") if state in _MAY_SHOW_QR else None,
        has_session_object=_has_session_object(state, version),
        version=version,
        # Without a QR payload, a session with a browser has no `urlcode` at all, rather than a null one
        # (contract, section 15).
        has_browser=False if body.get("urlcode", "") is None else None,
    )


def parse_connected(answer: Answer) -> bool:
    """Return whether check-connection-session reports the session as connected."""
    status = _object(answer).get("status")
    if not isinstance(status, bool):
        raise answer.unreadable("it says neither connected nor disconnected")
    return status


def parse_pairing_code(answer: Answer) -> str | None:
    """Return the pairing code from start-session, whose status is then "phoneCode"; None without one."""
    body = _object(answer)
    return _text(body, "phoneCode") if _text(body, "status") == "phoneCode" else None


def parse_closed(answer: Answer) -> bool:
    """Parse close-session: True if closed, False for the 500 that means "probably closed, verify"."""
    if answer.status_code == 500 and json_object(answer) is not None:
        return False
    return _object(answer).get("status") is True


def parse_device(answer: Answer) -> Device:
    """Parse host-device."""
    device = _object(answer).get("response")
    if not isinstance(device, dict):
        raise answer.unreadable("it describes no device")
    number = _text(device, "phoneNumber") or _text(device.get("id"), "_serialized")
    return Device(
        platform=_text(device, "platform"),
        push_name=_text(device, "pushname"),
        phone_number=_number(number or ""),
    )


def parse_own_number(answer: Answer) -> str | None:
    """Return the digits from get-phone-number; None if the account has another kind of identity."""
    return _number(_text(_object(answer), "response") or "")


def _number(identity: str) -> str | None:
    """Return an account's number; None for another kind of identity (`...@lid`)."""
    number, _, kind = identity.partition("@")
    is_number = number.isascii() and number.isdecimal()
    return number if is_number and kind == "c.us" else None


def parse_number_check(answer: Answer) -> bool:
    """Return whether check-number-status reports that WhatsApp knows the number."""
    found = _object(answer).get("response")
    exists = found.get("numberExists") if isinstance(found, dict) else None
    if not isinstance(exists, bool):
        raise answer.unreadable("it does not say whether the number exists")
    return exists


def is_secret_refusal(answer: Answer) -> bool:
    """Return whether this is the 400 for a wrong secret key; Express's 400 for malformed requests is HTML."""
    body = json_object(answer)
    return answer.status_code == 400 and body is not None and body.get("response") is False


def is_secret_acceptance(answer: Answer) -> bool:
    """Return whether show-all-sessions accepted the secret key: 200 with a list of names, nothing else."""
    body = json_object(answer)
    names = body.get("response") if answer.status_code == 200 and body is not None else None
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def is_token_refusal(answer: Answer) -> bool:
    """Return whether this is the gateway's 401; that of a proxy says nothing about the token."""
    body = json_object(answer)
    said = (body or {}).get("error") or (body or {}).get("message")
    return answer.status_code == 401 and isinstance(said, str)


def refusal(answer: Answer, *, of_secret: bool = False) -> ApiError | TransportError:
    """Return the error for a 4xx or 5xx response; a TransportError if a proxy sent it.

    `of_secret`: the response rejects the secret key, which its structure alone does not show.
    """
    body = json_object(answer)
    status = answer.status_code
    if status in FROM_A_PROXY:
        fault, message_id = FROM_A_PROXY[status]
        return fault(
            Message.of(message_id, status=status), operation=answer.operation, session=answer.session
        )
    words = _words(body)
    if of_secret or is_secret_refusal(answer):
        kind: type[ApiError] = SecretKeyRejectedError
        message = Message("gateway.secret_refused")
    elif is_token_refusal(answer):
        kind, message = AuthenticationError, Message("gateway.token_refused")
    elif status == 404 and body is not None and answer.session is not None:
        kind, message = SessionDisconnectedError, Message("gateway.session_not_connected")
    elif status == 501 and body is not None:
        kind, message = NotOfferedError, Message("gateway.not_offered")
    elif status in ACCESS_REFUSED and body is None:
        kind, message = RequestRejectedError, Message.of("gateway.not_access", status=status)
    elif status >= 500:
        kind, message = ServerFailureError, Message.of("gateway.failed", status=status)
    else:
        kind, message = RequestRejectedError, Message.of("gateway.refused", status=status)
    return kind(
        message,
        status_code=status,
        server_message=words,
        operation=answer.operation,
        session=answer.session,
        detail=f'it says "{words}"' if words else "",
    )


def _object(answer: Answer) -> dict[str, Any]:
    if answer.status_code >= 400:
        raise refusal(answer)
    body = answer.json()
    if not isinstance(body, dict):
        raise answer.unreadable("it is JSON, but no object")
    return body


def json_object(answer: Answer) -> dict[str, Any] | None:
    """Return the body if it is a JSON object, for any status; otherwise None."""
    try:
        body = answer.json()
    except ResponseError:
        return None
    return body if isinstance(body, dict) else None


def _text(body: Any, key: str) -> str | None:
    """Return a non-empty string of at most LONGEST_TEXT bytes; otherwise None."""
    value = body.get(key) if isinstance(body, dict) else None
    if not isinstance(value, str) or not value or len(value) > LONGEST_TEXT:
        return None
    text = showable(value)
    return text if len(text.encode()) <= LONGEST_TEXT else None


def _has_session_object(state: SessionState | None, version: str | None) -> bool:
    # Releases before 1.6.2 send no version; there, a session in any state but CLOSED has an object.
    return version is not None or state not in (None, SessionState.CLOSED, SessionState.UNKNOWN)


def _words(body: dict[str, Any] | None) -> str:
    # JSON only: Express's HTML error pages repeat the path. A 401 has "error" or "message", depending on
    # which check failed.
    said = _text(body, "message") or _text(body, "error") or ""
    return _PRIVATE.sub("***", " ".join(said.split()))[:WORDS_LIMIT]
