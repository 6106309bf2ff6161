"""What a gateway's webhook says of a phone that is being linked, where its API says nothing or the opposite.

In a start-up race the API says CLOSED over a live code, a used code looks like one that nobody used, and a
pairing code is given once (contract, sections 5 to 7). The receiver of the webhook keeps the latest event of
each kind here, and it counts only for a session that waits for a phone.
"""

from __future__ import annotations

import logging
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from core.models import Frozen
from core.store import Store, Unreadable, modify

log = logging.getLogger(__name__)

SUBJECT = "operations"
"""Beside the status of the operation that waits for them."""

_unreadable = Unreadable(log, "linking_events_unreadable")


class LinkingEvent(StrEnum):
    """What is kept of the gateway's events."""

    USED = "used"
    """`qrReadSuccess`: a phone accepted the code."""
    ENDED = "ended"
    """`browserClose` or `qrReadError`: the browser that showed the code is gone."""
    CODE = "code"
    """`phoneCode`: a pairing code, perhaps in place of an earlier one."""


class LinkingEvents(Frozen):
    """The latest events of one session; None: there was none."""

    used_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    pairing_code: str | None = Field(default=None, repr=False)
    code_at: AwareDatetime | None = None

    def was_used(self, since: datetime) -> bool:
        """Return whether a code that was shown since a moment has been accepted on a phone."""
        return self.used_at is not None and self.used_at >= since

    def has_ended(self, since: datetime) -> bool:
        """Return whether the browser that showed a code since a moment is gone."""
        return self.ended_at is not None and self.ended_at >= since

    def code_since(self, moment: datetime) -> str | None:
        """Return the newest pairing code if it came after a moment."""
        return self.pairing_code if self.code_at is not None and self.code_at > moment else None


def no_events(_server: str, _session: str) -> LinkingEvents:
    """Return that nothing was said, where nobody receives the webhook."""
    return LinkingEvents()


def read_events(store: Store, server: str, session: str) -> LinkingEvents:
    """Read the latest events of a session. Raises StoreError."""
    key = _key(server, session)
    record = store.read(SUBJECT, key)
    if record is None:
        return LinkingEvents()
    try:
        return LinkingEvents.model_validate(record.value)
    except ValueError:
        _unreadable.report(store, key, record)
        return LinkingEvents()


def write_event(
    store: Store, server: str, session: str, event: LinkingEvent, *, at: datetime, code: str | None = None
) -> None:
    """Keep an event; a code is dropped once it is used or its browser is gone. Raises StoreError."""
    moment = at.isoformat()

    def change(before: dict[str, Any] | None) -> dict[str, Any]:
        match event:
            case LinkingEvent.USED:
                return {**(before or {}), "used_at": moment, "pairing_code": None}
            case LinkingEvent.ENDED:
                return {**(before or {}), "ended_at": moment, "pairing_code": None}
            case LinkingEvent.CODE:
                return {**(before or {}), "pairing_code": code, "code_at": moment}

    modify(store, SUBJECT, _key(server, session), change)


def _key(server: str, session: str) -> str:
    return f"{server}/{session}/linking"
