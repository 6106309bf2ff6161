"""Leases in the database: exclusive among all processes, and gone when their holder renews them no more."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from core.clock import Monotonic
from core.clock import monotonic as real_monotonic
from core.exceptions import StoreError
from core.messages import Message
from core.store.postgresql.database import IS_OURS, Database

_log = logging.getLogger(__name__)

LEASE_SECONDS = 10
"""How long a lease outlives its holder; by the database's clock, since those of machines differ."""
POLL_SECONDS = 0.05

_FROM_NOW = f"clock_timestamp() + interval '{LEASE_SECONDS} s'"
_IS_LIVE = f"expires_at BETWEEN clock_timestamp() AND {_FROM_NOW}"
"""Also no later: a clock that was ahead must not keep a dead holder's lease."""

_ACQUIRE = f"""
INSERT INTO wppconnect_leases AS present (name, holder, fence, expires_at)
SELECT name, %(holder)s, 1, {_FROM_NOW} FROM unnest(%(names)s::text[]) AS name WHERE {IS_OURS}
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder, fence = present.fence + 1, expires_at = excluded.expires_at
WHERE NOT present.{_IS_LIVE}
RETURNING name, fence"""  # noqa: S608
_RELEASE = f"""
UPDATE wppconnect_leases SET expires_at = '-infinity'
WHERE name = ANY(%(names)s::text[]) AND holder = %(holder)s AND {IS_OURS}"""  # noqa: S608
_IS_HELD = f"SELECT EXISTS (SELECT FROM wppconnect_leases WHERE name = %(name)s AND {_IS_LIVE})"  # noqa: S608
_RENEW = f"""
SET LOCAL synchronous_commit = off;
INSERT INTO wppconnect_members AS present (member, rank, servers, expires_at)
SELECT %(holder)s, %(rank)s, %(servers)s::text[], {_FROM_NOW}
WHERE %(servers)s::text[] IS NOT NULL AND {IS_OURS}
ON CONFLICT (member) DO UPDATE SET servers = excluded.servers, expires_at = excluded.expires_at;
DELETE FROM wppconnect_members WHERE {IS_OURS} AND member IN (
    SELECT member FROM wppconnect_members WHERE NOT {_IS_LIVE} FOR UPDATE SKIP LOCKED
);
UPDATE wppconnect_leases AS present SET expires_at = {_FROM_NOW}
FROM unnest(%(names)s::text[], %(fences)s::bigint[]) AS held (name, fence)
WHERE present.name = held.name AND present.fence = held.fence AND present.holder = %(holder)s AND {IS_OURS};
SELECT member, rank, servers, NULL, NULL FROM wppconnect_members WHERE {_IS_LIVE}
UNION ALL
SELECT holder, NULL, NULL, name, fence FROM wppconnect_leases
WHERE {_IS_LIVE} AND (starts_with(name, %(prefix)s) OR holder = %(holder)s)"""  # noqa: S608
_USERS = f"""
SELECT member FROM wppconnect_members WHERE {_IS_LIVE}
UNION SELECT holder FROM wppconnect_leases WHERE {_IS_LIVE} ORDER BY 1"""  # noqa: S608
_LEAVE = f"""
DELETE FROM wppconnect_members WHERE member = %(holder)s AND {IS_OURS};
UPDATE wppconnect_leases SET expires_at = '-infinity' WHERE holder = %(holder)s AND {IS_OURS}"""  # noqa: S608

IS_HELD = """EXISTS (
    SELECT FROM wppconnect_leases
    WHERE name = %(lease)s AND holder = %(holder)s AND fence = %(fence)s
)"""
"""Condition of a write that only the holder of a lease may make."""


@dataclass(frozen=True)
class Holdings:
    """What the database said of leases and members at a renewal."""

    members: Mapping[str, tuple[int, frozenset[str]]]
    """By member its rank, and the gateways that it knows."""
    holders: Mapping[str, str]
    """By lease its holder, of those with the prefix and one's own."""


