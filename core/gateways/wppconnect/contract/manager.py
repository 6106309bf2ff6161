"""The manager protocol of newer gateways: meaning of its responses (contract, section 12)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from core.gateways.wppconnect.contract.answers import (
    LONGEST_NAME,
    MOST_NAMES,
    json_object,
    parse_state,
    refusal,
)
from core.gateways.wppconnect.contract.identity import is_manager_info
from core.logs import showable
from core.models import SessionState
from core.transport import Answer

ROUTES = "/api/manager"
LEFT_TO_OTHERS = 10
"""Requests left to other clients of the 60 a minute per address; browsers behind the same proxy share it."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_SECRET = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_LIMIT = re.compile(r"remaining=(\d{1,6}), reset=(\d{1,6})")


@dataclass(frozen=True)
class SessionStates:
    """The states of all sessions that the gateway knows."""

    states: Mapping[str, SessionState]
    pause_seconds: float
    """Seconds to pause so that other clients can use the rest of the limit; usually 0."""


def fits_header(secret: str) -> bool:
    """Return whether a secret key can be sent in a header unchanged."""
    return _SECRET.fullmatch(secret) is not None


def is_name(session: str) -> bool:
    """Return whether the protocol accepts this session name; it rejects a leading "_" or "-"."""
    return _NAME.fullmatch(session) is not None


def is_unauthorized(answer: Answer) -> bool:
    """Return whether the gateway itself rejected the secret key; a proxy's 401 has another body."""
    body = json_object(answer) if answer.status_code == 401 else None
    return body is not None and body.get("message") == "Unauthorized"


def parse_version(answer: Answer) -> str | None:
    """Return the release from /api/manager/info; None if the protocol is not offered."""
    body = json_object(answer)
    if not is_manager_info(answer) or body is None:
        return None
    return showable(str(body["serverVersion"])[:LONGEST_NAME])


def parse_removed(answer: Answer) -> bool:
    """Return True if a session was removed; raise for anything else, a 500 included."""
    body = json_object(answer)
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        raise refusal(answer)
    if body is None or body.get("success") is not True:
        raise answer.unreadable("it does not say that the session was removed")
    return True


def parse_states(answer: Answer) -> SessionStates | None:
    """Parse /api/manager/sessions; None for anything but a list of names and states."""
    body = json_object(answer) if answer.status_code == 200 else None
    listed = (body or {}).get("sessions")
    if not isinstance(listed, list) or len(listed) > MOST_NAMES:
        return None
    states: dict[str, SessionState] = {}
    for one in listed:
        name = one.get("session") if isinstance(one, dict) else None
        if not isinstance(name, str):
            return None
        states[showable(name[:LONGEST_NAME])] = parse_state(one.get("status"))
    limit = _LIMIT.search(answer.rate_limit)
    is_short = limit is not None and int(limit[1]) < LEFT_TO_OTHERS
    return SessionStates(states, min(float(limit[2]), 60.0) if limit is not None and is_short else 0.0)
