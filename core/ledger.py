"""What is known of one gateway and its sessions, judged and written down as observations come in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from core import budget, verdict
from core.clock import Now
from core.models import (
    HistoryEntry,
    Observation,
    Reason,
    ServerSnapshot,
    SessionSnapshot,
    Verdict,
)
from core.probe import GatewayObservation, Listing
from core.settings import ServerSettings, Settings
from core.store import History
from core.tally import Tally
from core.tokens import TokenCache

log = logging.getLogger(__name__)


class Ledger:
    """One gateway's state in the process that probes it; used from one thread."""

    def __init__(
        self,
        server: ServerSettings,
        settings: Settings,
        *,
        before: ServerSnapshot | None,
        history: History,
        tokens: TokenCache,
        holder: str,
        closed_by: Callable[[str, str], Reason | None],
        now: Now,
    ) -> None:
        self._server = server
        self._settings = settings
        self._history = history
        self._tokens = tokens
        self._closed_by = closed_by
        self._now = now
        self._sessions = self._resume_sessions(before)
        self._gateway = first_server_snapshot(server, settings, holder=holder, now=now())
        if before is not None:
            keep = ("secret_key_valid", "version", "uptime_seconds", "restarted_at", "discovered")
            self._gateway = self._gateway.model_copy(update={name: getattr(before, name) for name in keep})
        self.tally = Tally.resume(before.probe_seconds if before and before.holder == holder else None)
        self.watched: dict[str, datetime] = {}
        self.has_news = True
        """Something changed that readers should see at once."""

    @property
    def is_up(self) -> bool | None:
        """Did the gateway answer its latest health check; None before the first."""
        return self._gateway.up

    @property
    def interval_seconds(self) -> float:
        """How often each session is probed."""
        return self._gateway.interval_seconds

    def enabled(self) -> list[str]:
        """Name the sessions to probe."""
        return [name for name, session in self._sessions.items() if session.enabled]

    def was_seen(self, name: str) -> bool:
        """Tell whether a session was ever observed."""
        return self._sessions[name].observed_at is not None

    def record_start(self, last_heartbeat: datetime | None) -> None:
        """Write into the history from when on is measured again, and until when it was before."""
        self._history.append(
            HistoryEntry(
                at=self._now(),
                kind="monitoring",
                server=self._server.name,
                data={
                    "event": "started",
                    "holder": self._gateway.holder,
                    "last_heartbeat": last_heartbeat.isoformat() if last_heartbeat else None,
                },
            )
        )

    def take_session(self, name: str, seen: Observation, *, record: bool = True) -> None:
        """Take in one probe of a session."""
        before = self._sessions[name]
        if before.probe_started_at is not None and seen.started_at < before.probe_started_at:
            # A patient probe that ends after a newer quick one only adds what it knows about the page.
            if not seen.page_timed_out or before.state != seen.state:
                return
            seen = seen.model_copy(update={"started_at": before.probe_started_at})
        after = verdict.advance(before, seen, self._circumstances(name))
        after = after.model_copy(update={"auth_failures": self._tokens.failures(name)})
        if seen.version and seen.version != self._gateway.version:
            self._gateway = self._gateway.model_copy(update={"version": seen.version})
        self._keep(before, after, record=record)

    def take_gateway(self, seen: GatewayObservation, *, record: bool = True) -> None:
        """Take in one health check; when the gateway is down, so is every session of it."""
        update: dict[str, object] = {"up": seen.up, "problem": seen.problem}
        uptime, before = seen.uptime_seconds, self._gateway.uptime_seconds
        if uptime is not None:
            update["uptime_seconds"] = uptime
            if before is not None and uptime < before:
                update["restarted_at"] = self._now() - timedelta(seconds=uptime)
                log.warning("gateway_restarted server=%s", self._server.name)
        self.has_news |= seen.up != self._gateway.up
        self._gateway = self._gateway.model_copy(update=update)
        if seen.problem is not None:
            at = seen.problem.at
            for name in self.enabled():
                down = Observation(started_at=at, observed_at=at, problem=seen.problem)
                self.take_session(name, down, record=record)

    def take_listing(self, seen: Listing) -> None:
        """Take in what show-all-sessions said."""
        update: dict[str, object] = {}
        if seen.secret_key_valid is not None:
            update["secret_key_valid"] = seen.secret_key_valid
        if seen.sessions is not None:
            configured = {session.name for session in self._server.sessions}
            update["discovered"] = tuple(name for name in seen.sessions if name not in configured)
        self._gateway = self._gateway.model_copy(update=update)
        self.has_news = True

    def judge_age(self) -> None:
        """Conclude anew what follows from time alone: stale, or stuck."""
        for name in self.enabled():
            before = self._sessions[name]
            if before.observed_at is not None:
                concluded, reason = verdict.judge(before, self._circumstances(name))
                if concluded != before.verdict:
                    self._keep(before, verdict.conclude(before, concluded, reason, self._now()))

    def snapshot(self) -> ServerSnapshot:
        """Write down everything that is known now."""
        self.has_news = False
        costs = [self._tokens.cost(name) for name in self.enabled()]
        interval = budget.stretched_interval(self._settings.interval_seconds, costs)
        stretched = interval > self._settings.interval_seconds
        self._gateway = self._gateway.model_copy(
            update={
                "interval_seconds": interval,
                "interval_reason": "token_cost" if stretched else "",
                "published_at": self._now(),
                "probe_seconds": self.tally.snapshot(),
                "sessions": tuple(self._sessions.values()),
            }
        )
        return self._gateway

    def _resume_sessions(self, before: ServerSnapshot | None) -> dict[str, SessionSnapshot]:
        known = {one.session: one for one in before.sessions} if before else {}
        now = self._now()
        return {
            one.name: resume_session(
                known.get(one.name) or first_snapshot(self._server.name, one.name, now),
                self._history.latest(self._server.name, one.name, "transition"),
                enabled=one.enabled and self._server.enabled,
                now=now,
            )
            for one in self._server.sessions
        }

    def _circumstances(self, name: str) -> verdict.Circumstances:
        stale_after = verdict.stale_after_seconds(self._gateway.interval_seconds, self._settings.timeouts)
        return verdict.Circumstances(
            now=self._now(),
            stale_after=timedelta(seconds=stale_after),
            gateway_up=self._gateway.up,
            gateway_restarted_at=self._gateway.restarted_at,
            closed_by=lambda: self._closed_by(self._server.name, name),
        )

    def _keep(self, before: SessionSnapshot, after: SessionSnapshot, *, record: bool = True) -> None:
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
            if record:
                self._history.append(transition(before, after))
        shown_before = (before.verdict, before.qr, before.reason, before.state)
        shown_after = (after.verdict, after.qr, after.reason, after.state)
        self.has_news |= after.session in self.watched or shown_after != shown_before


