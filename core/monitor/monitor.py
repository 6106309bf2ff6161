"""Keep a Snapshot of every gateway: probe it under the lease, else read the lease holder's snapshot."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

from core import verdict
from core.clock import Monotonic, Now
from core.clock import monotonic as real_monotonic
from core.clock import now as real_now
from core.exceptions import StoreError, WppconnectError
from core.gateways.protocol import Gateway
from core.linking_events import LinkingEvents, no_events
from core.locks import ProcessLock
from core.models import Reason, ServerSnapshot, SessionSnapshot, Snapshot
from core.monitor.call_pool import CallPool, Lane
from core.monitor.healer import Restarts
from core.monitor.recovery import first_server_snapshot, first_snapshot
from core.monitor.scheduler import Scheduler
from core.monitor.watcher import SHARED_LANE, TICK_SECONDS, ServerWatcher
from core.settings.source import SettingsSource
from core.settings.values import ServerSettings, Settings
from core.store import Coordination, HistoryLog

log = logging.getLogger(__name__)

FOLLOW_SECONDS = 0.25
SETTINGS_SECONDS = 0.5
ATTENTION_RENEWAL = timedelta(seconds=10)
HINT_ATTENTION = timedelta(seconds=2)
STOP_SECONDS = 2.0
"""How long to wait for the gateways' last steps; one that waits for a lock or a disk takes longer."""
CUT_SECONDS = 1.0
"""How long to wait for calls after their connections are closed; only a name lookup outlasts that."""
LONGEST_PAUSE_SECONDS = 30.0
"""Longest pause between attempts after repeated probing failures; each attempt writes to the log."""

ClientFactory = Callable[[ServerSettings, Settings], Gateway]


