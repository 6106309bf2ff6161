"""Waits between actions on the gateway (contract, sections 6 and 8)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Waits:
    """Durations in seconds; tests pass shorter ones to match a faster simulator."""

    after_logout: float = 5.0
    """The old browser holds the profile for about 3 s, and its end undoes a start made meanwhile (T4)."""
    after_failed_close: float = 65.0
    """A close during QRCODE or PHONECODE leaves the browser running until its auto-close after 60 s."""
    after_failed_close_while_starting: float = 120.0
    """The same from INITIALIZING: the page has to load first."""
    auto_close: float = 60.0
    """The gateway ends an unused QR or pairing code after this, counted from page load."""
    start_limit: float = 240.0
    syncing: float = 180.0
    """How long a phone may sync after a scan; the gateway still reports the used code meanwhile."""
    fresh_answer: float = 45.0
    """Timeout for a probe after an action."""
    gateway_return: float = 120.0
    """How long a pairing waits for a gateway that restarts meanwhile."""
    before_healing: float = 60.0
    """How long a session must be broken before self-healing restarts it: short freezes end by themselves."""
    between_tries: float = 120.0
    """From the end of one self-healing attempt to the next; doubled after each further attempt."""
    gateway_settles: float = 120.0
    """How long self-healing waits after the gateway's start."""
    healed_for: float = 600.0
    """How long a session must be connected until its self-healing attempts are reset."""
    whole_operation: float = 900.0
    """Total timeout of an operation."""
