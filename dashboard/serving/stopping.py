"""Shutdown with exit code 0 soon after SIGTERM or Ctrl-C, whatever connections are open."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType

from core.signals import STOP_SIGNALS, handling

log = logging.getLogger(__name__)

GRACE_SECONDS = 0.8
"""For responses in progress; websockets are closed at once."""
LAST_RESORT_SECONDS = 1.8


class StopSignals:
    """Signal handlers: before the server runs they end the process, while it runs they stop the server first.

    uvicorn handles the signals while it serves, waits for open responses without limit, and raises the signal
    again at its end, which would make the exit code that of a kill.
    """

    def __init__(self) -> None:
        self._stopping = False

    def handled(self) -> AbstractContextManager[None]:
        """Handle the signals inside the block; enter it at the start of the process, in the main thread."""
        return handling(self._end_process, *STOP_SIGNALS)

    def wrap_servers_handlers(self) -> None:
        """Put ours around the handlers that uvicorn has set; call it once uvicorn has begun to serve."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._around(number))

    def finish(self) -> None:
        """End the process with 0 if a signal requested it. Call it when all is stopped and written.

        The remaining work, Streamlit's polling threads and the interpreter's cleanup, takes up to a second on
        a busy machine and has no further effect.
        """
        if self._stopping:
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)

    def _end_process(self, _number: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._begin()
            raise SystemExit(0)

    def _around(self, number: signal.Signals) -> Callable[[int, FrameType | None], None]:
        stop_server = signal.getsignal(number)

        def handle(received: int, frame: FrameType | None) -> None:
            if callable(stop_server):
                if not self._stopping:
                    self._begin()
                    # A second SIGINT makes uvicorn stop waiting.
                    _later(GRACE_SECONDS, lambda: stop_server(signal.SIGINT, None))
                stop_server(received, frame)

        return handle

    def _begin(self) -> None:
        self._stopping = True
        _later(LAST_RESORT_SECONDS, _exit_now)


def _exit_now() -> None:
    log.warning("stop_took_too_long seconds=%s", LAST_RESORT_SECONDS)
    os._exit(0)


def _later(seconds: float, action: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
