"""Waits between actions on the gateway (contract, sections 6 and 8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from core.gateways.protocol import SessionTimes, Waits

SESSION_TIMES = SessionTimes(
    first_qr=timedelta(seconds=60),
    next_qr=timedelta(seconds=20),
    pairing_code=timedelta(seconds=60),
    start=timedelta(minutes=4),
    link=timedelta(seconds=180),
    startup_race=timedelta(seconds=6),
)
"""A pairing code would be valid longer, but the gateway ends it. It reports INITIALIZING for ever if a
browser fails to start, and waits as long as `link` for the chats of a linked phone (sections 5 and 6).

In the start-up race the library sets CLOSED one to two seconds after the page has loaded, and a probe reads
it up to an interval later (section 6)."""

PAIRING_CODE_SECONDS = 195.0
"""After this time WhatsApp replaces an unused pairing code (section 6)."""


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
