"""Event loop for publicly reachable servers: it enforces connection limits on accept."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any

from core.addresses import address_key
from core.serving.limits import ConnectionLimits
from core.serving.systemd import notify_ready

BACKLOG = 1024
"""Length of the kernel's accept queue; if it is full, well-behaved clients retry after 1 s."""
BATCH = 64
"""Connections accepted per turn of the event loop."""
BEGUN_AT_ONCE = 8
"""Connections started per turn of the event loop: a TLS handshake takes a millisecond."""
SHUTDOWN_SECONDS = 1.0
"""Timeout of the TLS closing handshake."""

NewProtocol = Callable[[], asyncio.BaseProtocol]


class ServingLoop(asyncio.SelectorEventLoop):
    """Enforce connection limits on all servers of this loop from the moment of accepting.

    asyncio hands a connection to its protocol after the TLS handshake: clients that never begin it would
    exhaust the file descriptors unnoticed. Here, a connection that has sent nothing costs only its
    descriptor: no transport, no protocol, and no 256 kB of TLS state.
    """

    def __init__(self, limits: ConnectionLimits, *, request_seconds: float) -> None:
        super().__init__()
        self.limits = limits
        self.request_seconds = request_seconds
        """Timeout for the first byte, and again for the TLS handshake."""

    async def create_server(self, protocol_factory: NewProtocol, **options: Any) -> asyncio.Server:  # type: ignore[override]
        """Listen on `sock`, which uvicorn passes; uvicorn only closes the result."""
        server = _Server(self, protocol_factory, options["sock"], options.get("ssl"))
        notify_ready(self)
        return server  # type: ignore[return-value]


class _Server:
    def __init__(
        self,
        loop: ServingLoop,
        new_protocol: NewProtocol,
        listening: socket.socket,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._loop = loop
        self._new_protocol = new_protocol
        self._tls = tls
        self._listening = listening
        self._waiting: set[_Connection] = set()
        self._begun = _FairQueue()
        self._is_serving_begun = False
        self._tasks: set[asyncio.Task[None]] = set()
        listening.setblocking(False)
        listening.listen(BACKLOG)
        loop.add_reader(listening, self._accept)

    def close(self) -> None:
        """Stop accepting and close the connections that have sent nothing."""
        self._loop.remove_reader(self._listening)
        self._listening.close()
        for connection in list(self._waiting):
            connection.close()

    async def wait_closed(self) -> None:
        """Return at once: uvicorn waits for the protocols itself."""

    def _accept(self) -> None:
        limits = self._loop.limits
        for _ in range(BATCH):
            try:
                accepted, address = self._listening.accept()
            except OSError:
                return
            if not limits.make_room(address[0]):
                accepted.close()
                continue
            connection = _Connection(accepted, address[0], limits.end)
            connection.setblocking(False)
            limits.begin(connection.fileno(), address[0], connection.drop)
            self._await_first_byte(connection)

    def _await_first_byte(self, connection: _Connection) -> None:
        deadline = self._loop.call_later(self._loop.request_seconds, connection.close)

        def stop_waiting() -> None:
            deadline.cancel()
            self._loop.remove_reader(connection)
            self._begun.discard(connection)
            self._waiting.discard(connection)
            connection.stop_waiting = None

        def serve() -> None:
            stop_waiting()
            task = self._loop.create_task(self._serve(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        def begin() -> None:
            self._loop.remove_reader(connection)
            self._begun.add(connection, serve)
            if not self._is_serving_begun:
                self._is_serving_begun = True
                self._loop.call_soon(self._serve_begun)

        connection.stop_waiting = stop_waiting
        self._waiting.add(connection)
        self._loop.add_reader(connection, begin)

    def _serve_begun(self) -> None:
        for _ in range(BEGUN_AT_ONCE):
            serve = self._begun.pop()
            if serve is None:
                self._is_serving_begun = False
                return
            serve()
        self._loop.call_soon(self._serve_begun)

    async def _serve(self, connection: _Connection) -> None:
        timeouts = (
            {}
            if self._tls is None
            else {
                "ssl_handshake_timeout": self._loop.request_seconds,
                "ssl_shutdown_timeout": SHUTDOWN_SECONDS,
            }
        )
        try:
            await self._loop.connect_accepted_socket(
                self._new_protocol, connection, ssl=self._tls, **timeouts
            )
        except OSError as error:
            # A failed handshake is the client's fault. The traceback's frames hold the error, and with it
            # the connection's buffers: a flood creates them faster than the garbage collector frees them.
            error.with_traceback(None)


class _FairQueue:
    """Queue of connections that have sent data, with their callbacks; round-robin by address."""

    def __init__(self) -> None:
        self._clients: dict[str, dict[_Connection, Callable[[], None]]] = {}

    def add(self, connection: _Connection, serve: Callable[[], None]) -> None:
        """Append a connection to the queue of its address."""
        self._clients.setdefault(connection.client, {})[connection] = serve

    def discard(self, connection: _Connection) -> None:
        """Remove a connection if it is queued."""
        own = self._clients.get(connection.client, {})
        own.pop(connection, None)
        if not own:
            self._clients.pop(connection.client, None)

    def pop(self) -> Callable[[], None] | None:
        """Remove the oldest connection of the next address and return its callback; None if empty."""
        if not self._clients:
            return None
        client = next(iter(self._clients))
        own = self._clients.pop(client)
        serve = own.pop(next(iter(own)))
        if own:
            # Re-insert the address at the end.
            self._clients[client] = own
        return serve


class _Connection(socket.socket):
    """An accepted socket that reports its closing to the connection limits."""

    def __init__(self, accepted: socket.socket, address: str, forget: Callable[[int], None]) -> None:
        # asyncio sets TCP_NODELAY on a socket that names its protocol. Without it, headers and body, which
        # are written separately, are delayed by 40 ms.
        super().__init__(accepted.family, accepted.type, socket.IPPROTO_TCP, accepted.detach())
        self.client = address_key(address)
        self._forget = forget
        self.stop_waiting: Callable[[], None] | None = None
        """Cancels the wait for the first byte; None once the connection is served."""

    def drop(self) -> None:
        """End the connection to make room for another."""
        if self.stop_waiting is not None:
            self.close()
            return
        # The transport notices the shutdown and closes the socket.
        with contextlib.suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket and release it from the limits."""
        if self.stop_waiting is not None:
            self.stop_waiting()
        self._forget(self.fileno())
        super().close()
