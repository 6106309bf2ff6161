"""The maintenance windows that are open for one gateway's sessions, compared with the clock at each tick."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from core import verdict
from core.models import SessionSnapshot
from core.settings.maintenance import Period, Window, concerning, period_of
from core.settings.values import ServerSettings

Changes = Sequence[tuple[SessionSnapshot, SessionSnapshot, datetime]]
"""A session before and after its maintenance began or ended, and when that was."""


class OpenWindows:
    """Notices when windows open and end. For use from one thread."""

    def __init__(self, windows: Collection[Window], server: ServerSettings, now: datetime) -> None:
        self.windows = concerning(windows, server)
        self.until: datetime | None = None
        """When the maintenance of the gateway itself ends, by the latest `follow`; None if there is none."""
        self._server = server.name
        self._open: tuple[Period | None, ...] | None = None
        """Of each window what is open; None to compare every session anew."""
        self._known_at = now
        """When the windows were last compared with the clock."""

    def follow(self, sessions: Callable[[], Iterable[SessionSnapshot]], now: datetime) -> Changes:
        """Return the sessions whose maintenance began, ended or was prolonged."""
        known_at, self._known_at = self._known_at, now
        is_open = tuple(one.current(now) for one in self.windows)
        if is_open == self._open:
            return ()
        self._open = is_open
        whole = period_of(self.windows, self._server, None, now)
        self.until = whole.until if whole else None
        changes = []
        for before in sessions():
            period = period_of(self.windows, self._server, before.session, now)
            after, at = verdict.maintained(before, period, now, known_at=known_at)
            if after is not before:
                changes.append((before, after, at))
        return changes

    def forget(self, now: datetime) -> None:
        """Compare every session anew, as after the clock was set back."""
        self._open, self._known_at = None, now
