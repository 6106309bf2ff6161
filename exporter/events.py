"""Webhook events of the gateway about possible changes of a session's connection (section 7)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum

from core.linking_events import LinkingEvent

BEGINNING = re.compile(rb'\s*\{\s*"event"\s*:\s*"([^"\\]{1,64})"')
"""The gateway writes `event` first, so the kind of an event is known before its whole body is read."""

PAIRING_CODE = re.compile(r"[A-Za-z0-9]{4}-?[A-Za-z0-9]{4}")

LINKING_WORDS = {
    "qrReadSuccess": LinkingEvent.USED,
    "browserClose": LinkingEvent.ENDED,
    "qrReadError": LinkingEvent.ENDED,
}
"""The `status-find` words with information about a code that the API lacks."""


class EventKind(StrEnum):
    """The gateway's words for events about a connection; OTHER for all other events."""

    STATUS_FIND = "status-find"
    QRCODE = "qrcode"
    PHONE_CODE = "phoneCode"
    CLOSE_SESSION = "closesession"
    LOGOUT_SESSION = "logoutsession"
    OTHER = "other"

    @classmethod
    def parse(cls, word: object) -> EventKind:
        """Return the kind for the gateway's word."""
        return cls(word) if isinstance(word, str) and word in set(cls) else cls.OTHER


class DropReason(StrEnum):
    """Why an event led to no probe."""

    WRONG_TOKEN = "wrong_token"  # noqa: S105 - a reason's name, not a password
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    WITHOUT_SESSION = "without_session"
    NOT_MONITORED = "not_monitored"
    RATE_LIMITED = "rate_limited"


@dataclass(frozen=True)
class Event:
    """The parts of an event that we use."""

    kind: EventKind
    session: str | None = None
    """None if missing, as between a close and the next CONNECTED (section 7, traps)."""
    linking: LinkingEvent | None = None
    """The event's meaning for a phone that is being linked."""
    pairing_code: str | None = field(default=None, repr=False)


def kind_at_beginning(beginning: bytes) -> EventKind | None:
    """Return an event's kind from its first bytes; None if they do not contain it."""
    found = BEGINNING.match(beginning)
    return EventKind.parse(found[1].decode(errors="replace")) if found else None


def parse_event(body: bytes) -> Event:
    """Parse a complete event; raise ValueError if it is invalid."""
    try:
        found = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict) or not isinstance(found.get("event"), str):
        raise ValueError("not an event")
    kind, session = EventKind.parse(found["event"]), found.get("session")
    linking, code = None, None
    match kind:
        case EventKind.STATUS_FIND:
            status = found.get("status")
            linking = LINKING_WORDS.get(status) if isinstance(status, str) else None
        case EventKind.PHONE_CODE:
            code = found.get("phoneCode")
            code = code if isinstance(code, str) and PAIRING_CODE.fullmatch(code) else None
            linking = LinkingEvent.CODE if code is not None else None
    return Event(kind, session if isinstance(session, str) and session else None, linking, code)