def resume_session(
    session: SessionSnapshot, newest: HistoryEntry | None, *, enabled: bool, now: datetime
) -> SessionSnapshot:
    """Go on from what the holder before us published, or from what it wrote into the history after that."""
    word = str(newest.data.get("to")) if newest else ""
    if newest is not None and word in set(Verdict) and (newest.at > session.since or not session.observed_at):
        session = verdict.conclude(session, Verdict(word), Reason.NONE, newest.at)
    session = session.model_copy(update={"enabled": enabled})
    if not enabled:
        return verdict.conclude(session, Verdict.PAUSED, Reason.NONE, now)
    if session.verdict == Verdict.PAUSED:
        return verdict.conclude(session, Verdict.UNKNOWN, Reason.NONE, now)
    return session


def first_snapshot(server: str, session: str, now: datetime, *, enabled: bool = True) -> SessionSnapshot:
    """Describe a session that nobody has looked at yet."""
    return SessionSnapshot(
        server=server,
        session=session,
        enabled=enabled,
        verdict=Verdict.UNKNOWN if enabled else Verdict.PAUSED,
        since=now,
    )


def first_server_snapshot(
    server: ServerSettings, settings: Settings, *, holder: str, now: datetime
) -> ServerSnapshot:
    """Describe a gateway that nobody has looked at yet."""
    return ServerSnapshot(
        server=server.name,
        enabled=server.enabled,
        up=None,
        interval_seconds=settings.interval_seconds,
        holder=holder,
        published_at=now,
        settings_revision=settings.revision,
        probe_seconds=Tally().snapshot(),
        sessions=tuple(
            first_snapshot(server.name, one.name, now, enabled=one.enabled and server.enabled)
            for one in server.sessions
        ),
    )


def transition(before: SessionSnapshot, after: SessionSnapshot) -> HistoryEntry:
    """Write a change of verdict as a line of history."""
    return HistoryEntry(
        at=after.since,
        kind="transition",
        server=after.server,
        session=after.session,
        data={
            "from": before.verdict,
            "to": after.verdict,
            "reason": after.reason,
            "held_seconds": round((after.since - before.since).total_seconds(), 3),
        },
    )
