"""The page as a program that knows a quick gateway, so that a test sees several codes expire."""

from __future__ import annotations

from collections.abc import Sequence

import dashboard.cli
from core.contract.waits import Waits
from simulator import Times

AUTO_CLOSE_SECONDS = 12.0
TIMES = Times(scale=0.2, qr_first=60, auto_close=AUTO_CLOSE_SECONDS, sync=0.5, unlink=0.2, browser_start=1.0)
"""How quick the gateway is."""
WAITS = Waits(
    after_failed_close=AUTO_CLOSE_SECONDS + 1,
    after_failed_close_while_starting=AUTO_CLOSE_SECONDS + 2,
    auto_close=AUTO_CLOSE_SECONDS,
    syncing=10.0,
)
"""What the page is told of it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the page."""
    return dashboard.cli.main(argv, waits=WAITS)
