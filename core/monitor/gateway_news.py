"""Changes to a gateway's known state that follow from a health check."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.models import ServerSnapshot
from core.monitor.probe import GatewayObservation

log = logging.getLogger(__name__)

START_SLACK = timedelta(seconds=60)
"""Tolerated drift between two clocks while a gateway hides its uptime."""


@dataclass
class HoldOff:
    """Hold-off requested by the gateway or a proxy in front of it (Retry-After), and its end."""

    asked_seconds: float = 0.0
    until: datetime | None = None

    def begin(self, seconds: float, now: datetime, *, slack_seconds: float) -> None:
        """Start a hold-off, or note how long a running one still lasts.

        The slack covers the next request and the longest time its response may take.
        """
        # While it runs, each request that is not sent reports the rest of it, which must not shorten it.
        self.asked_seconds = max(seconds, self.seconds(now))
        self.until = now + timedelta(seconds=seconds + slack_seconds)

    def seconds(self, now: datetime) -> float:
        """Return how many seconds longer an observation stays valid."""
        return self.asked_seconds if self.until is not None and now < self.until else 0.0


def uptime_news(known: ServerSnapshot, uptime: float | None, now: datetime) -> dict[str, object]:
    """Return the update for a reported uptime. None means hidden: the known start time is kept."""
    if uptime is None:
        return {"uptime_seconds": None}
    started_at = now - timedelta(seconds=uptime)
    update: dict[str, object] = {"uptime_seconds": uptime, "started_at": started_at}
    restarted = known.uptime_seconds is not None and uptime < known.uptime_seconds
    if known.uptime_seconds is None and known.started_at is not None:
        restarted = started_at - known.started_at > START_SLACK
    if restarted:
        update |= {"restarted_at": started_at, "restarts": known.restarts + 1}
        log.warning("gateway_restarted server=%s", known.server)
    return update


def log_news(known: ServerSnapshot, seen: GatewayObservation) -> None:
    """Log when the gateway comes up, goes down, or stays down for a new reason."""
    if seen.up and known.up is False:
        log.info("gateway_up server=%s", known.server)
    elif seen.problem is not None:
        why = known.problem.explanation if known.problem is not None else None
        if known.up is not False or why != seen.problem.explanation:
            log.warning("gateway_down server=%s error=%s", known.server, seen.problem.message)
