"""Snapshots and attention in the database, for the processes on other machines."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import Now, now
from core.exceptions import StoreError
from core.models import ServerSnapshot, SessionSnapshot
from core.snapshot import SnapshotExchange, encode_gateway, parse_gateway, parse_session, shift_times
from core.store.postgresql.database import IS_OURS, Database, Rows
from core.store.postgresql.leases import Leases

_log = logging.getLogger(__name__)

PROBER = "prober-"
"""Prefix of the lease on probing a gateway."""
CLOCK_TOLERANCE = timedelta(seconds=2)
"""Clocks of two machines that differ by more are reckoned with."""

_PUBLISH = f"""
SET LOCAL synchronous_commit = off;
WITH held AS (
    SELECT given.* FROM unnest(
        %(servers)s::text[], %(fences)s::bigint[], %(are_whole)s::boolean[], %(contents)s::text[]
    ) AS given (server, fence, is_whole, content) JOIN wppconnect_leases AS lease
        ON lease.name = %(prefix)s || given.server AND lease.fence = given.fence
    WHERE lease.holder = %(holder)s AND {IS_OURS}
), changed AS (
    SELECT * FROM unnest(%(of)s::text[], %(sessions)s::text[], %(texts)s::text[])
        AS changed (server, session, content)
), gateway AS (
    INSERT INTO wppconnect_snapshots AS present (server, session, revision, content, written_at)
    SELECT server, '', 1, content, clock_timestamp() FROM held
    ON CONFLICT (server, session) DO UPDATE
    SET revision = present.revision + 1, content = excluded.content, written_at = excluded.written_at
    RETURNING server, revision
), removed AS (
    DELETE FROM wppconnect_snapshots AS present USING held
    WHERE held.is_whole AND present.server = held.server AND present.session <> '' AND NOT EXISTS (
        SELECT FROM changed WHERE changed.server = present.server AND changed.session = present.session
    )
), written AS (
    INSERT INTO wppconnect_snapshots (server, session, revision, content)
    SELECT changed.server, changed.session, gateway.revision, changed.content
    FROM changed JOIN gateway USING (server)
    ON CONFLICT (server, session) DO UPDATE SET revision = excluded.revision, content = excluded.content
)
SELECT server FROM gateway"""  # noqa: S608
"""A gateway's own row, without a session, counts what is published of it, and is locked meanwhile."""
_FETCH = """
SELECT present.server, present.session, present.revision, present.content,
    extract(epoch FROM clock_timestamp() - gateway.written_at)
FROM unnest(%(servers)s::text[], %(revisions)s::bigint[]) AS known (server, revision)
    JOIN wppconnect_snapshots AS gateway ON gateway.server = known.server AND gateway.session = ''
    JOIN wppconnect_snapshots AS present ON present.server = known.server
WHERE gateway.revision <> known.revision
    AND (present.revision > known.revision OR gateway.revision < known.revision)"""
_ATTENTION = """
SELECT server, session, until, extract(epoch FROM until - clock_timestamp()) FROM wppconnect_attention
WHERE until > clock_timestamp()"""
_ASK = f"""
DELETE FROM wppconnect_attention WHERE until < clock_timestamp() - interval '1 minute' AND {IS_OURS};
INSERT INTO wppconnect_attention AS present (server, session, until)
SELECT %(server)s, %(session)s, clock_timestamp() + %(seconds)s * interval '1 s' WHERE {IS_OURS}
ON CONFLICT (server, session) DO UPDATE
SET until = greatest(excluded.until, present.until + interval '1 ms')
RETURNING server, session, until, extract(epoch FROM until - clock_timestamp())"""  # noqa: S608


@dataclass
class _Known:
    """What was read of a gateway."""

    revision: int = 0
    gateway: ServerSnapshot | None = None
    names: tuple[str, ...] = ()
    sessions: dict[str, SessionSnapshot] = field(default_factory=dict)
    snapshot: ServerSnapshot | None = None


