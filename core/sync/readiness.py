"""Wait until a container that was just started can be relied upon, or tell why it cannot."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.clock import Monotonic
from core.exceptions import ContainerError
from core.logs import redact
from core.messages import Message
from core.sync.engine import DEFAULT_GRACE_SECONDS, Engine, Inspection

NANOSECONDS = 1e9
POLL_SECONDS = 0.2
LAST_LINES = 5
LONGEST_WORDS = 600
HEALTH_DEFAULTS = {"Interval": 30.0, "Timeout": 30.0, "StartPeriod": 0.0, "Retries": 3}
"""The engine's own, in seconds."""
HEALTH_MARGIN_SECONDS = 15.0


@dataclass(frozen=True)
class Timeouts:
    """How long to watch a new container."""

    settle_seconds: float = 5.0
    """A container without health check must run that long without a break."""
    longest_seconds: float = 600.0
    """However patient its health check is."""


def await_ready(
    engine: Engine,
    container: str,
    *,
    wants_health: bool,
    timeouts: Timeouts,
    monotonic: Monotonic,
    stop: threading.Event,
) -> None:
    """Return when a container runs, and is healthy where it has a check; raise ContainerError when not.

    `wants_health` is False where the old one was not healthy either.
    """
    began = monotonic()
    while True:
        info = engine.inspect(container)
        if info is None:
            raise ContainerError(Message.of("containers.gone"))
        health = health_of(info) if wants_health else None
        problem = _problem(info, health)
        if problem:
            raise ContainerError(Message.joined([*problem, *_log_tail(engine, info)]))
        waited = monotonic() - began
        if health == "healthy" or (health is None and waited >= timeouts.settle_seconds):
            return
        limit = min(timeouts.longest_seconds, _health_seconds(info))
        if health is not None and waited > limit:
            late = Message.of("containers.not_healthy", seconds=round(limit))
            raise ContainerError(Message.joined([late, *_said(info)]))
        if stop.wait(POLL_SECONDS):
            raise ContainerError(Message.of("containers.wait_stopped"))


def down_seconds(info: Inspection) -> float:
    """Estimate how long a container is away: half its grace to end, and what it needs to come up."""
    grace = 0.5 * grace_seconds(info)
    check = _check(info)
    return round(grace + 2.0 + (0.0 if check is None else check["StartPeriod"] + check["Interval"]))


def grace_seconds(info: Inspection) -> int:
    """Return how long a container may take to end, in seconds."""
    given = info["Config"].get("StopTimeout")
    return DEFAULT_GRACE_SECONDS if given is None else int(given)


def _problem(info: Inspection, health: str | None) -> list[Message]:
    state: Mapping[str, Any] = info["State"]
    if state.get("Restarting"):
        return [Message.of("containers.ends_again_and_again", code=state["ExitCode"])]
    if info.get("RestartCount", 0):
        return [Message.of("containers.ended_again")]
    if not state["Running"]:
        why = redact(str(state.get("Error") or ""))
        ended = Message.of("containers.ended", code=state["ExitCode"])
        return [ended, Message.plain(why)] if why else [ended]
    if health == "unhealthy":
        return [Message.of("containers.unhealthy"), *_said(info)]
    return []


def health_of(info: Inspection) -> str | None:
    """Return the status of a container's health check; None without one."""
    status = (info["State"].get("Health") or {}).get("Status")
    return None if status in (None, "none") else str(status)


def _check(info: Inspection) -> dict[str, float] | None:
    check = info["Config"].get("Healthcheck") or {}
    if not check.get("Test") or check["Test"][0] == "NONE":
        return None
    given = {
        key: check[key] / NANOSECONDS for key in ("Interval", "Timeout", "StartPeriod") if check.get(key)
    }
    return HEALTH_DEFAULTS | given | ({"Retries": check["Retries"]} if check.get("Retries") else {})


def _health_seconds(info: Inspection) -> float:
    check = _check(info) or HEALTH_DEFAULTS
    tries = check["Retries"] + 1
    return check["StartPeriod"] + tries * (check["Interval"] + check["Timeout"]) + HEALTH_MARGIN_SECONDS


def _said(info: Inspection) -> list[Message]:
    log = (info["State"].get("Health") or {}).get("Log") or ()
    words = redact(" ".join(str(log[-1].get("Output", "")).split()))[:LONGEST_WORDS] if log else ""
    return [Message.of("containers.check_said", words=words)] if words else []


def _log_tail(engine: Engine, info: Inspection) -> list[Message]:
    try:
        words = redact(engine.tail_logs(info["Id"], LAST_LINES).strip())[-LONGEST_WORDS:]
    except ContainerError:
        return []  # A logging driver that cannot be read.
    return [Message.of("containers.last_words", words=words)] if words else []