class Monitor:
    """The in-memory state that the exporter, dashboard and commands show. Start it once per process."""

    def __init__(
        self,
        settings: SettingsSource,
        *,
        coordination: Coordination,
        history: HistoryLog,
        lock_directory: Path,
        client: ClientFactory,
        holder: str,
        closed_by: Callable[[str, str], Reason | None] = lambda _server, _session: None,
        linking_events: Callable[[str, str], LinkingEvents] = no_events,
        restarts: Restarts | None = None,
        now: Now = real_now,
        monotonic: Monotonic = real_monotonic,
    ) -> None:
        self._settings = settings
        self._coordination = coordination
        self._exchange = coordination.exchange
        self._history = history
        self._lock_directory = lock_directory
        self._client = client
        self._holder = holder
        self._closed_by = closed_by
        self._linking_events = linking_events
        self._restarts = restarts
        self._now = now
        self._monotonic = monotonic
        self._pool = CallPool()
        self._scheduler = Scheduler()
        self._wake: Callable[[], None] | None = None
        self._is_stopping = False
        self._gateways: dict[str, _Gateway] = {}

    def start(self) -> None:
        """Start probing, or following another prober, in the background. Safe to call twice."""
        if self._wake is None:
            self._wake = self._scheduler.add(self._step)
            self._wake()

    def stop(self) -> bool:
        """Stop the background threads and release the leases. Safe to call twice.

        Return False if some threads still run; the interpreter must not exit before they end (see CallPool).
        """
        self._is_stopping = True
        if self._wake is not None:
            self._wake()
        has_released = self._scheduler.join(STOP_SECONDS)
        self._pool.stop()
        return self._pool.join(CUT_SECONDS) and has_released

    def snapshot(self) -> Snapshot:
        """Return the current state, with stale sessions shown as unknown. Reads memory only."""
        settings = self._settings.current()
        now = self._now()
        servers = []
        for configured in settings.servers:
            gateway = self._gateways.get(configured.name)
            latest = gateway.latest if gateway else None
            if latest is None:
                servers.append(first_server_snapshot(configured, settings, holder="", now=now))
            else:
                servers.append(self._aged(latest, configured, settings))
        return Snapshot(taken_at=now, settings_revision=settings.revision, servers=tuple(servers))

    def watch(self, server: str, session: str, seconds: float = 30.0) -> None:
        """Request that the gateway's prober probes this session every second for `seconds`."""
        until = self._now() + timedelta(seconds=seconds)
        known = self._exchange.attention(server).get(session)
        if known is not None and until - known <= min(ATTENTION_RENEWAL, timedelta(seconds=seconds / 2)):
            return
        try:
            self._exchange.ask_attention(server, session, until)
        except StoreError as error:
            # Optional: the session is still probed at its usual interval.
            log.debug("attention_not_asked server=%s session=%s error=%s", server, session, error)

    def hint(self, server: str, session: str) -> None:
        """Request an immediate probe of a session from this process or from the lease holder.

        Raises StoreError if the hint cannot be stored for another process.
        """
        gateway = self._gateways.get(server)
        if gateway is not None and gateway.hint(session):
            return
        known = self._exchange.attention(server).get(session, self._now())
        # The prober recognises a hint by a changed time, so it must be later than the stored one.
        until = max(self._now() + HINT_ATTENTION, known + timedelta(milliseconds=1))
        self._exchange.ask_attention(server, session, until)

    def wait_for(
        self,
        server: str,
        session: str,
        condition: Callable[[SessionSnapshot], bool],
        *,
        timeout_seconds: float,
        stop: threading.Event,
    ) -> SessionSnapshot | None:
        """Return the session's snapshot once it meets a condition; None on timeout or when `stop` is set."""
        deadline = self._monotonic() + timeout_seconds
        while not stop.is_set() and self._monotonic() < deadline:
            self.watch(server, session)
            found = self.snapshot().session(server, session)
            if found is not None and condition(found):
                return found
            stop.wait(FOLLOW_SECONDS)
        return None

    def probe_once(self) -> Snapshot:
        """Probe every session once in the calling thread. Publishes and records nothing."""
        settings = self._settings.current()
        servers = []
        for server in settings.servers:
            with closing(self._client(server, settings)) as client:
                watcher = self._make_watcher(server, settings, client, self._history)
                servers.append(watcher.probe_once())
        return Snapshot(taken_at=self._now(), settings_revision=settings.revision, servers=tuple(servers))

    def _step(self) -> float | None:
        """Follow the settings."""
        if self._is_stopping:
            for gateway in self._gateways.values():
                gateway.end()
            return None
        try:
            settings = self._settings.current()
            self._coordination.share([server.name for server in settings.servers])
            for server in settings.servers:
                if server.name in self._gateways:
                    self._gateways[server.name].use(server, settings)
                else:
                    self._gateways[server.name] = _Gateway(self, server, settings)
            for name in [one for one in self._gateways if settings.server(one) is None]:
                self._gateways.pop(name).end()
        except WppconnectError as error:
            log.warning("settings_not_followed error=%s", error)
        except Exception:
            log.exception("settings_not_followed")
        return SETTINGS_SECONDS

    def _make_watcher(
        self,
        server: ServerSettings,
        settings: Settings,
        client: Gateway,
        history: HistoryLog,
        wake: Callable[[], None] = lambda: None,
    ) -> ServerWatcher:
        return ServerWatcher(
            server,
            settings,
            client=client,
            exchange=self._exchange,
            history=history,
            holder=self._holder,
            closed_by=self._closed_by,
            linking_events=self._linking_events,
            restarts=self._restarts,
            is_ours=self._is_probed_here,
            wake=wake,
            now=self._now,
            monotonic=self._monotonic,
        )

    def _is_probed_here(self, server: str) -> bool:
        gateway = self._gateways.get(server)
        return gateway is not None and gateway.is_probed_here

    def _aged(self, latest: ServerSnapshot, configured: ServerSettings, settings: Settings) -> ServerSnapshot:
        """Return the configured sessions' snapshot, stale ones as unknown; `latest` itself if unchanged."""
        limit = timedelta(
            seconds=verdict.stale_after_seconds(
                latest.interval_seconds, settings.timeouts, latest.hold_off_seconds
            )
        )
        now = self._now()
        known = {one.session: verdict.with_staleness(one, now, limit) for one in latest.sessions}
        sessions = tuple(
            known.get(one.name)
            or first_snapshot(configured.name, one.name, now, enabled=one.enabled and configured.enabled)
            for one in configured.sessions
        )
        is_over = latest.maintenance_until is not None and latest.maintenance_until <= now
        if not is_over and list(map(id, sessions)) == list(map(id, latest.sessions)):
            return latest
        maintenance_until = None if is_over else latest.maintenance_until
        return latest.model_copy(update={"sessions": sessions, "maintenance_until": maintenance_until})


