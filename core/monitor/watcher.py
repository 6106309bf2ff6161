"""Probe one gateway's sessions on a schedule while this process holds its prober lease."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial

from core.clock import Monotonic, Now
from core.exceptions import StoreError
from core.gateways.protocol import Gateway, Overview
from core.linking_events import LinkingEvents, no_events
from core.models import Observation, Problem, Reason, ServerSnapshot, SessionState
from core.monitor import end_to_end, probe
from core.monitor.accounts import AccountTimes
from core.monitor.healer import Healer, Restarts
from core.monitor.probe import PageCheck
from core.monitor.probe_queue import NORMAL, URGENT, Executor, ProbeQueue
from core.monitor.schedule import WATCHED_SECONDS, Schedule, Schedules
from core.monitor.state import GatewayState
from core.reasons import ProbeFailure
from core.settings.values import ServerSettings, Settings
from core.snapshot import SnapshotExchange
from core.store import HistoryLog

log = logging.getLogger(__name__)

SHARED_LANE = 3
"""Concurrent calls of the shared executor; with the slow executor's one the gateway gets four at most."""

TICK_SECONDS = 0.1
HEARTBEAT_SECONDS = 2.0
LISTING_SECONDS = 60.0
DEFAULT_SECRET_LISTINGS = 10
"""Test the public default secret at every tenth listing; each test adds a line to the gateway's log."""
ATTENTION_SECONDS = 0.5
HEALING_SECONDS = 1.0
MAX_BACKOFF_SECONDS = 60.0


def _is_refusal(problem: Problem | None) -> bool:
    """Return whether the gateway refused a token or the secret key."""
    return problem is not None and ProbeFailure.of(problem.kind) in (ProbeFailure.TOKEN, ProbeFailure.SECRET)


