"""Webhook events of the gateway about possible changes of a session's connection (section 7)."""

from __future__ import annotations

import json
import re
from enum import StrEnum

from core.gateways.protocol import OTHER_EVENT, Event, EventFormat
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
    """The gateway's words for events about a connection."""

    STATUS_FIND = "status-find"
    QRCODE = "qrcode"
    PHONE_CODE = "phoneCode"
    CLOSE_SESSION = "closesession"
    LOGOUT_SESSION = "logoutsession"


def kind_at_beginning(beginning: bytes) -> str | None:
    """Return an event's kind from its first bytes; None if they do not contain it."""
    found = BEGINNING.match(beginning)
    return _kind(found[1].decode(errors="replace")) if found else None


def parse_event(body: bytes) -> Event:
    """Parse a complete event; raise ValueError if it is invalid."""
    try:
        found = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict) or not isinstance(found.get("event"), str):
        raise ValueError("not an event")
    kind, session = _kind(found["event"]), found.get("session")
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


def _kind(word: str) -> str:
    return word if word in set(EventKind) else OTHER_EVENT


FORMAT = EventFormat(kinds=tuple(EventKind), kind_at_beginning=kind_at_beginning, parse=parse_event)
