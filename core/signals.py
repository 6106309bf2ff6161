"""Temporary handlers for process signals."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import NoReturn

Handler = Callable[[int, FrameType | None], object]
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def handling(handler: Handler, *signals: signal.Signals) -> Iterator[None]:
    """Handle these signals inside the block. Does nothing outside the main thread, where Python cannot."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.signal(one, handler) for one in signals}
    try:
        yield
    finally:
        for one, earlier in before.items():
            signal.signal(one, earlier)


def ending_with_zero(*signals: signal.Signals) -> AbstractContextManager[None]:
    """Exit with code 0 on these signals inside the block: a requested stop is no failure, even at start."""
    return handling(_leave, *signals)


def _leave(*_: object) -> NoReturn:
    raise SystemExit(0)
