"""A proxy that causes faults between us and a server of this machine."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest import mock

from core.exceptions import WppconnectError
from core.transport import Transport
from tests.loopback import Loopback, Peer, answering, http_answer
from tests.support.faults import FAULTS, FULL, NEVER, Fault
from tests.support.waiting import until


class FaultProxy:
    """Stands before a server of this machine and passes on its responses, but for those that have a fault.

    While it runs, this process knows the proxy's host name.
    """

    def __init__(self, target: int, host: str) -> None:
        self._target = target
        self._host = host
        self._loopback = Loopback(self._serve)
        self._port = int(self._loopback.url.rpartition(":")[2])
        self._fault: Fault | None = None
        self._part_of_path = ""
        self._is_mended = threading.Event()
        self._stack = ExitStack()
        self.on_stall: Callable[[], None] = lambda: None
        """Called when a request that is going to stall has arrived."""
        self.url = f"http://{host}:{self._port}"

    def __enter__(self) -> Self:
        self._stack.enter_context(self._loopback)
        look_up = socket.getaddrinfo
        resolve = partial(self._resolve, look_up)
        self._stack.enter_context(mock.patch.object(socket, "getaddrinfo", resolve))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @contextmanager
    def faulty(self, fault: Fault, part_of_path: str = "") -> Iterator[None]:
        """Cause a fault for all requests with this in their path."""
        self._part_of_path, self._fault = part_of_path, fault
        self._is_mended.clear()
        with ExitStack() as stack:
            stack.callback(self._mend)
            if fault.address is not None:
                # Open connections need no lookup.
                self._loopback.cut()
            if fault.address == FULL:
                stack.enter_context(_full_listener(self._port))
            yield

    def _mend(self) -> None:
        self._loopback.requests.clear()
        self._fault = None
        self._is_mended.set()

    def _serve(self, peer: Peer) -> None:
        while True:
            request = peer.read_request()
            fault, path = self._fault, request.split(b" ", 2)[1].decode()
            respond = partial(self._respond, request)
            if fault is not None and fault.serve is not None and self._part_of_path in path:
                if fault.stalls:
                    self.on_stall()
                fault.serve(peer, respond)
            else:
                peer.send(respond())

    def _respond(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self._target), 60) as connection:
            connection.sendall(request)
            # A response has the form of a request: a line, headers, and a body of the length that they name.
            return Peer(connection, threading.Event()).read_request()

    def _resolve(self, look_up: Callable[..., Any], host: str, *arguments: Any, **more: Any) -> Any:
        if host != self._host:
            return look_up(host, *arguments, **more)
        address = self._fault.address if self._fault is not None else None
        if address == NEVER:
            self._is_mended.wait(60)
        if address in ("", NEVER):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return look_up(address or "127.0.0.1", *arguments, **more)


@contextmanager
def _full_listener(port: int) -> Iterator[None]:
    """Listen at FULL with a queue that is full."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((FULL, port))
        listener.listen(0)
        for _ in range(4):
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((FULL, port))
        yield


@dataclass(frozen=True)
class Resources:
    """What this process holds."""

    threads: int
    descriptors: int
    kilobytes: int

    @classmethod
    def now(cls) -> Resources:
        """Count them."""
        fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        return cls(threading.active_count(), descriptors, int(fields["VmRSS"].split()[0]))


def cause_faults(count: int, budget_seconds: float) -> tuple[Resources, Resources]:
    """Send requests that meet each fault in turn; return what was held before and after them.

    Before the first count each fault has been met once, and after them until what ends by itself has ended.
    """
    with Loopback(answering(http_answer())) as server:
        port = int(server.url.rpartition(":")[2])
        with FaultProxy(port, "gateway.test") as proxy:
            transport = Transport(
                proxy.url,
                connect_timeout_seconds=60,
                proxy=None,
                user_agent="tests",
                sleep=lambda _seconds: None,
            )
            faults = itertools.cycle(zip(FAULTS, itertools.cycle(("GET", "POST"))))
            _meet(proxy, transport, itertools.islice(faults, len(FAULTS)), budget_seconds)
            before = Resources.now()
            _meet(proxy, transport, itertools.islice(faults, count), budget_seconds)
            until(lambda: Resources.now().threads <= before.threads, what="the end of each thread")
            until(lambda: Resources.now().descriptors <= before.descriptors, what="closed descriptors")
            after = Resources.now()
            transport.close()
    return before, after


def _meet(
    proxy: FaultProxy, transport: Transport, faults: Iterable[tuple[Fault, str]], budget_seconds: float
) -> None:
    for fault, method in faults:
        with proxy.faulty(fault), suppress(WppconnectError):
            transport.request(
                method,
                "/healthz",
                path={},
                operation="meet a fault",
                timeout_seconds=budget_seconds if fault.stalls else 60,
                # Each has a limit of its own, so that a pause that one demands holds up no other.
                scope=fault.name,
            )
