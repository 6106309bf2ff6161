"""The gateway's webhooks, as far as they say that a session's connection may have changed (section 7)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum

BEGINNING = re.compile(rb'\s*\{\s*"event"\s*:\s*"([^"\\]{1,64})"')
"""The gateway writes `event` first, so what a body is about shows before the rest of it is there."""


class EventKind(StrEnum):
    """The gateway's words for events that concern a connection, and OTHER for all traffic."""

    STATUS_FIND = "status-find"
    QRCODE = "qrcode"
    PHONE_CODE = "phoneCode"
    CLOSE_SESSION = "closesession"
    LOGOUT_SESSION = "logoutsession"
    OTHER = "other"

    @classmethod
    def parse(cls, word: object) -> EventKind:
        """Read the gateway's word."""
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
    """What is taken from an event; everything else in it is left alone."""

    kind: EventKind
    session: str | None = None
    """None: it names none, as happens between a close and the next CONNECTED (section 7, traps)."""


def kind_at_beginning(beginning: bytes) -> EventKind | None:
    """Tell an event's kind by its first bytes; None when they do not say."""
    found = BEGINNING.match(beginning)
    return EventKind.parse(found[1].decode(errors="replace")) if found else None


def parse_event(body: bytes) -> Event:
    """Read a whole event; raises ValueError when it is none."""
    try:
        found = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict) or not isinstance(found.get("event"), str):
        raise ValueError("not an event")
    session = found.get("session")
    return Event(EventKind.parse(found["event"]), session if isinstance(session, str) and session else None)
