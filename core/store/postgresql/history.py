"""The history log in PostgreSQL."""

from __future__ import annotations

import copy
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import nullcontext
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from core.clock import Monotonic, Now, monotonic, now
from core.exceptions import StoreError
from core.messages import Message
from core.models import HistoryEntry
from core.store.history import RETENTION_DAYS, parse_entry
from core.store.postgresql.database import IS_OURS, SERVER, Database, Rows
from core.store.postgresql.leases import IS_HELD
from core.store.postgresql.turns import Turns

_log = logging.getLogger(__name__)

_APPEND = """
UPDATE wppconnect_store SET last_entry = last_entry + %(count)s WHERE {condition};
INSERT INTO wppconnect_history (number, at, server, session, kind, actor, entry)
SELECT last_entry - %(count)s + added.place, added.at, added.server, added.session, added.kind, added.actor,
    added.entry::json
FROM wppconnect_store, unnest(
    %(at)s::timestamptz[], %(server)s::text[], %(session)s::text[], %(kind)s::text[], %(actor)s::text[],
    %(entry)s::text[]
) WITH ORDINALITY AS added (at, server, session, kind, actor, entry, place)
WHERE {condition} AND NOT EXISTS (
    SELECT FROM wppconnect_history AS stored WHERE stored.at = added.at AND stored.entry::text = added.entry
);
SELECT 1 WHERE {condition}"""
"""Numbers are committed in their order, since appending locks the one row that counts them.

What is there already was appended by a statement whose result got lost, and which was therefore repeated.
"""
_FORGET = f"""
DELETE FROM wppconnect_history WHERE {IS_OURS} AND at < %(oldest)s AND EXISTS (
    SELECT FROM wppconnect_history WHERE at >= %(oldest)s AND (at < %(begun)s OR at >= %(ended)s)
)
RETURNING 1"""  # noqa: S608
_ADDED = f"""
SELECT {SERVER}, store.last_entry, history.entry::text
FROM wppconnect_store AS store LEFT JOIN wppconnect_history AS history
    ON history.number > %(number)s AND history.at >= %(since)s AND history.kind = ANY(%(kinds)s::text[])
ORDER BY history.number"""  # noqa: S608
LAG_ENTRIES = 1_000
"""At most so many entries are taken back by a failover to a server that had not received them."""


