"""Clocks, passed as parameters so that tests can replace them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Now = Callable[[], datetime]
"""Wall clock in UTC, for times that users and other processes read."""

Monotonic = Callable[[], float]
"""Monotonic seconds, for deadlines within one process."""


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


monotonic: Monotonic = time.monotonic