class _Gateway:
    """One gateway: probed while this process holds its lease, else read from the holder's snapshot."""

    def __init__(self, monitor: Monitor, server: ServerSettings, settings: Settings) -> None:
        self._monitor = monitor
        self._server = server
        self._settings = settings
        self._is_outdated = self._is_ending = False
        self._lease = monitor._coordination.prober_lease(server.name)
        # This machine's lock besides: programs that need the data folder for themselves look for it.
        self._lock = ProcessLock(monitor._lock_directory / f"lease-{server.name}.lock")
        self._watcher: ServerWatcher | None = None
        self._lanes: tuple[Lane, ...] = ()
        self._resources = ExitStack()
        """What probing uses, the lease first."""
        self._began = monitor._monotonic()
        self._pause_seconds = SETTINGS_SECONDS
        self._wake = monitor._scheduler.add(self._step)
        self._wake()

    @property
    def latest(self) -> ServerSnapshot | None:
        """The newest snapshot of this gateway, from this process or another."""
        watcher = self._watcher
        # Not from the disk: while it fails, the process that probes must still see its own results.
        if watcher is not None and watcher.latest is not None:
            return watcher.latest
        return self._monitor._exchange.read(self._server.name)

    @property
    def is_probed_here(self) -> bool:
        """Whether this process probes the gateway."""
        return self._watcher is not None

    def hint(self, session: str) -> bool:
        """Pass a hint to this process's watcher; return False if another process probes the gateway."""
        watcher = self._watcher
        if watcher is not None:
            watcher.hint(session)
        return watcher is not None

    def use(self, server: ServerSettings, settings: Settings) -> None:
        """Probe with these settings from now on."""
        relevant = (server, settings.interval_seconds, settings.timeouts, settings.proxy, settings.revision)
        mine = self._settings
        if relevant != (self._server, mine.interval_seconds, mine.timeouts, mine.proxy, mine.revision):
            self._server, self._settings, self._is_outdated = server, settings, True
            self._wake()

    def end(self) -> None:
        """Stop probing and release the lease."""
        self._is_ending = True
        self._wake()

    def _step(self) -> float | None:
        if self._is_outdated or self._is_ending:
            self._is_outdated = False
            self._stop_probing()
        if self._is_ending:
            return None
        try:
            return self._probe()
        except WppconnectError as error:
            log.warning("probing_failed server=%s error=%s", self._server.name, error)
        except Exception:
            log.exception("probing_failed server=%s", self._server.name)
        self._stop_probing()
        if self._monitor._monotonic() - self._began > LONGEST_PAUSE_SECONDS:
            self._pause_seconds = SETTINGS_SECONDS
        pause, self._pause_seconds = self._pause_seconds, min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
        return pause

    def _probe(self) -> float:
        """Probe what is due, under the lease; return the seconds until the next step."""
        if self._watcher is None:
            self._began = self._monitor._monotonic()
            if not self._acquire():
                return FOLLOW_SECONDS
            log.info("lease_taken server=%s holder=%s", self._server.name, self._monitor._holder)
            self._watcher = self._start_probing()
        elif self._lease.is_over:
            self._stop_probing()
            return FOLLOW_SECONDS
        self._watcher.run_once(*self._lanes)
        self._monitor._pool.review()
        return TICK_SECONDS

    def _acquire(self) -> bool:
        for one in (self._lease, self._lock):
            if not one.try_acquire():
                self._resources.close()
                return False
            self._resources.callback(one.release)
        return True

    def _start_probing(self) -> ServerWatcher:
        monitor = self._monitor
        client = self._resources.enter_context(closing(monitor._client(self._server, self._settings)))
        history = self._lease.fenced(monitor._history)
        watcher = monitor._make_watcher(self._server, self._settings, client, history, self._wake)
        watcher.begin()
        self._resources.callback(watcher.end)
        self._lanes = monitor._pool.lane(SHARED_LANE), monitor._pool.lane(1)
        for lane in self._lanes:
            self._resources.callback(lane.stop)
        return watcher

    def _stop_probing(self) -> None:
        """Discard queued probes, publish the last state, end the calls in progress, and release the lease."""
        self._watcher = None
        self._resources.close()
