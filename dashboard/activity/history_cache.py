"""Cache of history and track records: background threads read them, pages show the latest values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import NamedTuple, cast

from core.models import HistoryEntry, Snapshot, Verdict
from core.uptime.records import TrackRecord
from dashboard import session_state, state
from dashboard.activity.lines import Lines, Wanted, read_page
from dashboard.auth.users import Role
from dashboard.words import visible_kinds as kinds_for

HISTORY_ENTRIES = 20
HISTORY_MAX_AGE_SECONDS = 3.0
TRACK_RECORDS_MAX_AGE_SECONDS = 15.0
CHANGED_TRACK_RECORDS_MAX_AGE_SECONDS = 2.0
"""After a session changed its verdict. Reading the track records of 300 sessions takes 0.2 s."""
FIRST_SECONDS = 0.15
"""The longest wait of a page's first drawing, in seconds."""


def history(server: str, session: str) -> list[HistoryEntry] | None:
    """Return the latest entries of a session, the newest first; None until they are read."""
    read = partial(
        state.core().history.read, server=server, session=session, newest_first=True, limit=HISTORY_ENTRIES
    )
    found = state.background().fresh(
        ("history", server, session), read, max_age_seconds=HISTORY_MAX_AGE_SECONDS
    )
    return cast("list[HistoryEntry] | None", found)


def sync_history() -> list[HistoryEntry] | None:
    """Return the latest entries about keys in files, the newest first; None until they are read."""
    read = partial(state.core().history.read, kinds=("sync",), newest_first=True, limit=HISTORY_ENTRIES)
    found = state.background().fresh("sync-history", read, max_age_seconds=HISTORY_MAX_AGE_SECONDS)
    return cast("list[HistoryEntry] | None", found)


def begin_history(server: str, session: str) -> None:
    """Start reading a session's history and wait for it up to `FIRST_SECONDS`."""
    history(server, session)
    state.background().wait(("history", server, session), FIRST_SECONDS)


def track_records() -> Mapping[tuple[str, str], TrackRecord]:
    """Return the track records by server and session; empty until the history is read."""
    return known_track_records() or {}


def known_track_records() -> Mapping[tuple[str, str], TrackRecord] | None:
    """Return the track records by server and session; None until the history is read."""
    keeper, monitor = state.track_keeper(), state.core().monitor

    def read() -> _TrackRecords:
        snapshot = monitor.snapshot()
        return _TrackRecords(_verdicts(snapshot), keeper.read(snapshot))

    known = cast("_TrackRecords | None", state.background().job("track records").value)
    is_current = known is not None and known.verdicts == _verdicts(monitor.snapshot())
    max_age_seconds = TRACK_RECORDS_MAX_AGE_SECONDS if is_current else CHANGED_TRACK_RECORDS_MAX_AGE_SECONDS
    state.background().fresh("track records", read, max_age_seconds=max_age_seconds)
    return known.records if known is not None else None


class _TrackRecords(NamedTuple):
    verdicts: Mapping[tuple[str, str], tuple[Verdict, datetime]]
    """Verdict and start of each session when the records were read."""
    records: Mapping[tuple[str, str], TrackRecord]


def _verdicts(snapshot: Snapshot) -> dict[tuple[str, str], tuple[Verdict, datetime]]:
    sessions = (one for server in snapshot.servers for one in server.sessions)
    return {(one.server, one.session): (one.verdict, one.since) for one in sessions}


def begin_track_records() -> None:
    """Start reading the track records and wait for them up to `FIRST_SECONDS`."""
    track_records()
    state.background().wait("track records", FIRST_SECONDS)


def activity(wanted: Wanted) -> Lines | None:
    """Return the user's current page of the activity; None until it is read.

    Wait up to `FIRST_SECONDS` for a query without a cached result, which usually suffices.
    """
    kinds, page = visible_kinds(), session_state.page_number()
    read = partial(
        read_page,
        state.core().history.read,
        wanted,
        page,
        kinds=kinds,
        now=state.core().monitor.snapshot().taken_at,
    )
    key = ("activity", wanted, page, kinds)
    found = state.background().fresh(key, read, max_age_seconds=HISTORY_MAX_AGE_SECONDS)
    if found is None:
        state.background().wait(key, FIRST_SECONDS)
        found = state.background().job(key).value
    return cast("Lines | None", found)


def visible_kinds() -> frozenset[str]:
    """Return the kinds of history entries that the user may see."""
    return kinds_for(is_administrator=state.may(Role.ADMINISTRATOR))
