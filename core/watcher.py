"""Probe one gateway's sessions on a schedule, while this process holds its prober lease."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from core import probe
from core.client import GatewayClient
from core.clock import Monotonic, Now
from core.ledger import Ledger
from core.models import Reason, ServerSnapshot, SessionState
from core.probe import PageCheck
from core.settings import ServerSettings, Settings
from core.snapshot import SnapshotExchange
from core.store import History
from core.workers import Workers

SHARED_LANE = 3
"""Calls in flight in the lane of all sessions: with the slow lane's one the gateway sees four at most."""

TICK_SECONDS = 0.1
WATCHED_SECONDS = 1.0
HEARTBEAT_SECONDS = 2.0
LISTING_SECONDS = 60.0
ATTENTION_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 60.0
URGENT, NORMAL = 0, 1


@dataclass
class _Schedule:
    """When a session is due, and in which lane."""

    due: float
    asked: float = float("-inf")
    in_flight: bool = False
    is_suspect: bool = False
    """Its page did not answer in time; the slow lane asks it until it does."""
    slow_due: float = 0.0
    slow_in_flight: bool = False
    slow_tries: int = 0


class ServerWatcher:
    """One gateway, scheduled from one thread; everything it learns is published as a snapshot."""

    def __init__(
        self,
        server: ServerSettings,
        settings: Settings,
        *,
        client: GatewayClient,
        exchange: SnapshotExchange,
        history: History,
        holder: str,
        closed_by: Callable[[str, str], Reason | None],
        now: Now,
        monotonic: Monotonic,
    ) -> None:
        self._server = server
        self._settings = settings
        self._client = client
        self._exchange = exchange
        self._now = now
        self._monotonic = monotonic
        self._before = exchange.read(server.name)
        self._ledger = Ledger(
            server,
            settings,
            before=self._before,
            history=history,
            tokens=client.tokens,
            holder=holder,
            closed_by=closed_by,
            now=now,
        )
        self._results: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        start = monotonic()
        self._schedules = {name: _Schedule(due=start) for name in self._ledger.enabled()}
        self._gateway_due = self._listing_due = self._attention_due = self._heartbeat_due = start
        self._gateway_in_flight = self._listing_in_flight = False

    def run(self, stop: threading.Event) -> None:
        """Probe and publish until `stop` is set."""
        self._ledger.record_start(self._before.published_at if self._before else None)
        shared_lane = Workers(SHARED_LANE, f"probe-{self._server.name}")
        slow_lane = Workers(1, f"slow-{self._server.name}")
        try:
            while not stop.is_set():
                self._take_results()
                if self._server.enabled:
                    self._submit_due(shared_lane, slow_lane)
                if self._ledger.has_news or self._monotonic() >= self._heartbeat_due:
                    self._publish()
        finally:
            shared_lane.stop()
            slow_lane.stop()
            self._publish()

    def probe_once(self) -> ServerSnapshot:
        """Probe everything once in this thread; publish and record nothing."""
        if self._server.enabled:
            self._ledger.take_gateway(probe.probe_gateway(self._client, now=self._now), record=False)
            if self._ledger.is_up:
                if self._server.secret_key is not None:
                    self._ledger.take_listing(probe.list_gateway(self._client, now=self._now))
                for name in self._ledger.enabled():
                    seen = probe.probe_session(
                        self._client, name, now=self._now, page_check=PageCheck.PATIENT
                    )
                    self._ledger.take_session(name, seen, record=False)
        return self._ledger.snapshot()

    def _submit_due(self, shared_lane: Workers, slow_lane: Workers) -> None:
        now = self._monotonic()
        if now >= self._attention_due:
            self._ledger.watched = self._exchange.attention(self._server.name)
            self._attention_due = now + ATTENTION_SECONDS
        if now >= self._gateway_due and not self._gateway_in_flight:
            self._gateway_in_flight = True
            shared_lane.submit(self._ask_gateway, priority=URGENT)
        if not self._ledger.is_up:
            return
        has_secret = self._server.secret_key is not None
        if has_secret and now >= self._listing_due and not self._listing_in_flight:
            self._listing_in_flight = True
            shared_lane.submit(self._ask_listing, priority=URGENT)
        for position, (name, schedule) in enumerate(self._schedules.items()):
            watched = name in self._ledger.watched
            due = min(schedule.due, schedule.asked + WATCHED_SECONDS) if watched else schedule.due
            if now >= due and not schedule.in_flight:
                # After the first round they are spread over the interval, so that the gateway sees no bursts.
                spread = 1.0 if self._ledger.was_seen(name) else (position + 1) / len(self._schedules)
                schedule.asked, schedule.due = now, now + self._ledger.interval_seconds * spread
                schedule.in_flight = True
                shared_lane.submit(self._ask_quickly(name, schedule), priority=URGENT if watched else NORMAL)
            if schedule.is_suspect and not schedule.slow_in_flight and now >= schedule.slow_due:
                schedule.slow_in_flight = True
                slow_lane.submit(self._ask_patiently(name, schedule), priority=schedule.slow_tries)

    def _ask_gateway(self) -> None:
        seen = probe.probe_gateway(self._client, now=self._now)

        def take() -> None:
            self._gateway_in_flight = False
            wait = WATCHED_SECONDS if self._ledger.watched else self._settings.interval_seconds
            self._gateway_due = self._monotonic() + wait
            self._ledger.take_gateway(seen)

        self._results.put(take)

    def _ask_listing(self) -> None:
        seen = probe.list_gateway(self._client, now=self._now)

        def take() -> None:
            self._listing_in_flight = False
            self._listing_due = self._monotonic() + LISTING_SECONDS
            self._ledger.take_listing(seen)

        self._results.put(take)

    def _ask_quickly(self, name: str, schedule: _Schedule) -> Callable[[], None]:
        check = PageCheck.SKIP if schedule.is_suspect else PageCheck.QUICK

        def ask() -> None:
            began = self._monotonic()
            seen = probe.probe_session(self._client, name, now=self._now, page_check=check)
            took = self._monotonic() - began

            def take() -> None:
                schedule.in_flight = False
                self._ledger.tally.observe(took)
                unproved = seen.state == SessionState.CONNECTED and seen.page_answers is None
                if unproved and not schedule.is_suspect:
                    schedule.slow_tries, schedule.slow_due = 0, 0.0
                schedule.is_suspect = unproved
                self._ledger.take_session(name, seen)

            self._results.put(take)

        return ask

    def _ask_patiently(self, name: str, schedule: _Schedule) -> Callable[[], None]:
        def ask() -> None:
            seen = probe.probe_session(self._client, name, now=self._now, page_check=PageCheck.PATIENT)

            def take() -> None:
                schedule.slow_in_flight = False
                schedule.slow_tries += 1
                schedule.is_suspect = seen.page_timed_out
                backoff = self._ledger.interval_seconds * 2.0 ** min(schedule.slow_tries, 6)
                schedule.slow_due = self._monotonic() + min(backoff, MAX_BACKOFF_SECONDS)
                self._ledger.take_session(name, seen)

            self._results.put(take)

        return ask

    def _take_results(self) -> None:
        try:
            self._results.get(timeout=TICK_SECONDS)()
            while True:
                self._results.get_nowait()()
        except queue.Empty:
            return

    def _publish(self) -> None:
        self._ledger.judge_age()
        self._heartbeat_due = self._monotonic() + HEARTBEAT_SECONDS
        self._exchange.publish(self._ledger.snapshot())
