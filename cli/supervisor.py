"""Start services in the foreground, show what they say, and end all of them together."""

from __future__ import annotations

import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TextIO

from cli.healthcheck import answers
from cli.process import Child
from cli.services import Service

START_SECONDS = 60.0
"""How long the services may take until all of them answer."""
STOP_SECONDS = 1.6
"""How long they may take to end; our own stop stays under two seconds."""
FRONT_DOORS_STOP_SECONDS = 1.2
"""Of these, how long the last ones wait for the others."""
HEALTH_INTERVAL_SECONDS = 0.05
KILLED_SECONDS = 2.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class _Event:
    """Something that happened to a child, or, without one, a signal to stop."""

    child: Child | None = None
    is_ready: bool = False


class Supervisor:
    """Runs until a signal, or until one of its services ends by itself."""

    def __init__(
        self,
        services: Sequence[Service],
        *,
        out: TextIO = sys.stdout,
        welcome: Callable[[Sequence[str]], str],
        start_seconds: float = START_SECONDS,
    ) -> None:
        """Take the services; `welcome` makes the text for the person from what was handed over for them."""
        self._services = services
        self._out = out
        self._out_lock = threading.Lock()
        self._welcome = welcome
        self._start_seconds = start_seconds
        self._handed_over: list[str] = []
        self._is_welcome = False
        self._is_stopping = False
        self._children: list[Child] = []
        # A SimpleQueue may be filled from a signal handler.
        self._events: queue.SimpleQueue[_Event] = queue.SimpleQueue()

    def run(self) -> int:
        """Return 0 after a signal, 1 when a service ended by itself or did not start."""
        with self._signals():
            try:
                return self._run()
            finally:
                self._stop()

    def _run(self) -> int:
        failed = self._start()
        return self._end_for(self._events.get()) if failed is None else failed

    def _start(self) -> int | None:
        for service in self._services:
            self._children.append(self._start_child(service))
        waiting = list(self._children)
        deadline = time.monotonic() + self._start_seconds
        while waiting:
            try:
                event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                for child in waiting:
                    url = " and ".join(child.service.health_urls)
                    self.print(f"{child.service.name} did not answer at {url} in time; ending the rest.")
                return 1
            if not event.is_ready:
                return self._end_for(event)
            waiting.remove(event.child)  # type: ignore[arg-type]
        with self._out_lock:
            self._is_welcome = True
            self._write(self._welcome(self._handed_over))
        return None

    def _end_for(self, event: _Event) -> int:
        if event.child is None:
            self.print("Stopping.")
            return 0
        self.print(f"{event.child.service.name} ended by itself with {event.child.end}; ending the rest.")
        return 1

    def _start_child(self, service: Service) -> Child:
        def logged(line: str) -> None:
            self.print(f"{service.name:<{self._width}} | {line}")

        def handed_over(line: str) -> None:
            with self._out_lock:
                if self._is_welcome:
                    self._write(f"  {line}")
                else:
                    self._handed_over.append(line)

        said = handed_over if service.hands_over_link else logged
        child = Child(service, said=said, logged=logged, gone=lambda child: self._events.put(_Event(child)))
        threading.Thread(target=self._ask_until_ready, args=(child,), daemon=True).start()
        return child

    def _ask_until_ready(self, child: Child) -> None:
        for url in child.service.health_urls:
            while not answers(url):
                if child.ended.wait(HEALTH_INTERVAL_SECONDS):
                    return
        self._events.put(_Event(child, is_ready=True))

    def _stop(self) -> None:
        """Ask all to end, those that the others look at last, and kill what is left."""
        self._is_stopping = True
        deadline = time.monotonic() + STOP_SECONDS
        last = [child for child in self._children if child.service.stops_last]
        first = [child for child in self._children if child not in last]
        _end(first, time.monotonic() + FRONT_DOORS_STOP_SECONDS)
        _end(last, deadline)
        for child in self._children:
            if not child.ended.wait(max(0.0, deadline - time.monotonic())):
                self.print(f"{child.service.name} did not end in time and was killed.")
                child.kill()
        for child in self._children:
            child.ended.wait(KILLED_SECONDS)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        # Under `nohup` the terminal's end is none of our business.
        ours = [one for one in STOP_SIGNALS if signal.getsignal(one) != signal.SIG_IGN]
        before = {one: signal.signal(one, self._on_signal) for one in ours}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the handler's form
        if self._is_stopping:
            # Somebody presses Ctrl-C again: now.
            for child in self._children:
                child.kill()
        self._events.put(_Event())

    @property
    def _width(self) -> int:
        return max(len(service.name) for service in self._services)

    def print(self, text: str) -> None:
        """Write whole lines, one thread at a time."""
        with self._out_lock:
            self._write(text)

    def _write(self, text: str) -> None:
        # A terminal that is gone must not keep us from ending the children; a reader that is gone ends all.
        try:
            self._out.write(text + "\n")
            self._out.flush()
        except BrokenPipeError:
            self._events.put(_Event())
        except (OSError, ValueError):
            return


def _end(children: Sequence[Child], deadline: float) -> None:
    for child in children:
        child.ask_to_end()
    for child in children:
        child.ended.wait(max(0.0, deadline - time.monotonic()))
