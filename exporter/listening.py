"""Listen before anything else starts, and run uvicorn on it until a signal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import uvicorn

from core.addresses import address_text, reason_against
from core.exceptions import ConfigurationError
from exporter.connections import HEADER_LIMIT_BYTES, DeadlineProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

REMEDY = "choose another with EXPORTER_WEB_LISTEN_ADDRESS or --web.listen-address"
CONNECTION_LIMIT = 256
"""Prometheus needs one or two; the rest of the file descriptors belong to the probes."""
STOP_SECONDS = 1
"""How long open exchanges may take to end after a signal; the whole stop stays under two seconds."""


class Listener(socket.socket):
    """A listening socket that closes whoever comes while too many are connected.

    They are counted when accepted, because protocols of asyncio see them after their TLS handshake only:
    clients that never begin it would use up the file descriptors unseen.
    """

    def __init__(self, listening: socket.socket, limit: int) -> None:
        super().__init__(fileno=listening.detach())
        self._limit = limit
        self._accepted: list[socket.socket] = []

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection, or close it and raise what asyncio takes for a client that has left."""
        connection, address = super().accept()
        self._accepted = [one for one in self._accepted if one.fileno() >= 0]
        if len(self._accepted) >= self._limit:
            connection.close()
            raise ConnectionAbortedError
        self._accepted.append(connection)
        return connection, address


def listen(address: tuple[str, int], *, limit: int = CONNECTION_LIMIT) -> Listener:
    """Open the listening socket; raises ConfigurationError that names the address and the setting."""
    host, port = address
    dual = not host and socket.has_dualstack_ipv6()
    host = host or ("::" if dual else "0.0.0.0")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=128, dualstack_ipv6=dual)
    except (OSError, UnicodeError) as error:
        raise ConfigurationError([f"{address_text(address)} {reason_against(error)}; {REMEDY}"]) from None
    # Connections inherit it. asyncio sets it only on sockets that name their protocol, which these do not;
    # without it headers and body, which are written separately, wait 40 ms for each other.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Listener(listener, limit)


def make_server(
    app: ASGI3Application,
    protocol: type[DeadlineProtocol] = DeadlineProtocol,
    *,
    tls: ssl.SSLContext | None = None,
) -> uvicorn.Server:
    """Configure uvicorn; run the result with `run(sockets=[listen(...)])`."""
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        # Its warnings are about what strangers send, who could fill the disk with them.
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        workers=1,
        h11_max_incomplete_event_size=HEADER_LIMIT_BYTES,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    config.load()
    # What uvicorn would build from file names cannot be exchanged while it serves.
    config.ssl = tls
    return _Server(config, handshake_seconds=protocol.exchange_seconds)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, handshake_seconds: float) -> None:
        super().__init__()
        self._handshake_seconds = handshake_seconds

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        """Listen with a deadline for the TLS handshake, too: the usual one is a minute."""
        if options.get("ssl") is not None:
            options["ssl_handshake_timeout"] = self._handshake_seconds
            options["ssl_shutdown_timeout"] = STOP_SECONDS
        return await super().create_server(*args, **options)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, *, handshake_seconds: float) -> None:
        super().__init__(config)
        self._handshake_seconds = handshake_seconds

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal, in an event loop of our kind."""
        with asyncio.Runner(loop_factory=lambda: _Loop(self._handshake_seconds)) as runner:
            runner.run(self.serve(sockets))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT; uvicorn would raise the signal again, and the stop not end with 0."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
