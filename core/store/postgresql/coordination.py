"""Share the gateways among processes on several machines, by leases in the database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

from core.clock import Now, now
from core.exceptions import StoreError
from core.store.postgresql.database import Database
from core.store.postgresql.exchange import PROBER, DatabaseExchange
from core.store.postgresql.history import PostgresHistory
from core.store.postgresql.leases import Leases
from core.store.postgresql.sharing import assign
from core.store.protocol import HistoryLog

log = logging.getLogger(__name__)

SEND_SECONDS = 0.25
FETCH_SECONDS = 0.5
RENEWAL_SECONDS = 1.0
STOP_SECONDS = 1.0
"""How long to wait for the goodbye at the end; without it the leases expire."""


class DatabaseCoordination:
    """What the processes on one database share.

    One thread sends, fetches and renews, so that nothing else waits for a database that is away. Of the
    processes that offer to probe, those of the lowest `rank` share the gateways evenly.
    """

    def __init__(
        self, database: Database, data: Path, *, program: str, rank: int = 0, clock: Now = now
    ) -> None:
        self.locks = Leases(database, program=program, rank=rank)
        self.exchange = DatabaseExchange(database, self.locks, data / "snapshots", clock=clock)
        self._servers: frozenset[str] | None = None
        self._assigned: frozenset[str] = frozenset()
        self._guard = threading.Lock()
        self._ready: dict[str, int | None] = {}
        """By gateway the number of the hold on its lease, once its last holder's end was read."""
        self._in_use: set[str] = set()
        """The gateways that are probed here now."""
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="coordination", daemon=True)
        self._starting = threading.Lock()
        self.locks.on_hold = self.start

    def start(self) -> None:
        """Start the thread. Safe to call twice."""
        with self._starting:
            if self._thread.ident is None and not self._stop.is_set():
                self._thread.start()

    def share(self, servers: Collection[str]) -> None:
        """Offer to probe these gateways and no others. Does not wait."""
        self._servers = frozenset(servers)
        self.start()

    def prober_lease(self, server: str) -> DatabaseProberLease:
        """Return a gateway's lease, which is not acquired yet."""
        return DatabaseProberLease(self, server)

    def is_assigned(self, server: str) -> bool:
        """Return whether this process is to probe a gateway."""
        return server in self._assigned

    def take(self, server: str) -> int | None:
        """Begin to probe a gateway if its lease is here; return the number of the hold."""
        with self._guard:
            fence = self._ready.get(server)
            is_here = fence is not None and fence == self.locks.fence(PROBER + server)
            if not is_here or server in self._in_use or not self.is_assigned(server):
                return None
            self._in_use.add(server)
            return fence

    def give_back(self, server: str) -> None:
        """End to probe a gateway. What was published is sent before its lease is released."""
        with self._guard:
            self._in_use.discard(server)
        self._wake.set()

    def close(self) -> None:
        """Release everything that this process holds."""
        with self._starting:
            self._stop.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        fetch_at = renew_at = 0.0
        while not self._stop.is_set():
            moment = time.monotonic()
            if self._wake.is_set():
                self._wake.clear()
                renew_at = moment
            self._try(self._send_and_release)
            if moment >= renew_at:
                renew_at = moment + RENEWAL_SECONDS
                self._try(self._renew)
            if moment >= fetch_at:
                fetch_at = moment + FETCH_SECONDS
                self._try(self.exchange.fetch)
            self._wake.wait(SEND_SECONDS)
        self._try(self.exchange.send)
        self._try(self.locks.leave)

    def _try(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except StoreError as error:
            # The database reports that it is away.
            log.debug("coordination_failed error=%s", error)
            return False
        except Exception:
            log.exception("coordination_failed")
            return False
        return True

    def _send_and_release(self) -> None:
        with self._guard:
            held = {name.removeprefix(PROBER) for name in self.locks.held(PROBER)}
            released = held - self._assigned - self._in_use
            for server in released:
                self._ready.pop(server, None)
        try:
            self.exchange.send()
        finally:
            names = [PROBER + server for server in released]
            for name in names:
                self.locks.forget(name, self.locks.fence(name))
        if names:
            self.locks.release(names)

    def _renew(self) -> None:
        found = self.locks.renew(self._servers, prefix=PROBER)
        lowest = min((rank for rank, _ in found.members.values()), default=0)
        members = {name: servers for name, (rank, servers) in found.members.items() if rank == lowest}
        holders = {
            name.removeprefix(PROBER): holder
            for name, holder in found.holders.items()
            if name.startswith(PROBER)
        }
        shares = assign(members, holders)
        mine = {server for server, member in shares.items() if member == self.locks.holder}
        self._assigned = frozenset(mine)
        free = mine - holders.keys()
        if free:
            self.locks.acquire(*(PROBER + server for server in free))
        fences = {name.removeprefix(PROBER): self.locks.fence(name) for name in self.locks.held(PROBER)}
        unread = {server: fence for server, fence in fences.items() if fence != self._ready.get(server)}
        if unread:
            self.exchange.fetch(unread)
            with self._guard:
                self._ready.update(unread)


class DatabaseProberLease:
    """The right to probe one gateway; see `core.store.coordination.ProberLease`."""

    def __init__(self, coordination: DatabaseCoordination, server: str) -> None:
        self._coordination = coordination
        self._server = server
        self._name = PROBER + server
        self._fence: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether its holder must release it: another process took it, or is to have it."""
        is_lost = self._coordination.locks.fence(self._name) != self._fence
        return is_lost or not self._coordination.is_assigned(self._server)

    def try_acquire(self) -> bool:
        """Acquire the lease if it is here and not in use. Does not wait."""
        self._fence = self._coordination.take(self._server)
        return self._fence is not None

    def release(self) -> None:
        """Release the lease once what was published is with the other processes. Does not wait."""
        if self._fence is not None:
            self._fence = None
            self._coordination.give_back(self._server)

    def fenced(self, history: HistoryLog) -> HistoryLog:
        """Return the history, which refuses the entries of a holder that lost the lease."""
        if not isinstance(history, PostgresHistory) or self._fence is None:
            return history
        return history.fenced(self._name, self._coordination.locks.holder, self._fence)
