"""Build the core for one program: exporter, dashboard or command line."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core.clock import Now
from core.clock import now as real_now
from core.gateways.protocol import Gateway, Waits
from core.gateways.registry import kind_of
from core.handoffs import Handoffs
from core.monitor.healer import Restarts
from core.monitor.monitor import Monitor
from core.operations.operations import Operations
from core.settings.environment import CoreEnvironment, prepare_data_dir
from core.settings.source import SettingsSource
from core.settings.values import ServerSettings, Settings
from core.store import Coordination, HistoryLog, MemoryStore, Store, open_coordination, open_store
from core.transport import CallLimiter, CallSlot, Transport

RANKS = {"wppconnect-exporter": 0, "wppconnect-dashboard": 1}
"""Which programs probe where several machines share a database: those of the lowest number that run."""


@dataclass
class Clients:
    """Creates the clients of one process; those of one gateway share its limit of concurrent calls."""

    store: Store
    data_directory: Path
    program: str
    waits: Waits | None = None
    _limiters: dict[str, CallLimiter] = field(default_factory=dict)

    def for_probes(self, server: ServerSettings, settings: Settings) -> Gateway:
        """Return a client for scheduled probes."""
        return self._make(server, settings, is_for_people=False)

    def for_people(self, server: ServerSettings, settings: Settings) -> Gateway:
        """Return a client for calls that a user waits for; they take precedence over probes."""
        return self._make(server, settings, is_for_people=True)

    def _make(self, server: ServerSettings, settings: Settings, *, is_for_people: bool) -> Gateway:
        limiter = self._limiters.setdefault(server.url, CallLimiter())
        slot = CallSlot(limiter, is_for_people=is_for_people)
        return make_client(
            server, settings, self.store, self.data_directory, self.program, slot, waits=self.waits
        )


@dataclass
class Core:
    """The core of one process; `monitor.start()` starts its background work."""

    environment: CoreEnvironment
    settings: SettingsSource
    store: Store
    history: HistoryLog
    coordination: Coordination
    monitor: Monitor
    operations: Operations
    handoffs: Handoffs
    data_directory: Path
    clients: Clients
    now: Now = real_now

    def client(self, server: ServerSettings, settings: Settings | None = None) -> Gateway:
        """Return a client for one gateway; close it after use."""
        return self.clients.for_people(server, settings or self.settings.current())

    @contextmanager
    def trial_client(self, server: ServerSettings, settings: Settings) -> Iterator[Gateway]:
        """Yield a client for settings that are not saved; tokens and refusals are forgotten afterwards."""
        store = MemoryStore()
        with closing(
            make_client(server, settings, store, self.data_directory, self.clients.program)
        ) as client:
            yield client

    def stop(self) -> bool:
        """Stop the background work; return False if some did not end in time. Safe to call twice."""
        self.operations.stop()
        has_ended = self.monitor.stop()
        self.coordination.close()
        self.store.close()
        return has_ended


def open_core(
    environment: CoreEnvironment, *, program: str, waits: Waits | None = None, now: Now = real_now
) -> Core:
    """Build the core on the data directory. Raises ConfigurationError if the directory cannot be used."""
    data = prepare_data_dir(environment)
    place = f"{socket.gethostname()}:" if environment.database else ""
    holder = f"{program}[{place}{os.getpid()}]"
    store, history = open_store(data, environment.database)
    coordination = open_coordination(
        store, data, program=holder, rank=RANKS.get(program, len(RANKS)), clock=now
    )
    settings = SettingsSource(environment, store, record=history.append)

    clients = Clients(store, data, program, waits)
    monitor = Monitor(
        settings,
        coordination=coordination,
        history=history,
        lock_directory=data / "locks",
        client=clients.for_probes,
        holder=holder,
        closed_by=lambda server, session: operations.closed_by(server, session),
        linking_events=lambda server, session: operations.linking_events(server, session),
        restarts=Restarts(
            heal=lambda server, session, is_closed: operations.heal(server, session, is_closed=is_closed),
            status=lambda server, session: operations.status(server, session),
            is_taken=lambda server: operations.is_taken(server),
            waits=waits or Waits(),
        ),
        now=now,
    )
    operations = Operations(
        settings=settings,
        store=store,
        history=history,
        monitor=monitor,
        client=clients.for_people,
        locks=coordination.locks,
        holder=holder,
        waits=waits,
        now=now,
    )
    handoffs = Handoffs(store, history.append, now=now)
    return Core(
        environment, settings, store, history, coordination, monitor, operations, handoffs, data, clients, now
    )


def make_client(
    server: ServerSettings,
    settings: Settings,
    store: Store,
    data: Path,
    program: str,
    slot: CallSlot | None = None,
    *,
    waits: Waits | None = None,
) -> Gateway:
    """Return a gateway with its own transport; the program's name is the User-Agent."""
    transport = Transport(
        server.url,
        connect_timeout_seconds=settings.timeouts.connect_seconds,
        proxy=settings.proxy,
        user_agent=program,
        slot=slot,
    )
    return kind_of(server.kind).open(
        server,
        transport=transport,
        store=store,
        lock_directory=data / "locks",
        timeouts=settings.timeouts,
        waits=waits,
    )
