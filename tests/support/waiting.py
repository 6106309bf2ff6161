"""Wait for a condition with a deadline; tests never sleep for a fixed time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], *, seconds: float = 60.0, what: str = "the condition") -> T:
    """Return the first true value of `condition`; fail when it does not come in time."""
    began = time.monotonic()
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - began
        if waited > seconds:
            raise AssertionError(f"{what} did not come true within {seconds:g} s; last value: {value!r}")
        # What takes long is looked for more rarely: each look takes processor time from what it waits for.
        pause.wait(min(max(0.02, waited / 20), 0.25))
