"""Read the gateway's answers: into values, or into the refusal that they are.

Decided by status code and structure, never by message text: the gateway mixes Portuguese and English, and
HTTP 200 only means that it answered.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.contract.token_format import TokenKind, parse_token
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
from core.logs import CONTROLS
from core.messages import Message
from core.models import SessionState
from core.transport import Answer

PNG = b"\x89PNG\r\n\x1a\n"
WORDS_LIMIT = 160
LONGEST_TEXT = 2000
"""Bytes of one value; the longest real one is a QR payload of 240, and no QR code holds 3000."""
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
"""What the gateway itself never answers: nginx, Traefik and CDNs say so when they do not reach it."""

_PRIVATE = re.compile(r"\S*/api/\S*|\$2[abxy]\$\S+|2@\S+|\+?\d[\d ().-]{6,}\d")
"""Paths (with the secret key), tokens, QR payloads and phone numbers, should something repeat one."""


@dataclass(frozen=True)
class Health:
    """The gateway answers."""

    uptime_seconds: float | None
    """None when it does not say, as before release 1.1.5 or where a proxy hides it.

    Smaller than before: it was restarted."""


@dataclass(frozen=True)
class StatusAnswer:
    """A session as status-session sees it; only check-connection-session tells whether CONNECTED is true."""

    state: SessionState
    word: str | None
    """The gateway's own word, also one that we do not know."""
    urlcode: str | None = field(repr=False)
    """The last QR payload of this start. Live only while the state is QRCODE: it stays in every later one."""
    has_session_object: bool
    version: str | None
    has_browser: bool | None = None
    """False: a socket library runs the session. None: the answer does not tell."""


@dataclass(frozen=True)
class StartAnswer:
    """What start-session told; the start itself goes on in the background."""

    state_before: SessionState | None
    """State before this call: it started CLOSED and None (after a close), and left any other alone."""
    pairing_code: str | None = field(repr=False)
    """Told only here, when the session was asked to wait for one."""
    has_session_object: bool


@dataclass(frozen=True)
class Device:
    """The linked phone."""

    platform: str | None
    push_name: str | None = field(repr=False)
    phone_number: str | None = field(repr=False)


def parse_generated(answer: Answer) -> str:
    """Read generate-token's answer."""
    token = parse_token(_text(_object(answer), "token") or "")
    if token.kind is not TokenKind.BCRYPT:
        raise answer.unreadable("it holds no token")
    return token.token


def parse_names(answer: Answer) -> tuple[str, ...] | None:
    """Read show-all-sessions; anything but a list of strings is "unknown", not "no sessions"."""
    names = _object(answer).get("response")
    if not isinstance(names, list) or len(names) > MOST_NAMES:
        return None
    if all(isinstance(name, str) for name in names):
        # What is cut or replaced is far from a usable name before and after.
        return tuple(showable(name[:LONGEST_NAME]) for name in names)
    return None


def parse_status(answer: Answer) -> StatusAnswer:
    """Read status-session; the status may be null, missing, or a word that we do not know."""
    body = _object(answer)
    if {"uptime", "timestamp"} <= body.keys():
        raise answer.unreadable("it is a health check's, as of a service that answers every path alike")
    word, version = _text(body, "status"), _text(body, "version")
    state = SessionState.parse(word)
    return StatusAnswer(
        state=state,
        word=word,
        urlcode=_text(body, "urlcode"),
        has_session_object=_has_session_object(state, version),
        version=version,
        # A session with a browser has no `urlcode` rather than an empty one (contract, section 15).
        has_browser=False if body.get("urlcode", "") is None else None,
    )


def parse_connected(answer: Answer) -> bool:
    """Read check-connection-session."""
    status = _object(answer).get("status")
    if not isinstance(status, bool):
        raise answer.unreadable("it says neither connected nor disconnected")
    return status


def parse_picture(answer: Answer) -> bytes | None:
    """Read qrcode-session: PNG bytes, or JSON or text with a data URL or bare base64; None without a QR."""
    if answer.status_code == 500 and (json_object(answer) or {}).get("status") == "error":
        return None  # What releases before 2.0.1 send without a QR or without a session (section 10).
    if answer.status_code >= 400:
        raise refusal(answer)
    if answer.body.startswith(PNG):
        return answer.body
    if answer.content_type.startswith("text/plain"):
        picture: Any = answer.body.decode(errors="replace")
    else:
        body = answer.json()
        picture = body.get("qrcode") if isinstance(body, dict) else body
    if picture is None or picture == "":
        return None
    if isinstance(picture, str):
        encoded = "".join(picture.rpartition("base64,")[2].split())
        try:
            decoded = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            decoded = b""
        if decoded.startswith(PNG):
            return decoded
    raise answer.unreadable("it holds no picture that we know")