class PostgresHistory:
    """Reads and appends to the log in a database; safe for any number of threads and processes."""

    def __init__(
        self,
        database: Database,
        *,
        retention_days: int = RETENTION_DAYS,
        clock: Now = now,
        monotonic: Monotonic = monotonic,
    ) -> None:
        self._database = database
        self._turns = Turns(monotonic)
        self._retention = timedelta(days=retention_days)
        self._clock = clock
        self._begun: set[date] = set()
        """Days for which older entries were deleted."""
        self._fence: dict[str, Any] | None = None

    def fenced(self, lease: str, holder: str, fence: int) -> PostgresHistory:
        """Return this history for the holder of a lease; it raises StoreError once another one has it.

        All that are returned append one at a time, and at once raise StoreError while the database is away.
        """
        fenced = copy.copy(self)
        fenced._fence = {"lease": lease, "holder": holder, "fence": fence}
        return fenced

    def append(self, *entries: HistoryEntry) -> None:
        """Append the entries; on return they are on disk."""
        if not entries:
            return
        columns = ("at", "server", "session", "kind", "actor")
        parameters: dict[str, Any] = {name: [getattr(entry, name) for entry in entries] for name in columns}
        parameters["entry"] = [entry.model_dump_json() for entry in entries]
        condition = IS_OURS if self._fence is None else f"{IS_OURS} AND {IS_HELD}"
        statement = _APPEND.format(condition=condition)
        parameters |= {"count": len(entries), **(self._fence or {})}
        operation = "add to the history"
        with nullcontext() if self._fence is None else self._turns.take(operation):
            is_written = bool(self._database.write(statement, parameters, operation=operation))
        if not is_written:
            raise StoreError(Message("store.lease_lost"), operation=operation)
        for day in sorted({entry.at.astimezone(UTC).date() for entry in entries} - self._begun):
            self._begun.add(day)
            self._forget_old_days(day)

    def read(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        server: str | None = None,
        session: str | None = None,
        kinds: Collection[str] | None = None,
        actor: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> list[HistoryEntry]:
        """Return the entries from `since` to `until`, both included; see `HistoryLog.read`."""
        given: dict[str, Any] = {
            "at >= %(since)s": since,
            "at <= %(until)s": until,
            "server = %(server)s": server,
            "session = %(session)s": session,
            "kind = ANY(%(kinds)s::text[])": None if kinds is None else list(kinds),
            "actor = %(actor)s": actor,
        }
        conditions = [condition for condition, value in given.items() if value is not None]
        order = "DESC" if newest_first else "ASC"
        rows = self._database.read(
            f"SELECT entry::text FROM wppconnect_history WHERE {' AND '.join(['true', *conditions])} "  # noqa: S608
            f"ORDER BY at {order}, number {order} LIMIT %(limit)s",
            {
                "since": since,
                "until": until,
                "server": server,
                "session": session,
                "kinds": None if kinds is None else list(kinds),
                "actor": actor,
                "limit": limit,
            },
            operation="read the history",
        )
        return _parsed(text for (text,) in rows)

    def latest(
        self, server: str | None, session: str | None, kind: str, *, since: datetime | None = None
    ) -> HistoryEntry | None:
        """Return the newest entry of a kind for exactly this server and session; see `HistoryLog.latest`."""
        conditions = [
            "server IS NULL" if server is None else "server = %(server)s",
            "session IS NULL" if session is None else "session = %(session)s",
            "kind = %(kind)s",
            *(["at >= %(since)s"] if since else []),
        ]
        rows = self._database.read(
            f"SELECT entry::text FROM wppconnect_history WHERE {' AND '.join(conditions)} "  # noqa: S608
            "ORDER BY date_trunc('day', at AT TIME ZONE 'UTC') DESC, number DESC LIMIT 1",
            {
                "server": server,
                "session": session,
                "kind": kind,
                "since": _start_of(since.astimezone(UTC).date()) if since else None,
            },
            operation="read the history",
        )
        return next(iter(_parsed(text for (text,) in rows)), None)

    def follow(self, since: datetime, *, kinds: Collection[str]) -> Callable[[], Iterator[HistoryEntry]]:
        """Return a function that yields the entries added since its last call; see `HistoryLog.follow`."""
        parameters: dict[str, Any] = {"since": _start_of(since.astimezone(UTC).date()), "kinds": list(kinds)}
        server, number = "", 0
        latest: deque[int] = deque(maxlen=LAG_ENTRIES)
        """Hashes of the entries that were yielded last."""

        def query(after: int) -> Rows:
            return self._database.read(_ADDED, {**parameters, "number": after}, operation="read the history")

        def added() -> Iterator[HistoryEntry]:
            nonlocal server, number
            rows = query(number)
            is_other = bool(rows) and bool(number) and rows[0][0] != server
            if is_other:  # its numbers may stand for other entries
                rows = query(max(0, number - LAG_ENTRIES))
            if rows:
                server, number = rows[0][:2]
            known = frozenset(latest) if is_other else frozenset()
            texts = [text for *_, text in rows if text is not None and hash(text) not in known]
            latest.extend(map(hash, texts))
            yield from _parsed(iter(texts))

        return added

    def _forget_old_days(self, begun: date) -> None:
        parameters = {
            # Entries of the day in question prove nothing: a clock that is wrong may have written them.
            "oldest": _start_of((self._clock() - self._retention).astimezone(UTC).date()),
            "begun": _start_of(begun),
            "ended": _start_of(begun) + timedelta(days=1),
        }
        try:
            deleted = self._database.write(_FORGET, parameters, operation="delete old history")
        except StoreError as error:
            # Only log: the entry is stored already, and must not fail because of old ones.
            _log.warning("history_not_deleted problem=%s", error)
        else:
            if deleted:
                _log.info("history_deleted entries=%d", len(deleted))


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _parsed(texts: Iterator[str]) -> list[HistoryEntry]:
    return [entry for text in texts if (entry := parse_entry(text.encode()))]
