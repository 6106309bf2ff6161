"""What a health check changes in what is known of a gateway."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.models import ServerSnapshot
from core.monitor.probe import GatewayObservation

log = logging.getLogger(__name__)

START_SLACK = timedelta(seconds=60)
"""Two clocks may go apart by so much while a gateway does not tell its uptime."""


@dataclass
class HoldOff:
    """For how long the gateway, or a proxy before it, wants to be left alone, and when that is over."""

    asked_seconds: float = 0.0
    until: datetime | None = None

    def begin(self, seconds: float, now: datetime, *, slack_seconds: float) -> None:
        """Note a wish; with the slack it has been asked again, with all the time that an answer may take."""
        self.asked_seconds, self.until = seconds, now + timedelta(seconds=seconds + slack_seconds)

    def seconds(self, now: datetime) -> float:
        """Return by how much longer an observation counts."""
        return self.asked_seconds if self.until is not None and now < self.until else 0.0


def uptime_news(known: ServerSnapshot, uptime: float | None, now: datetime) -> dict[str, object]:
    """Return what an uptime changes; None: it is hidden, and what was known of the gateway's start stays."""
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
    """Log that the gateway went down and why, also when that is another reason than before."""
    if seen.up and known.up is False:
        log.info("gateway_up server=%s", known.server)
    elif seen.problem is not None:
        why = known.problem.explanation if known.problem is not None else None
        if known.up is not False or why != seen.problem.explanation:
            log.warning("gateway_down server=%s error=%s", known.server, seen.problem.message)
