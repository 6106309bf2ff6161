"""State of one gateway and its sessions: applies observations, concludes verdicts, records transitions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from core import verdict
from core.clock import Now
from core.exceptions import NotAGatewayError, StoreError
from core.gateways.protocol import EndToEndResult, Gateway, Overview
from core.gateways.registry import kind_of
from core.linking_events import LinkingEvents, no_events
from core.models import (
    Account,
    EndToEnd,
    Healing,
    Observation,
    Reason,
    ServerSnapshot,
    SessionSnapshot,
    SessionState,
    Verdict,
)
from core.monitor import end_to_end
from core.monitor.gateway_news import HoldOff, log_news, uptime_news
from core.monitor.histogram import RECOVERY_BOUNDS_SECONDS, RunningHistogram
from core.monitor.history_writer import HistoryWriter
from core.monitor.open_windows import OpenWindows
from core.monitor.probe import GatewayObservation, Listing
from core.monitor.recovery import (
    count_loss,
    first_server_snapshot,
    mark_stale,
    removed_sessions,
    resume_server,
    resume_sessions,
)
from core.monitor.schedule import OwnInterval
from core.reasons import ProbeFailure
from core.settings.values import ServerSettings, Settings
from core.snapshot import shift_times
from core.store import HistoryLog
from core.uptime.timeline import NO_GAP
from core.uptime.verdict_log import Start, write_start

log = logging.getLogger(__name__)

LIST_LIFE_SECONDS = 5.0
"""How long a list of all states serves where the interval is shorter."""


class GatewayState:
    """One gateway's state in the process that probes it; used from one thread."""

    def __init__(
        self,
        server: ServerSettings,
        settings: Settings,
        *,
        before: ServerSnapshot | None,
        history: HistoryLog,
        gateway: Gateway,
        holder: str,
        closed_by: Callable[[str, str], Reason | None],
        linking_events: Callable[[str, str], LinkingEvents] = no_events,
        is_ours: Callable[[str], bool] = lambda _server: True,
        now: Now,
    ) -> None:
        self._server = server
        self._settings, self._own_interval = settings, OwnInterval(settings, is_ours)
        self.history = HistoryWriter(history, server.name)
        """A transition is written here before it is published."""
        self._client = gateway
        self._closed_by = closed_by
        self._linking_events = linking_events
        self._now = now
        self._before = before
        self._began = now()
        self._hold_off = HoldOff()
        self._windows = OpenWindows(settings.maintenance, server, self._began)
        self._sessions = self._resume_sessions()
        first = first_server_snapshot(server, settings, holder=holder, now=self._began)
        self._gateway = resume_server(first, before)
        if not server.end_to_end_minutes:
            self._gateway = self._gateway.model_copy(update={"end_to_end_offered": None})
        mine = before.probe_seconds if before and before.holder == holder else None
        self.durations = RunningHistogram.resume(mine)
        self._recoveries = RunningHistogram.resume(
            before.recovery_seconds if before else None, RECOVERY_BOUNDS_SECONDS
        )
        self._proved_at = self._began
        """When the gateway last responded, or this prober started."""
        self.listed: Mapping[str, SessionState] = {}
        """States of all sessions from one call; empty while no list comes every interval."""
        self.watched: dict[str, datetime] = {}
        self.has_news = True
        """Whether something changed that must be published at once."""

    @property
    def is_up(self) -> bool | None:
        """Whether the gateway passed its latest health check; None before the first."""
        return self._gateway.up

    @property
    def gateway(self) -> ServerSnapshot:
        """The gateway's own state; its `sessions` are those of the latest snapshot."""
        return self._gateway

    def sessions(self) -> tuple[SessionSnapshot, ...]:
        """Return the current state of every session."""
        return tuple(self._sessions.values())

    def session(self, name: str) -> SessionSnapshot:
        """Return the current state of one session."""
        return self._sessions[name]

    def enabled(self) -> list[str]:
        """Return the names of the sessions to probe."""
        return [name for name, session in self._sessions.items() if session.enabled]

    def checkable(self) -> list[str]:
        """Return the names of the sessions that can be checked end to end: their page responds."""
        return [
            name
            for name, one in self._sessions.items()
            if one.verdict == Verdict.CONNECTED or one.reason == Reason.WHATSAPP_NOT_ANSWERING
        ]

    def checks(self) -> dict[str, EndToEnd | None]:
        """Return the results of earlier end-to-end checks by session."""
        return {name: self._sessions[name].end_to_end for name in self.enabled()}

    def record_start(self) -> None:
        """Add the start of probing to the history, unless this process resumes its own without a gap."""
        before = self._before
        is_same = before is not None and before.holder == self._gateway.holder
        if not (before and is_same and abs(self._began - before.published_at) < NO_GAP):
            start = Start(self._began, before.published_at if before else None)
            self.history.add_first(write_start(self._server.name, self._gateway.holder, start))

    def notice_gap(self) -> bool:
        """Detect and record a gap in probing: this process was suspended, or the clock was set forward.

        Return whether there was one. A gap is neither up nor down, and no connection loss; observations from
        before it are stale.
        """
        now, heartbeat = self._now(), self._gateway.published_at
        if heartbeat - now >= NO_GAP:
            self._follow_clock_back(now - heartbeat)
        if now - heartbeat < NO_GAP:
            return False
        log.warning(
            "nobody_measured server=%s seconds=%.0f", self._server.name, (now - heartbeat).total_seconds()
        )
        start = Start(now, heartbeat)
        self.history.add(write_start(self._server.name, self._gateway.holder, start))
        stale_after = self._stale_after(self._gateway.interval_seconds)
        for before in self.sessions():
            self._keep(before, mark_stale(before, now=now, stale_after=stale_after))
        self._gateway = self._gateway.model_copy(update={"published_at": now})
        self.has_news = True
        return True

    def take_session(self, name: str, seen: Observation) -> None:
        """Apply one probe of a session. A Retry-After response only starts a hold-off."""
        if seen.problem is not None and seen.problem.retry_after_seconds is not None:
            self._leave_alone(seen.problem.retry_after_seconds)
            return
        before = self._sessions[name]
        if before.probe_started_at is not None and self._is_late(seen, before.probe_started_at):
            # A patient probe that ends after a newer quick one only adds its result about the page.
            if not verdict.tells_of_the_page(seen, before):
                return
            seen = seen.model_copy(update={"started_at": before.probe_started_at})
        after = verdict.advance(before, seen, self._circumstances(name))
        after = after.model_copy(update=self._token_counts(before))
        if seen.problem is not None:
            self._count_failure(ProbeFailure.of(seen.problem.kind))
        if seen.version and seen.version != self._gateway.version:
            self._gateway = self._gateway.model_copy(update={"version": seen.version})
        self._keep(before, after)

    def take_gateway(self, seen: GatewayObservation) -> None:
        """Apply one health check. When the gateway is down, so are all its sessions."""
        if seen.problem is not None and seen.problem.retry_after_seconds is not None:
            self._leave_alone(seen.problem.retry_after_seconds)
        if seen.up is None:
            if self._now() - self._proved_at <= self._stale_after(self._gateway.interval_seconds):
                return
            # Its Retry-After responses have lasted so long that nothing proves it up any more.
            seen = seen.model_copy(update={"up": False})
        update: dict[str, object] = {"up": seen.up, "problem": seen.problem}
        if seen.up:
            self._proved_at = self._now()
            update |= uptime_news(self._gateway, seen.uptime_seconds, self._now())
        elif seen.problem is not None and seen.problem.kind == NotAGatewayError.__name__:
            # Another server responds at this address; what is known of the secret keys was not about it.
            update |= {"secret_key_valid": None, "default_secret": None}
        log_news(self._gateway, seen)
        self.has_news |= seen.up != self._gateway.up
        self._gateway = self._gateway.model_copy(update=update)
        if seen.problem is not None:
            at = seen.problem.at
            for name in self.enabled():
                down = Observation(started_at=at, observed_at=at, problem=seen.problem)
                self.take_session(name, down)

    def take_overview(self, seen: Overview, listing: Listing | None) -> None:
        """Apply the release, what the gateway offers, and its list of sessions."""
        update: dict[str, object] = {"capabilities": tuple(sorted(self._client.capabilities))}
        if seen.version is not None:
            update["version"] = seen.version
        self._update_gateway(update)
        is_current = seen.again_seconds <= max(self._settings.interval_seconds, LIST_LIFE_SECONDS)
        self.listed = (seen.states or {}) if is_current else {}
        if listing is not None:
            self.take_listing(listing)

    def take_listing(self, seen: Listing) -> None:
        """Apply what the secret key and the list of sessions say."""
        known = {"secret_key_valid": seen.secret_key_valid, "default_secret": seen.default_secret}
        self._update_gateway({name: value for name, value in known.items() if value is not None})
        if seen.names is not None:
            for name, one in list(self._sessions.items()):
                is_listed = name in seen.names or bool(one.has_session_object)
                if one.is_listed != is_listed:
                    self._sessions[name] = one.model_copy(update={"is_listed": is_listed})
                    self.has_news = True

    def take_end_to_end(self, name: str, seen: end_to_end.Checked) -> int:
        """Apply one end-to-end check; return the consecutive failures, 0 if the check is outdated."""
        before = self._sessions[name]
        known, began = before.end_to_end or EndToEnd(), before.state_since
        if before.state != SessionState.CONNECTED or (began is not None and began > seen.started_at):
            return 0  # It says nothing about the current connection.
        if seen.result not in (EndToEndResult.INCONCLUSIVE, EndToEndResult.NO_NUMBER):
            offered = seen.result != EndToEndResult.NOT_OFFERED
            self._gateway = self._gateway.model_copy(update={"end_to_end_offered": offered})
        counted = end_to_end.count(known, seen)
        after = before.model_copy(update={"end_to_end": counted})
        concluded, reason = verdict.judge(after, self._circumstances(name))
        if concluded != before.verdict:
            after = verdict.conclude(after, concluded, reason, self._now())
        self._keep(before, after)
        self.has_news = True
        return counted.failures

    def take_account(self, name: str, account: Account | None) -> None:
        """Apply the linked account; None if the gateway did not report it."""
        if account is not None:
            self._sessions[name] = self._sessions[name].model_copy(update={"account": account})
            self.has_news = True

    def take_healing(self, name: str, healing: Healing, ended: str | None = None) -> None:
        """Store the state of self-healing; `ended` is the result of an attempt to count."""
        self._sessions[name] = self._sessions[name].model_copy(update={"healing": healing})
        if ended is not None:
            counts = self._gateway.self_healing
            counts = counts | {str(ended): counts.get(str(ended), 0) + 1}
            self._gateway = self._gateway.model_copy(update={"self_healing": counts})
        self.has_news = True

    def is_listed_connected(self, name: str) -> bool:
        """Return whether the gateway lists a session as connected, as its latest probe did."""
        known = self._sessions[name]
        return known.problem is None and known.state == self.listed.get(name) == SessionState.CONNECTED

    def follow_maintenance(self) -> None:
        """Apply the maintenance windows that have opened or ended."""
        for before, after, at in self._windows.follow(self.sessions, self._now()):
            self._keep(before, after, at)
        self._update_gateway({"maintenance_until": self._windows.until})

    def judge_age(self) -> None:
        """Update verdicts that change by time alone: stale, or stuck."""
        stale_after, now = self._stale_after(self._gateway.interval_seconds), self._now()
        for name, before in list(self._sessions.items()):
            if not before.enabled or verdict.is_freshly_connected(before, now, stale_after):
                continue
            # A verdict that is newer than the observation does not follow from it: it was read from the
            # history, or concluded here before.
            if before.observed_at is not None and before.since <= before.observed_at:
                concluded, reason = verdict.judge(before, self._circumstances(name))
                if concluded != before.verdict:
                    self._keep(before, verdict.conclude(before, concluded, reason, self._now()))

    def snapshot(self) -> ServerSnapshot:
        """Return a snapshot of the current state and reset `has_news`."""
        self.has_news = False
        are_listed = bool(self.listed)
        intervals = {
            "": self._settings.interval_seconds,
            "token_cost": self._client.shortest_interval_seconds(self.enabled(), are_listed=are_listed),
            "own_processor": self._own_interval.seconds(are_listed=are_listed),
        }
        reason = max(intervals, key=intervals.__getitem__)
        self._gateway = self._gateway.model_copy(
            update={
                "interval_seconds": intervals[reason],
                "interval_reason": reason,
                "hold_off_seconds": self._hold_off.seconds(self._now()),
                "published_at": self._now(),
                "probe_seconds": self.durations.snapshot(),
                "recovery_seconds": self._recoveries.snapshot(),
                "sessions": tuple(self._sessions.values()),
            }
        )
        return self._gateway

    def _update_gateway(self, update: Mapping[str, object]) -> None:
        changed = {name: value for name, value in update.items() if getattr(self._gateway, name) != value}
        if changed:
            self._gateway = self._gateway.model_copy(update=changed)
            self.has_news = True

    def _resume_sessions(self) -> dict[str, SessionSnapshot]:
        interval = self._before.interval_seconds if self._before else self._settings.interval_seconds
        sessions = {}
        for before, after, at in resume_sessions(
            self._server,
            self._before,
            windows=self._windows.windows,
            newest=self.history.newest_transition,
            stale_after=self._stale_after(interval),
            now=self._began,
        ):
            self.history.add_change(before, after, at)
            sessions[after.session] = after
        for before, after in removed_sessions(self._server, self._before, now=self._began):
            self.history.add_change(before, after)
        return sessions

    def _stale_after(self, interval_seconds: float) -> timedelta:
        seconds = verdict.stale_after_seconds(
            interval_seconds, self._settings.timeouts, self._hold_off.seconds(self._now())
        )
        return timedelta(seconds=seconds)

    def _leave_alone(self, seconds: float) -> None:
        slack = 2 * self._gateway.interval_seconds + self._settings.timeouts.status_seconds
        self._hold_off.begin(seconds, self._now(), slack_seconds=slack)

    def _is_late(self, seen: Observation, newest: datetime) -> bool:
        # A newest probe in the future began before the clock was set back: it must not hide current ones.
        return seen.started_at < newest <= self._now()

    def _follow_clock_back(self, by: timedelta) -> None:
        """Shift all timestamps after the clock was set back, so that none lies in the future."""
        log.warning("clock_set_back server=%s seconds=%.0f", self._server.name, -by.total_seconds())
        self._gateway = shift_times(self._gateway, by)
        self._sessions = {name: shift_times(one, by) for name, one in self._sessions.items()}
        self._windows.forget(self._now())
        self.has_news = True

    def _token_counts(self, session: SessionSnapshot) -> dict[str, object]:
        try:
            counts = self._client.auth_counts(session.session)
        except StoreError as error:
            log.warning("token_counts_unreadable session=%s error=%s", session.session, error)
            return {}
        return {"auth_failures": counts.failures, "token_renewals": counts.token_renewals}

    def _count_failure(self, failure: ProbeFailure) -> None:
        counts = self._gateway.probe_failures
        counts = counts | {failure.value: counts.get(failure, 0) + 1}
        self._gateway = self._gateway.model_copy(update={"probe_failures": counts})

    def _circumstances(self, name: str) -> verdict.Circumstances:
        return verdict.Circumstances(
            now=self._now(),
            times=kind_of(self._server.kind).session_times,
            stale_after=self._stale_after(self._gateway.interval_seconds),
            gateway_up=self._gateway.up,
            gateway_restarted_at=self._gateway.restarted_at,
            closed_by=lambda: self._closed_by(self._server.name, name),
            linking_events=lambda: self._linking_events(self._server.name, name),
        )

    def _keep(self, before: SessionSnapshot, after: SessionSnapshot, at: datetime | None = None) -> None:
        if before.lost_at and after.verdict == Verdict.CONNECTED and after.outage_seconds is not None:
            self._recoveries.observe(after.outage_seconds)
        after = count_loss(before, after)
        if after.reason == Reason.LINK_NOT_COMPLETED != before.reason:
            self._update_gateway({"links_not_completed": self._gateway.links_not_completed + 1})
        self._sessions[after.session] = after
        if after.verdict != before.verdict:
            log.info(
                "verdict_changed server=%s session=%s from=%s to=%s reason=%s",
                after.server,
                after.session,
                before.verdict,
                after.verdict,
                after.reason,
            )
        self.history.add_change(before, after, at)
        shown_before = (before.verdict, before.qr, before.reason, before.state, before.maintenance_until)
        shown_after = (after.verdict, after.qr, after.reason, after.state, after.maintenance_until)
        self.has_news |= after.session in self.watched or shown_after != shown_before