@dataclass(frozen=True)
class _Sent:
    """What was written of a gateway under a hold on its lease."""

    fence: int
    sessions: Mapping[str, SessionSnapshot]


class DatabaseExchange(SnapshotExchange):
    """Exchanges through the database, and for the processes on this machine through files as well.

    The files are read while the database is away. `send` and `fetch` must be called every second.
    """

    def __init__(self, database: Database, leases: Leases, directory: Path, *, clock: Now = now) -> None:
        super().__init__(directory, clock=clock)
        self._database = database
        self._leases = leases
        self._guard, self._fetching = threading.Lock(), threading.Lock()
        self._waiting: dict[str, ServerSnapshot] = {}
        self._published: dict[str, ServerSnapshot] = {}
        """By gateway what this process published and nobody else since: a holder does not fetch its own."""
        self._sent: dict[str, _Sent] = {}
        self._known: dict[str, _Known] = {}
        self._is_current = False
        self._watched: dict[str, dict[str, tuple[datetime, datetime]]] = {}
        """By server and session until when by the database's clock, and by this machine's."""

    def publish(self, snapshot: ServerSnapshot) -> None:
        """Publish the server's snapshot to this machine's processes, and to all with the next `send`."""
        with self._guard:
            self._waiting[snapshot.server] = self._published[snapshot.server] = snapshot
        super().publish(snapshot)

    def read(self, server: str) -> ServerSnapshot | None:
        """Return the last published snapshot: one's own, or another process's as of the latest `fetch`."""
        known = self._known.get(server)
        if known is None:
            self._known.setdefault(server, _Known())
            self._try_to_fetch()
            known = self._known[server]
        if (own := self._published.get(server)) is not None:
            return own
        if self._is_current and known.snapshot is not None:
            return known.snapshot
        on_disk = super().read(server)
        candidates = [one for one in (known.snapshot, on_disk) if one is not None]
        return max(candidates, key=lambda one: one.published_at, default=None)

    def ask_attention(self, server: str, session: str, until: datetime) -> None:
        """Request that the server's prober probes the session every second or two until the given time."""
        seconds = (until - self._clock()).total_seconds()
        parameters = {"server": server, "session": session, "seconds": seconds}
        rows = self._database.write(_ASK, parameters, operation="ask for attention")
        watched = dict(self._watched.get(server, {}))
        for _, _, moment, left in rows:
            watched[session] = (moment, self._clock() + timedelta(seconds=float(left)))
        self._watched = {**self._watched, server: watched}

    def attention(self, server: str) -> dict[str, datetime]:
        """Return the sessions under attention with its end, which lies in the future."""
        moment = self._clock()
        watched = self._watched.get(server, {})
        return {session: until for session, (_, until) in watched.items() if until > moment}

    def send(self) -> None:
        """Write what was published since, of the gateways on which this process holds the lease.

        Raises StoreError; then the next call writes it.
        """
        with self._guard:
            waiting, self._waiting = self._waiting, {}
        fences = {server: self._leases.fence(PROBER + server) for server in waiting}
        held = {server: fence for server, fence in fences.items() if fence is not None}
        if not held:
            return
        try:
            self._write({server: waiting[server] for server in held}, held)
        except StoreError:
            with self._guard:
                self._waiting = {**waiting, **self._waiting}
            raise

    def fetch(self, taken: Collection[str] = ()) -> None:
        """Read what other processes published, and the sessions under attention. Raises StoreError.

        Of the gateways on which this process holds the lease, `taken` are read: how their last holder left
        them.
        """
        with self._fetching:
            self._is_current = self._fetch(taken)

    def _fetch(self, taken: Collection[str]) -> bool:
        for server in taken:
            self._known.setdefault(server, _Known())
        known = {
            server: one.revision
            for server, one in list(self._known.items())
            if server in taken or self._leases.fence(PROBER + server) is None
        }
        parameters = {"servers": list(known), "revisions": list(known.values())}
        moment = self._clock()
        try:
            rows = self._database.read(_FETCH, parameters, operation="read snapshots")
            watched = self._database.read(_ATTENTION, {}, operation="read attention")
        except StoreError:
            self._is_current = False
            raise
        for server in {row[0] for row in rows}:
            self._take(server, [row[1:] for row in rows if row[0] == server], moment)
        self._take_attention(watched)
        return True

    def _write(self, snapshots: Mapping[str, ServerSnapshot], fences: Mapping[str, int]) -> None:
        of, names, texts, are_whole = [], [], [], []
        for server, snapshot in snapshots.items():
            sent = self._sent.get(server)
            before = sent.sessions if sent is not None and sent.fence == fences[server] else None
            if before is not None and not before.keys() <= {one.session for one in snapshot.sessions}:
                before = None  # A session was removed, and so is every row that is not written now.
            are_whole.append(before is None)
            for one in snapshot.sessions:
                if before is None or before.get(one.session) is not one:
                    of.append(server)
                    names.append(one.session)
                    texts.append(self.encoded(one).decode())
        at = self._clock().isoformat()
        parameters = {
            "holder": self._leases.holder,
            "prefix": PROBER,
            "servers": list(snapshots),
            "fences": [fences[server] for server in snapshots],
            "are_whole": are_whole,
            "contents": [_encode(snapshot, at) for snapshot in snapshots.values()],
            "of": of,
            "sessions": names,
            "texts": texts,
        }
        written = self._database.write(_PUBLISH, parameters, operation="publish snapshots")
        for (server,) in written:
            sessions = {one.session: one for one in snapshots[server].sessions}
            self._sent[server] = _Sent(fences[server], sessions)

    def _try_to_fetch(self) -> None:
        try:
            self.fetch()
        except StoreError as error:
            _log.debug("snapshots_not_read error=%s", error)

    def _take(self, server: str, rows: Rows, moment: datetime) -> None:
        known = self._known[server]
        try:
            taken = _taken(known, rows, moment)
        except (ValueError, TypeError, KeyError) as error:
            # Only the class: a parser's message quotes the content, which may hold a QR code.
            _log.warning("snapshot_unreadable server=%s problem=%s", server, type(error).__name__)
        else:
            self._known[server] = taken
            self._published.pop(server, None)

    def _take_attention(self, rows: Rows) -> None:
        moment = self._clock()
        watched: dict[str, dict[str, tuple[datetime, datetime]]] = {}
        for server, session, until, left in rows:
            known = self._watched.get(server, {}).get(session)
            # Reckoned once: the prober takes another time for a new request.
            here = known[1] if known and known[0] == until else moment + timedelta(seconds=float(left))
            watched.setdefault(server, {})[session] = (until, here)
        self._watched = watched


