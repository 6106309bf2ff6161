"""The clock as a parameter: tests pass their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Now = Callable[[], datetime]
"""Wall clock in UTC, for moments that people and other processes read."""

Monotonic = Callable[[], float]
"""Seconds that never jump, for deadlines inside one process."""


def now() -> datetime:
    """Tell the time in UTC."""
    return datetime.now(UTC)


monotonic: Monotonic = time.monotonic
