"""End with exit code 0 in good time after SIGTERM or Ctrl-C, whatever is still open."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.8
"""For answers that are under way; websockets are closed at once."""
LAST_RESORT_SECONDS = 1.8
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Before the server runs a signal ends the process; while it runs the server stops first.

    uvicorn takes the signals while it serves, waits for open answers without limit, and raises the signal
    again after its end, which would make the exit code that of a kill.
    """

    def __init__(self) -> None:
        self._stopping = False

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle the signals inside the block; enter it at the start of the process, in the main thread."""
        before = {number: signal.signal(number, self._end_process) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def wrap_servers_handlers(self) -> None:
        """Put ours around the handlers that uvicorn has set; call it once uvicorn has begun to serve."""
        for number in SIGNALS:
            signal.signal(number, self._around(number))

    def finish(self) -> None:
        """End the process with 0 if a signal asked for its end; call it when all is stopped and written.

        What is left, Streamlit's polling threads and the interpreter's clearing up, takes up to a second on a
        busy machine and changes nothing any more.
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
                    # A second Ctrl-C is how uvicorn is told to wait no longer.
                    _later(PATIENCE_SECONDS, lambda: stop_server(signal.SIGINT, None))
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
