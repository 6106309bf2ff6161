"""Schedule account requests: once after each connection, one session at a time."""

from __future__ import annotations

from collections.abc import Iterable

from core.models import SessionSnapshot, Verdict

EVERY_SECONDS = 5.0
AGAIN_SECONDS = 600.0
"""Pause before the same session is queried again, also after a response without an account."""


class AccountTimes:
    """Schedule of account requests for the sessions of one gateway."""

    def __init__(self) -> None:
        self._due = 0.0
        self._not_before: dict[str, float] = {}

    def next(self, sessions: Iterable[SessionSnapshot], now: float) -> str | None:
        """Return the session to query now; None if none is due."""
        if now < self._due:
            return None
        self._due = now + EVERY_SECONDS
        for one in sessions:
            if is_missing(one) and now >= self._not_before.get(one.session, 0.0):
                self._not_before[one.session] = now + AGAIN_SECONDS
                return one.session
        return None


def is_missing(session: SessionSnapshot) -> bool:
    """Return whether a connected session's account has not been read since it connected."""
    if session.verdict != Verdict.CONNECTED:
        return False
    return session.account is None or session.account.seen_at < (session.connected_since or session.since)