def parse_start(answer: Answer) -> StartAnswer:
    """Read start-session. A waiting start spells its words in lower case and says what came of it."""
    body = _object(answer)
    word, version = _text(body, "status"), _text(body, "version")
    waited = word in ("qrcode", "phoneCode")
    if waited:
        state: SessionState | None = SessionState.CLOSED
    else:
        state = None if body.get("status") is None else SessionState.parse(word)
    return StartAnswer(
        state_before=state,
        pairing_code=_text(body, "phoneCode") if word == "phoneCode" else None,
        has_session_object=waited or _has_session_object(state, version),
    )


def parse_closed(answer: Answer) -> bool:
    """Read close-session: True when closed, False for the 500 that means "probably forgotten, verify"."""
    if answer.status_code == 500 and json_object(answer) is not None:
        return False
    return _object(answer).get("status") is True


def parse_device(answer: Answer) -> Device:
    """Read host-device."""
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
    """Read get-phone-number: digits, or None when the gateway knows the account by another identity."""
    return _number(_text(_object(answer), "response") or "")


def _number(identity: str) -> str | None:
    """Read an account's number; None for one that is known by another identity (`...@lid`)."""
    number, _, kind = identity.partition("@")
    is_number = number.isascii() and number.isdecimal()
    return number if is_number and kind == "c.us" else None


def parse_number_check(answer: Answer) -> bool:
    """Read check-number-status: whether WhatsApp knows the number."""
    found = _object(answer).get("response")
    exists = found.get("numberExists") if isinstance(found, dict) else None
    if not isinstance(exists, bool):
        raise answer.unreadable("it does not say whether the number exists")
    return exists


def is_secret_refusal(answer: Answer) -> bool:
    """Tell the 400 for a wrong secret key from Express's 400 for a malformed request, which is HTML."""
    body = json_object(answer)
    return answer.status_code == 400 and body is not None and body.get("response") is False


def is_secret_acceptance(answer: Answer) -> bool:
    """Return whether show-all-sessions accepted the secret key: 200 with a list of names, nothing else."""
    body = json_object(answer)
    names = body.get("response") if answer.status_code == 200 and body is not None else None
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def is_token_refusal(answer: Answer) -> bool:
    """Tell the gateway's 401 from that of a proxy before it, which says nothing about the token."""
    body = json_object(answer)
    said = (body or {}).get("error") or (body or {}).get("message")
    return answer.status_code == 401 and isinstance(said, str)


def refusal(answer: Answer, *, of_secret: bool = False) -> ApiError | TransportError:
    """Make the error for a 4xx or 5xx answer; a TransportError for one that a proxy gives in its stead.

    `of_secret`: it refuses the secret key, which its form alone does not show.
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


def showable(text: str) -> str:
    """Replace what no honest text holds: half surrogates and signs that command a terminal or turn a line.

    JSON can spell half surrogates, but neither files nor the page can hold them.
    """
    return CONTROLS.sub(
        lambda sign: " " if sign[0].isspace() else "?", text.encode(errors="replace").decode()
    )


def _object(answer: Answer) -> dict[str, Any]:
    if answer.status_code >= 400:
        raise refusal(answer)
    body = answer.json()
    if not isinstance(body, dict):
        raise answer.unreadable("it is JSON, but no object")
    return body


def json_object(answer: Answer) -> dict[str, Any] | None:
    """Return the body where it is a JSON object, whatever the status."""
    try:
        body = answer.json()
    except ResponseError:
        return None
    return body if isinstance(body, dict) else None


def _text(body: Any, key: str) -> str | None:
    """Read a text; None when there is none, or one that is too long to be what was asked for."""
    value = body.get(key) if isinstance(body, dict) else None
    if not isinstance(value, str) or not value or len(value) > LONGEST_TEXT:
        return None
    text = showable(value)
    return text if len(text.encode()) <= LONGEST_TEXT else None


def _has_session_object(state: SessionState | None, version: str | None) -> bool:
    # Releases before 1.6.2 send no version; a session in any state but CLOSED has an object there too.
    return version is not None or state not in (None, SessionState.CLOSED, SessionState.UNKNOWN)


def _words(body: dict[str, Any] | None) -> str:
    # From JSON only: Express's HTML error pages repeat the path. 401 carries "error" or "message", whichever
    # of its checks failed.
    said = _text(body, "message") or _text(body, "error") or ""
    return _PRIVATE.sub("***", " ".join(said.split()))[:WORDS_LIMIT]