class ServerWatcher:
    """Prober of one gateway, used from one thread at a time; publishes its state as snapshots."""

    latest: ServerSnapshot | None = None
    """The last snapshot, also if writing it to disk failed; the process that probes reads it here."""

    def __init__(
        self,
        server: ServerSettings,
        settings: Settings,
        *,
        client: Gateway,
        exchange: SnapshotExchange,
        history: HistoryLog,
        holder: str,
        closed_by: Callable[[str, str], Reason | None],
        linking_events: Callable[[str, str], LinkingEvents] = no_events,
        restarts: Restarts | None = None,
        is_ours: Callable[[str], bool] = lambda _server: True,
        wake: Callable[[], None],
        now: Now,
        monotonic: Monotonic,
    ) -> None:
        self._server = server
        self._settings = settings
        self._client = client
        self._exchange = exchange
        self._now = now
        self._monotonic = monotonic
        self._state = GatewayState(
            server,
            settings,
            before=exchange.read(server.name),
            history=history,
            gateway=client,
            holder=holder,
            closed_by=closed_by,
            linking_events=linking_events,
            is_ours=is_ours,
            now=now,
        )
        self._queue = ProbeQueue(server.name, wake=wake)
        start = monotonic()
        self._schedules = Schedules(self._state.enabled(), start)
        self._gateway_due = self._listing_due = self._attention_due = self._heartbeat_due = start
        self._healing_due = self._overview_due = start
        self._overview_lists = False
        """Whether the latest overview included the list of sessions."""
        self._accounts = AccountTimes()
        self._listings = 0
        self._disk_fails = False
        self._check_times: end_to_end.CheckTimes | None = None
        if server.end_to_end_minutes:
            ages = end_to_end.ages_seconds(self._state.checks(), now())
            self._check_times = end_to_end.CheckTimes(ages, server.end_to_end_minutes * 60.0, start)

        self._healer: Healer | None = None
        if server.self_healing and restarts is not None:
            self._healer = Healer(server.name, self._state, restarts, now=now)

    def begin(self) -> None:
        """Record the start of probing."""
        self._state.record_start()

    def end(self) -> None:
        """Publish the state after the last `run_once`."""
        self._publish()

    def run_once(self, shared_executor: Executor, slow_executor: Executor) -> None:
        """Apply results, submit due probes, and publish; called at least every TICK_SECONDS."""
        self._queue.apply()
        self._state.follow_maintenance()
        if self._state.notice_gap():
            self._schedules.begin_anew(self._monotonic())
        if self._server.enabled:
            self._submit_due(shared_executor, slow_executor)
        if self._healer is not None and self._monotonic() >= self._healing_due:
            self._healing_due = self._monotonic() + HEALING_SECONDS
            self._healer.run_once(self._publish)
        if self._state.has_news or self._monotonic() >= self._heartbeat_due:
            self._publish()

    def hint(self, session: str) -> None:
        """Probe a session as soon as an executor is free. Callable from any thread."""
        self._queue.tell(lambda: self._take_hint(session))

    def probe_once(self) -> ServerSnapshot:
        """Probe everything once in the calling thread. Publishes and records nothing."""
        if self._server.enabled:
            seen = probe.probe_gateway(self._client, now=self._now)
            # There is no second check: a gateway that does not respond now is not up.
            self._state.take_gateway(seen.model_copy(update={"up": bool(seen.up)}))
            if self._state.is_up:
                has_secret = self._server.secret_key is not None
                overview, listing = probe.ask_overview(self._client, now=self._now)
                self._state.take_overview(overview, listing)
                if has_secret:
                    lists = listing is None
                    self._state.take_listing(probe.list_gateway(self._client, now=self._now, lists=lists))
                for name in self._state.enabled():
                    self._state.take_session(name, self._probe(name, PageCheck.PATIENT))
        return self._state.snapshot()

    def _submit_due(self, shared_executor: Executor, slow_executor: Executor) -> None:
        now = self._monotonic()
        if now >= self._attention_due:
            before, self._state.watched = self._state.watched, self._exchange.attention(self._server.name)
            for name, until in self._state.watched.items():
                if before.get(name) != until:
                    self._take_hint(name)
            self._attention_due = now + ATTENTION_SECONDS
        if now >= self._gateway_due and self._queue.is_free("gateway"):
            wait = WATCHED_SECONDS if self._state.watched else self._settings.interval_seconds
            self._gateway_due = now + wait
            self._ask_gateway(shared_executor)
        if not self._state.is_up:
            return
        if now >= self._overview_due and self._queue.is_free("overview"):
            self._ask_overview(shared_executor)
        is_free = self._queue.is_free("overview") and self._queue.is_free("listing")
        if is_free and self._server.secret_key is not None and now >= self._listing_due:
            self._listing_due = now + LISTING_SECONDS
            self._ask_listing(shared_executor)
        for name in self._schedules.take_due(
            now,
            self._state.gateway.interval_seconds,
            watched=self._state.watched,
            is_free=lambda name: self._queue.is_free("session", name),
        ):
            self._ask_quickly(shared_executor, name)
        for name, schedule in self._schedules.suspects.items():
            if now >= schedule.slow_due and self._queue.is_free("page", name):
                self._ask_patiently(slow_executor, name, schedule)
        if self._queue.is_free("account"):
            self._ask_account(slow_executor, self._accounts.next(self._state.sessions(), now))
        if self._check_times is not None and self._queue.is_free("end to end"):
            chosen = self._check_times.next(self._state.checkable(), now)
            if chosen is not None:
                self._check_end_to_end(slow_executor, chosen, self._check_times)

    def _ask_gateway(self, executor: Executor) -> None:
        ask = partial(probe.probe_gateway, self._client, now=self._now)
        self._queue.ask(executor, ("gateway", ""), ask, self._take_gateway, priority=URGENT)

    def _take_gateway(self, seen: probe.GatewayObservation) -> None:
        """Apply a health check. A gateway that restarted, or is back, may have another secret key."""
        before = self._state.gateway
        self._state.take_gateway(seen)
        after = self._state.gateway
        is_back = before.up is False and after.up is True
        if after.restarts == before.restarts and not is_back:
            return
        self._client.forget()
        self._overview_due = float("-inf")
        # A stretched round would be late to see how its sessions come back.
        self._schedules.begin_anew(self._monotonic())
        if self._server.secret_key is not None:
            self._try_secrets()

    def _try_secrets(self) -> None:
        """Test the configured and the public default secret key as soon as an executor is free."""
        self._listing_due, self._listings = float("-inf"), 0

    def _ask_listing(self, executor: Executor) -> None:
        try_default = self._listings % DEFAULT_SECRET_LISTINGS == 0
        lists = not self._overview_lists
        self._listings += 1
        if not (try_default or lists):
            return

        def ask() -> probe.Listing:
            return probe.list_gateway(self._client, now=self._now, try_default=try_default, lists=lists)

        self._queue.ask(executor, ("listing", ""), ask, self._state.take_listing, priority=URGENT)

    def _ask_overview(self, executor: Executor) -> None:
        interval = self._settings.interval_seconds
        self._overview_due = self._monotonic() + interval

        def ask() -> tuple[Overview, probe.Listing | None]:
            return probe.ask_overview(self._client, now=self._now)

        def take(answer: tuple[Overview, probe.Listing | None]) -> None:
            seen, listing = answer
            # Without a list of sessions from here, `_ask_listing` requests it.
            self._overview_lists = listing is not None
            self._overview_due = self._monotonic() + max(interval, seen.again_seconds)
            self._state.take_overview(seen, listing)
            self._follow_states(seen.states)

        self._queue.ask(executor, ("overview", ""), ask, take, priority=URGENT)

    def _follow_states(self, states: Mapping[str, SessionState] | None) -> None:
        """Probe at once each session whose state differs from its latest probe.

        A state alone proves nothing (contract, section 5): the verdict comes from the session's probe.
        """
        if states is None:
            return
        for name in self._schedules.by_name:
            known = self._state.session(name)
            is_known = known.state is not None and known.problem is None
            if is_known and states.get(name, SessionState.CLOSED) != known.state:
                self._take_hint(name)

    def _ask_quickly(self, executor: Executor, name: str) -> None:
        schedule = self._schedules.by_name[name]
        priority = URGENT if schedule.is_hinted or name in self._state.watched else NORMAL
        # The list may be older than what is to be learnt of a session that is watched or may have changed.
        is_listed = priority == NORMAL and self._state.is_listed_connected(name)
        check = PageCheck.ONLY if is_listed else PageCheck.QUICK
        check = PageCheck.SKIP if name in self._schedules.suspects else check
        is_hinted, schedule.is_hinted = schedule.is_hinted, False

        def take(answer: tuple[Observation, float]) -> None:
            seen, took = answer
            if seen.problem is not None and seen.problem.retry_after_seconds is not None:
                self._state.take_session(name, seen)
                return
            self._state.durations.observe(took)
            if seen.page_unproved and name not in self._schedules.suspects:
                schedule.slow_tries, schedule.slow_due, schedule.slow_seconds = 0, 0.0, None
            self._schedules.set_suspect(name, seen.page_unproved)
            self._take_session(name, seen)
            self._state.has_news |= is_hinted

        self._queue.ask(executor, ("session", name), self._timed(name, check), take, priority=priority)

    def _ask_patiently(self, executor: Executor, name: str, schedule: Schedule) -> None:
        schedule.slow_due = self._monotonic() + MAX_BACKOFF_SECONDS

        def take(answer: tuple[Observation, float]) -> None:
            seen, took = answer
            answers_slowly = seen.page_answers is True and took > probe.QUICK_CHECK_SECONDS
            self._schedules.set_suspect(name, seen.page_timed_out or answers_slowly)
            schedule.slow_tries = schedule.slow_tries + 1 if seen.page_timed_out else 0
            schedule.slow_seconds = took
            backoff = self._state.gateway.interval_seconds * 2.0 ** min(schedule.slow_tries, 6)
            schedule.slow_due = self._monotonic() + min(backoff, MAX_BACKOFF_SECONDS)
            self._take_session(name, seen)

        ask = self._timed(name, PageCheck.PATIENT)
        self._queue.ask(executor, ("page", name), ask, take, priority=schedule.slow_tries)

    def _take_session(self, name: str, seen: Observation) -> None:
        """Apply a probe; for a suspect page, with the time that the slow executor takes for all of them."""
        if name in self._schedules.suspects:
            patience = self._settings.timeouts.check_connection_seconds
            round_seconds = self._schedules.slow_round_seconds(patience)
            seen = seen.model_copy(update={"page_round_seconds": round_seconds})
        was_refused = _is_refusal(self._state.session(name).problem)
        self._state.take_session(name, seen)
        if _is_refusal(self._state.session(name).problem) != was_refused:
            self._try_secrets()

    def _check_end_to_end(self, executor: Executor, name: str, times: end_to_end.CheckTimes) -> None:
        def ask() -> end_to_end.Checked:
            return end_to_end.check(self._client, name, now=self._now)

        def take(seen: end_to_end.Checked) -> None:
            failures = self._state.take_end_to_end(name, seen)
            times.ended(name, seen.result, failures, self._monotonic())

        # In the slow executor: a check that uses its whole timeout must not delay the probes.
        self._queue.ask(executor, ("end to end", ""), ask, take, priority=NORMAL)

    def _ask_account(self, executor: Executor, name: str | None) -> None:
        if name is not None:
            ask = partial(probe.read_account, self._client, name, now=self._now)
            take = partial(self._state.take_account, name)
            self._queue.ask(executor, ("account", ""), ask, take, priority=NORMAL)

    def _take_hint(self, name: str) -> None:
        schedule = self._schedules.by_name.get(name)
        if schedule is not None:
            schedule.is_hinted = True
            self._schedules.set_due(name, float("-inf"))
            if not self._state.is_up:
                self._gateway_due = float("-inf")

    def _timed(self, name: str, check: PageCheck) -> Callable[[], tuple[Observation, float]]:
        def ask() -> tuple[Observation, float]:
            began = self._monotonic()
            seen = self._probe(name, check)
            return seen, self._monotonic() - began

        return ask

    def _probe(self, name: str, check: PageCheck) -> Observation:
        code = self._state.session(name).qr
        return probe.probe_session(self._client, name, now=self._now, page_check=check, code=code)

    def _publish(self) -> None:
        self._state.judge_age()
        self._heartbeat_due = self._monotonic() + HEARTBEAT_SECONDS
        self._state.history.write()
        self.latest = self._state.snapshot()
        try:
            self._exchange.publish(self.latest)
        except StoreError as error:
            if not self._disk_fails:
                log.warning("snapshot_not_published server=%s error=%s", self._server.name, error)
            self._disk_fails = True
        else:
            self._disk_fails = False
