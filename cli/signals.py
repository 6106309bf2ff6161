"""What a signal does while there is nothing yet, or nothing more, to be ended in order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def ending_with_zero(*signals: signal.Signals) -> Iterator[None]:
    """Leave with code 0 on these signals; a wanted stop is no failure, however early it comes."""
    before = {one: signal.signal(one, _leave) for one in signals}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _leave(*_: object) -> NoReturn:
    raise SystemExit(0)
