"""Query and page of the activity. Pure but for the `read` function passed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.models import HistoryEntry
from dashboard.i18n import N_

PAGE_LINES = 50
PERIODS: dict[str, str] = {
    "24h": "24 h",
    "7d": "7 d",
    "30d": "30 d",
    "all": N_("All"),
}
USUAL_PERIOD = "7d"
_LENGTHS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}


@dataclass(frozen=True)
class Wanted:
    """A filter of history entries; an empty part matches everything."""

    server: str = ""
    session: str = ""
    kind: str = ""
    person: str = ""
    period: str = USUAL_PERIOD

    def since(self, now: datetime) -> datetime | None:
        """Return the start of the period; None for the whole history."""
        return None if self.period == "all" else now - _LENGTHS.get(self.period, _LENGTHS[USUAL_PERIOD])


@dataclass(frozen=True)
class Lines:
    """One page of history entries, the newest first."""

    wanted: Wanted
    page: int
    entries: tuple[HistoryEntry, ...]
    has_older: bool


Read = Callable[..., list[HistoryEntry]]
"""`History.read`."""


def read_page(read: Read, wanted: Wanted, page: int, *, kinds: frozenset[str], now: datetime) -> Lines:
    """Read one page, from 1 on; `kinds` are those that the user may see."""
    entries = read_lines(read, wanted, kinds=kinds, now=now, limit=page * PAGE_LINES + 1)
    first = (page - 1) * PAGE_LINES
    return Lines(wanted, page, tuple(entries[first : first + PAGE_LINES]), len(entries) > first + PAGE_LINES)


def read_lines(
    read: Read, wanted: Wanted, *, kinds: frozenset[str], now: datetime, limit: int
) -> list[HistoryEntry]:
    """Read the latest entries, at most `limit`; a kind that the user may not see yields none."""
    return read(
        since=wanted.since(now),
        server=wanted.server or None,
        session=wanted.session or None,
        kinds=kinds & {wanted.kind} if wanted.kind else kinds,
        actor=wanted.person or None,
        newest_first=True,
        limit=limit,
    )
