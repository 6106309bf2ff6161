"""Waits between actions on the gateway (contract, sections 6 and 8)."""

from __future__ import annotations

from dataclasses import dataclass

from core.gateways.protocol import Waits


@dataclass(frozen=True)
class WppconnectWaits(Waits):
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
