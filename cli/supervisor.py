"""Run services in the foreground: start them, print their output, and end all of them together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from cli.healthcheck import answers
from core.signals import handling

START_SECONDS = 60.0
"""How long the services may take to respond."""
STOP_SECONDS = 1.6
"""How long the services may take to end, so that the whole stop takes less than two seconds."""
FIRST_STOP_SECONDS = 1.2
"""The part of it after which the services that stop last are ended, too."""
HEALTH_INTERVAL_SECONDS = 0.05
OUTPUT_SECONDS = 0.5
"""How long to wait for an ended service's last lines: a process that it started may hold its pipes open."""
KILLED_SECONDS = 2.0
LONGEST_LINE_BYTES = 1 << 20
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Service:
    """One child process: its command, and the URLs of its health check."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)
    health_urls: tuple[str, ...]
    """Each has to respond 200 before the service counts as started."""
    hands_over_link: bool = False
    """Whether its standard output is the sign-in link for the user, which is never printed as a log line."""
    stops_last: bool = False
    """Whether to end it after the others, which would report its absence as an outage."""


def program(entry: str) -> tuple[str, ...]:
    """Return the command line of one of our programs, given as "module:function".

    -P keeps the working directory off the import path, where a folder named `core` would hide ours.
    """
    return (sys.executable, "-P", "-m", "cli.child", entry)


@dataclass
class _Child:
    """A running service. `ready` completes when it responds, `ended` when it ended and its output is read."""

    service: Service
    process: asyncio.subprocess.Process
    ready: asyncio.Future[None]
    ended: asyncio.Task[str]

    def kill(self) -> None:
        """Kill the service and its processes."""
        if not self.ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


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
        """Create the supervisor. `welcome` returns the text to print from the lines with the sign-in link."""
        self._services = services
        self._out = out
        self._welcome = welcome
        self._start_seconds = start_seconds
        self._width = max(len(service.name) for service in services)
        self._handed_over: list[str] = []
        self._is_welcome = False
        self._is_stopping = False
        self._children: list[_Child] = []

    def run(self) -> int:
        """Run until the end. Return 0 after a signal, 1 if a service ended by itself or did not start."""
        return asyncio.run(self._run())

    async def _run(self) -> int:
        self._loop = asyncio.get_running_loop()
        self._stop_asked = asyncio.Event()
        # `nohup` ignores SIGHUP, which has to stay ignored.
        ours = [one for one in STOP_SIGNALS if signal.getsignal(one) != signal.SIG_IGN]
        with handling(lambda *_: self._loop.call_soon_threadsafe(self._on_signal), *ours):
            try:
                for service in self._services:
                    self._children.append(await self._start(service))
                return await self._watch()
            finally:
                await self._stop()

    def _on_signal(self) -> None:
        if self._is_stopping:
            # A second Ctrl-C ends everything at once.
            for child in self._children:
                child.kill()
        self._stop_asked.set()

    async def _start(self, service: Service) -> _Child:
        process = await asyncio.create_subprocess_exec(
            *service.command,
            env=dict(service.environ) | {"PYTHONUNBUFFERED": "1"},
            # Held open, never written to: closes with the supervisor, which ends the child (cli/child.py).
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE_BYTES,
            # Ctrl-C in the terminal reaches the supervisor only, which then ends its children in order.
            start_new_session=True,
        )
        ready = self._loop.create_future()
        threading.Thread(target=self._await_answers, args=(service, ready), daemon=True).start()
        return _Child(service, process, ready, asyncio.create_task(self._follow(service, process)))

    def _await_answers(self, service: Service, ready: asyncio.Future[None]) -> None:
        """Poll until every URL responds. Runs in a thread, so that stopping does not wait for a request."""
        for url in service.health_urls:
            while not answers(url):
                if self._is_stopping:
                    return
                time.sleep(HEALTH_INTERVAL_SECONDS)
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(ready.set_result, None)

    async def _follow(self, service: Service, process: asyncio.subprocess.Process) -> str:
        """Print a service's output, and return its exit code or signal as a text."""

        def log(line: str) -> None:
            self._write(f"{service.name:<{self._width}} | {line}")

        said = self._hand_over if service.hands_over_link else log
        readers = [
            asyncio.create_task(_read(stream, listener))
            for stream, listener in ((process.stdout, said), (process.stderr, log))
            if stream
        ]
        code = await process.wait()
        await asyncio.wait(readers, timeout=OUTPUT_SECONDS)
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    def _hand_over(self, line: str) -> None:
        if self._is_welcome:
            self._write(f"  {line}")
        else:
            self._handed_over.append(line)

    async def _watch(self) -> int:
        """Wait until all services respond, print the welcome, wait for the end, and return the exit code."""
        ready = asyncio.gather(*(child.ready for child in self._children))
        stop = asyncio.create_task(self._stop_asked.wait())
        ends: list[asyncio.Task[Any]] = [stop, *(child.ended for child in self._children)]
        await asyncio.wait([ready, *ends], timeout=self._start_seconds, return_when=asyncio.FIRST_COMPLETED)
        has_ended = any(one.done() for one in ends)
        if ready.done() and not has_ended:
            self._is_welcome = True
            self._write(self._welcome(self._handed_over))
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        elif not has_ended:
            for child in self._children:
                if not child.ready.done():
                    urls = " and ".join(child.service.health_urls)
                    self._write(f"{child.service.name} did not answer at {urls} in time; ending the rest.")
            return 1
        if stop.done():
            self._write("Stopping.")
            return 0
        gone = next(child for child in self._children if child.ended.done())
        self._write(f"{gone.service.name} ended by itself with {gone.ended.result()}; ending the rest.")
        return 1

    async def _stop(self) -> None:
        """Terminate all services, those with `stops_last` after the others, and kill the remaining ones."""
        self._is_stopping = True
        deadline = self._loop.time() + STOP_SECONDS
        await _end([one for one in self._children if not one.service.stops_last], FIRST_STOP_SECONDS)
        await _end([one for one in self._children if one.service.stops_last], deadline - self._loop.time())
        await _wait(self._children, deadline - self._loop.time())
        for child in self._children:
            if not child.ended.done():
                self._write(f"{child.service.name} did not end in time and was killed.")
                child.kill()
        await _wait(self._children, KILLED_SECONDS)

    def _write(self, text: str) -> None:
        # A closed terminal must not prevent the children from being ended; a closed pipe ends all of them.
        try:
            self._out.write(text + "\n")
            self._out.flush()
        except BrokenPipeError:
            self._stop_asked.set()
        except (OSError, ValueError):
            return


async def _read(stream: asyncio.StreamReader, listener: Callable[[str], None]) -> None:
    while True:
        try:
            line = await stream.readline()
        except ValueError:
            continue  # longer than the limit
        if not line:
            return
        listener(line.decode(errors="replace").rstrip("\n"))


async def _end(children: Sequence[_Child], seconds: float) -> None:
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            child.process.terminate()
    await _wait(children, seconds)


async def _wait(children: Sequence[_Child], seconds: float) -> None:
    if children:
        await asyncio.wait([child.ended for child in children], timeout=max(0.0, seconds))
