"""The history log: events with their actors, one JSON line each, in one file per UTC day."""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from core.clock import Now, now
from core.disk import disk_error
from core.locks import ProcessLock
from core.models import HistoryEntry
from core.store.segments import append_lines, read_added, read_lines, read_lines_backwards

_log = logging.getLogger(__name__)

RETENTION_DAYS = 400
_SEGMENT = re.compile(r"^\d{4}-\d{2}-\d{2}\.jsonl$")


class History:
    """Reads and appends to the log in `directory`; safe for any number of threads and processes."""

    def __init__(self, directory: Path, *, retention_days: int = RETENTION_DAYS, clock: Now = now) -> None:
        self._directory = directory
        self._retention = timedelta(days=retention_days)
        self._clock = clock
        self._lock = ProcessLock(directory / "history.lock")
        self._reported: set[Path] = set()

    def append(self, *entries: HistoryEntry) -> None:
        """Append the entries, each to the file of its UTC day; on return they are on disk."""
        by_day: dict[date, list[str]] = {}
        for entry in entries:
            by_day.setdefault(entry.at.astimezone(UTC).date(), []).append(entry.model_dump_json() + "\n")
        if not by_day:
            return
        with self._lock:
            for day, lines in sorted(by_day.items()):
                if append_lines(self._path(day), "".join(lines).encode()):
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
        found: list[HistoryEntry] = []
        for day in self._days(since, until, newest_first=newest_first):
            entries = [
                entry
                for entry in self._entries(day, server, session, actor)
                if (since is None or since <= entry.at)
                and (until is None or entry.at <= until)
                and (server is None or entry.server == server)
                and (session is None or entry.session == session)
                and (kinds is None or entry.kind in kinds)
                and (actor is None or entry.actor == actor)
            ]
            # Processes append in the order in which they get the lock: a file is not strictly chronological.
            entries.sort(key=lambda entry: entry.at)
            found += reversed(entries) if newest_first else entries
            if limit is not None and len(found) >= limit:
                return found[:limit]
        return found

    def latest(
        self, server: str | None, session: str | None, kind: str, *, since: datetime | None = None
    ) -> HistoryEntry | None:
        """Return the newest entry of a kind for exactly this server and session, back to the day of `since`.

        Within a day, the entry appended last counts as newest. Reads only as many files as necessary.
        """
        needle = next(iter(_needles(session, server, kind)), b"{")
        for day in self._days(since, None, newest_first=True):
            for line in read_lines_backwards(self._path(day), containing=needle):
                entry = parse_entry(line)
                if entry and (entry.server, entry.session, entry.kind) == (server, session, kind):
                    return entry
        return None

    def follow(self, since: datetime, *, kinds: Collection[str]) -> Callable[[], Iterator[HistoryEntry]]:
        """Return a function that yields the entries added since its last call, in the order of writing.

        Its first call yields all entries from the day of `since` on. Not thread-safe.
        """
        needles = [needle for kind in kinds for needle in _needles(kind)]
        offsets: dict[date, int] = {}

        def added() -> Iterator[HistoryEntry]:
            for day in self._days(since, None, newest_first=False):
                lines, offsets[day] = read_added(self._path(day), offsets.get(day, 0))
                entries = (parse_entry(line) for line in lines if any(needle in line for needle in needles))
                yield from (entry for entry in entries if entry and entry.kind in kinds)

        return added

    def _days(self, since: datetime | None, until: datetime | None, *, newest_first: bool) -> list[date]:
        first = since.astimezone(UTC).date() if since else date.min
        last = until.astimezone(UTC).date() if until else date.max
        return [day for day in sorted(self._segments(), reverse=newest_first) if first <= day <= last]

    def _segments(self) -> Iterator[date]:
        try:
            names = [path.name for path in self._directory.iterdir()]
        except FileNotFoundError:
            return
        except OSError as error:
            raise disk_error("read", self._directory, error) from None
        for name in names:
            if _SEGMENT.match(name):
                with contextlib.suppress(ValueError):  # not a date, such as the 31st of June
                    yield date.fromisoformat(name.removesuffix(".jsonl"))

    def _entries(self, day: date, *texts: str | None) -> Iterator[HistoryEntry]:
        """Return the day's entries whose lines contain all texts."""
        path = self._path(day)
        lines = read_lines(path, containing=_needles(*texts))
        entries = [parse_entry(line) for line in lines]
        # Ignore the last line: it may be incomplete while it is written.
        unreadable = entries[:-1].count(None)
        if unreadable and path not in self._reported:
            self._reported.add(path)
            _log.warning("history_lines_unreadable file=%s lines=%d", path, unreadable)
        return (entry for entry in entries if entry)

    def _forget_old_days(self, begun: date) -> None:
        oldest = (self._clock() - self._retention).date()
        days = [day for day in self._segments() if day != begun]
        if all(day < oldest for day in days):
            return  # A wrong clock is more likely than a history that is entirely too old.
        for day in days:
            if day < oldest:
                try:
                    self._path(day).unlink(missing_ok=True)
                except OSError as error:
                    # Only log: the entry is on disk already, and must not fail because of an old file.
                    _log.warning(
                        "history_file_not_deleted problem=%s", disk_error("delete", self._path(day), error)
                    )
                else:
                    _log.info("history_file_deleted file=%s", self._path(day))

    def _path(self, day: date) -> Path:
        return self._directory / f"{day.isoformat()}.jsonl"


def _needles(*texts: str | None) -> list[bytes]:
    """Return names as encoded in a line; non-ASCII names have two encodings and are omitted."""
    return [json.dumps(text).encode() for text in texts if text is not None and text.isascii()]


def parse_entry(line: bytes) -> HistoryEntry | None:
    """Return an entry from its JSON, or None if it is unreadable."""
    try:
        return HistoryEntry.model_validate_json(line)
    except ValueError:
        return None
