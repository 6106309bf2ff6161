"""When which session is asked for its account: once after each connection, one session at a time."""

from __future__ import annotations

from collections.abc import Iterable

from core.models import SessionSnapshot, Verdict

EVERY_SECONDS = 5.0
AGAIN_SECONDS = 600.0
"""Until the same session is asked again, also where it told nothing."""


class AccountTimes:
    """Which session is asked next."""

    def __init__(self) -> None:
        self._due = 0.0
        self._not_before: dict[str, float] = {}

    def next(self, sessions: Iterable[SessionSnapshot], now: float) -> str | None:
        """Name the session to ask now; None when none is due."""
        if now < self._due:
            return None
        self._due = now + EVERY_SECONDS
        for one in sessions:
            if is_missing(one) and now >= self._not_before.get(one.session, 0.0):
                self._not_before[one.session] = now + AGAIN_SECONDS
                return one.session
        return None


def is_missing(session: SessionSnapshot) -> bool:
    """Return whether a connected session's account was not seen since it was connected."""
    if session.verdict != Verdict.CONNECTED:
        return False
    return session.account is None or session.account.seen_at < (session.connected_since or session.since)
