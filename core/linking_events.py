"""Webhook events about linking a phone, which the gateway's API does not report or contradicts.

In a start-up race the API reports CLOSED with a live code, a used code looks unused, and a pairing code is
returned only once (contract, sections 5 to 7). The webhook receiver stores the latest event of each kind;
it counts only for a session that waits for a phone.
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
"""The store's subject, shared with the statuses of operations."""

_unreadable = Unreadable(log, "linking_events_unreadable")


class LinkingEvent(StrEnum):
    """The kinds of stored events."""

    USED = "used"
    """`qrReadSuccess`: a phone accepted the code."""
    ENDED = "ended"
    """`browserClose` or `qrReadError`: the browser that showed the code is gone."""
    CODE = "code"
    """`phoneCode`: a pairing code, which may replace an earlier one."""


class LinkingEvents(Frozen):
    """The latest events of one session; None where there was none."""

    used_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    pairing_code: str | None = Field(default=None, repr=False)
    code_at: AwareDatetime | None = None

    def was_used(self, since: datetime) -> bool:
        """Return whether a phone has accepted a code at or after the given time."""
        return self.used_at is not None and self.used_at >= since

    def has_ended(self, since: datetime) -> bool:
        """Return whether the browser that showed a code ended at or after the given time."""
        return self.ended_at is not None and self.ended_at >= since

    def code_since(self, moment: datetime) -> str | None:
        """Return the newest pairing code if it came after the given time, else None."""
        return self.pairing_code if self.code_at is not None and self.code_at > moment else None


def no_events(_server: str, _session: str) -> LinkingEvents:
    """Return no events, for a process without a webhook receiver."""
    return LinkingEvents()


def read_events(store: Store, server: str, session: str) -> LinkingEvents:
    """Return the latest events of a session. Raises StoreError."""
    key = _key(server, session)
    return (
        _unreadable.parse(store, key, store.read(SUBJECT, key), LinkingEvents.model_validate)
        or LinkingEvents()
    )


def write_event(
    store: Store, server: str, session: str, event: LinkingEvent, *, at: datetime, code: str | None = None
) -> None:
    """Store an event; a used code, or one whose browser is gone, is deleted. Raises StoreError."""
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
