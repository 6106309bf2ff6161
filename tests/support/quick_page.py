"""The page as a program that knows a quick gateway, on which a code lives until the test moves the clock on.

No code expires while a busy machine works: it lives far longer than a story takes. `Stack.advance` moves the
clocks of the page and the gateway.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import dashboard.cli
from core.gateways.wppconnect.contract.waits import WppconnectWaits
from simulator import Times
from tests.support.moved_clock import MovedClock

CLOCK_FILE = "TEST_CLOCK_FILE"
"""The variable that names the file of the `MovedClock`."""
QR_SECONDS = 100.0
AUTO_CLOSE_SECONDS = 300.0
"""Within the ten minutes that a hand-off's link is good for."""
TIMES = Times(
    scale=0.2,
    qr_first=QR_SECONDS,
    qr_next=QR_SECONDS,
    code_life=AUTO_CLOSE_SECONDS,
    auto_close=AUTO_CLOSE_SECONDS,
    browser_start=0.5,
    sync=0.5,
    unlink=0.2,
)
"""How quick the gateway is with all else."""
WAITS = WppconnectWaits(
    after_failed_close=AUTO_CLOSE_SECONDS + 1,
    after_failed_close_while_starting=AUTO_CLOSE_SECONDS + 2,
    auto_close=AUTO_CLOSE_SECONDS,
)
"""What the page is told of it."""


def main(_argv: Sequence[str]) -> int:
    """Run the page."""
    return dashboard.cli.run(waits=WAITS, now=MovedClock(Path(os.environ[CLOCK_FILE])))