class Leases:
    """The leases of this process. `renew` must be called every second or two."""

    def __init__(
        self, database: Database, *, program: str, rank: int, monotonic: Monotonic = real_monotonic
    ) -> None:
        self._database = database
        self._monotonic = monotonic
        self._rank = rank
        # Not host and process id: a container has both of them again after it was restarted.
        self.holder = f"{program}/{secrets.token_hex(8)}"
        self.on_hold: Callable[[], None] = lambda: None
        """Called after each acquisition: from now on there is something to renew."""
        self._guard = threading.Lock()
        self._fences: dict[str, int] = {}
        self._renewed: dict[str, float] = {}
        """When the latest renewal of each began, so that a process that is cut off knows when they end."""

    def lock(self, name: str) -> Lease:
        """Return a lease, which is not acquired yet."""
        return Lease(self, name)

    def is_locked(self, name: str) -> bool:
        """Return whether any process holds the lease. Raises StoreError."""
        ((is_held,),) = self._database.read(_IS_HELD, {"name": name}, operation="read a lease")
        return bool(is_held)

    def users(self) -> list[str]:
        """Return the processes that use the database now. Raises StoreError."""
        return [name for (name,) in self._database.read(_USERS, {}, operation="read leases")]

    def fence(self, name: str) -> int | None:
        """Return the number of this process's hold on a lease; None if it holds it not, or no more."""
        return self._fences.get(name)

    def is_held(self, name: str, fence: int) -> bool:
        """Return whether no other process can have taken a lease since this hold on it. Does not wait."""
        with self._guard:
            is_here = self._fences.get(name) == fence
            return is_here and self._monotonic() - self._renewed[name] < LEASE_SECONDS

    def held(self, prefix: str) -> list[str]:
        """Return the names of the leases that this process holds."""
        return [name for name in list(self._fences) if name.startswith(prefix)]

    def acquire(self, *names: str) -> dict[str, int]:
        """Acquire the leases that are free; return the numbers of the new holds. Raises StoreError."""
        # Sorted, so that two processes that take the same ones do not wait for each other.
        parameters = {"names": sorted(names), "holder": self.holder}
        moment = self._monotonic()
        taken: dict[str, int] = dict(self._database.write(_ACQUIRE, parameters, operation="take leases"))
        with self._guard:
            self._fences.update(taken)
            self._renewed.update(dict.fromkeys(taken, moment))
        if taken:
            self.on_hold()
        return taken

    def forget(self, name: str, fence: int | None) -> bool:
        """Renew a lease no more; return whether this process held it."""
        with self._guard:
            if fence is None or self._fences.get(name) != fence:
                return False
            del self._fences[name]
            return True

    def release(self, names: Collection[str]) -> None:
        """Free leases that were forgotten. Raises StoreError; then they end by themselves."""
        parameters = {"names": list(names), "holder": self.holder}
        self._database.write(_RELEASE, parameters, operation="release leases")

    def renew(self, servers: Collection[str] | None, *, prefix: str) -> Holdings:
        """Renew what this process holds, and that it is there; forget the leases that others took.

        `servers` are the gateways that it can probe, None if it is not to be given any. Raises StoreError.
        """
        with self._guard:
            fences = dict(self._fences)
        parameters = {
            "holder": self.holder,
            "rank": self._rank,
            "servers": None if servers is None else sorted(servers),
            "names": list(fences),
            "fences": list(fences.values()),
            "prefix": prefix,
        }
        moment = self._monotonic()
        rows = self._database.write(_RENEW, parameters, operation="renew leases")
        members = {row[0]: (row[1], frozenset(row[2])) for row in rows if row[3] is None}
        present = {row[3]: (row[0], row[4]) for row in rows if row[3] is not None}
        for name, fence in fences.items():
            if present.get(name) == (self.holder, fence):
                self._note_renewal(name, fence, moment)
            elif self.forget(name, fence):
                _log.warning("lease_lost name=%s", name)
        return Holdings(members, {name: holder for name, (holder, _) in present.items()})

    def _note_renewal(self, name: str, fence: int, moment: float) -> None:
        with self._guard:
            if self._fences.get(name) == fence:
                self._renewed[name] = moment

    def leave(self) -> None:
        """Free everything that this process holds. Raises StoreError; then it ends by itself."""
        with self._guard:
            self._fences.clear()
        self._database.write(_LEAVE, {"holder": self.holder}, operation="release leases")


class Lease:
    """One hold on a lease; see `core.locks.Lock`."""

    def __init__(self, leases: Leases, name: str) -> None:
        self._leases = leases
        self._name = name
        self._fence: int | None = None

    @property
    def is_lost(self) -> bool:
        """Whether another process may hold the lease, although it was acquired and not released."""
        fence = self._fence
        return fence is not None and not self._leases.is_held(self._name, fence)

    def try_acquire(self) -> bool:
        """Acquire the lease if it is free; return whether it was acquired. Raises StoreError."""
        fence = self._leases.acquire(self._name).get(self._name)
        if fence is not None:  # else another thread may hold it with this object
            self._fence = fence
        return fence is not None

    def acquire(self, timeout_seconds: float) -> None:
        """Acquire the lease. Raises StoreError on timeout."""
        deadline = time.monotonic() + timeout_seconds
        while not self.try_acquire():
            if time.monotonic() >= deadline:
                raise StoreError(Message.of("store.lease_taken", name=self._name), operation="take a lease")
            time.sleep(POLL_SECONDS)

    def release(self) -> None:
        """Release the lease; do nothing if it is not held, or was lost."""
        fence, self._fence = self._fence, None
        if fence is None or not self._leases.forget(self._name, fence):
            return
        try:
            self._leases.release([self._name])
        except StoreError as error:
            _log.warning("lease_not_released name=%s error=%s", self._name, error)

    def __enter__(self) -> Self:
        self.acquire(10.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