def _encode(snapshot: ServerSnapshot, at: str) -> str:
    head = json.dumps({"sent_at": at, "names": [one.session for one in snapshot.sessions]})
    return f'{head.removesuffix("}")},"gateway":{encode_gateway(snapshot).decode()}}}'


def _taken(known: _Known, rows: Rows, moment: datetime) -> _Known:
    revision = max(row[1] for row in rows)
    sessions = dict(known.sessions) if revision > known.revision else {}
    gateway, names, ahead = known.gateway, known.names, timedelta(0)
    for session, _, content, age in rows:
        if session == "":
            read = json.loads(content)
            gateway, names = parse_gateway(json.dumps(read["gateway"]).encode()), tuple(read["names"])
            # Both ages are of the same write: one by the database's clock, one by the two machines'.
            by_clocks = moment - datetime.fromisoformat(read["sent_at"])
            ahead = by_clocks - timedelta(seconds=float(age))
    is_off = abs(ahead) > CLOCK_TOLERANCE
    for session, _, content, _ in rows:
        if session:
            one = parse_session(content.encode())
            sessions[session] = shift_times(one, ahead) if is_off else one
    if gateway is None:
        raise ValueError("a gateway without its own row")
    if is_off:
        gateway = shift_times(gateway, ahead)
    snapshot = gateway.model_copy(update={"sessions": tuple(sessions[name] for name in names)})
    return _Known(revision, gateway, names, sessions, snapshot)
