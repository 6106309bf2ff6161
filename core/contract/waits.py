"""The waits that the gateway needs between actions (contract, sections 6 and 8)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Waits:
    """Seconds; tests pass shorter ones to match a simulator that runs faster."""

    after_logout: float = 5.0
    """The old browser holds the profile for about 3 s; a start in that time is wiped out (T4)."""
    after_failed_close: float = 65.0
    """A close during QRCODE or PHONECODE leaves the browser running until its auto-close after 60 s."""
    after_failed_close_while_starting: float = 120.0
    """The same from INITIALIZING: the page must load first."""
    auto_close: float = 60.0
    """The gateway ends a QR or pairing code that nobody used, counted from page load."""
    start_limit: float = 240.0
    syncing: float = 180.0
    """How long a phone may sync after a scan; the gateway goes on showing the used-up code meanwhile."""
    fresh_answer: float = 45.0
    """How long to wait for a probe made after an action."""
    gateway_return: float = 120.0
    """How long a pairing waits for a gateway that restarts in the middle."""
    before_healing: float = 60.0
    """How long a session has to be broken before self-healing restarts it: a short freeze ends by itself."""
    between_tries: float = 120.0
    """From the end of a try of self-healing to the next; twice as long after each further one."""
    gateway_settles: float = 120.0
    """How long after the gateway's start self-healing leaves it alone."""
    healed_for: float = 600.0
    """How long a session has to be connected until its tries are forgotten."""
    whole_operation: float = 900.0
    """After this an operation ends, whatever the gateway does."""
