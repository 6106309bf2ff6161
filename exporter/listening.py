"""Listen before anything else starts, and run uvicorn on it until a signal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import uvicorn

from core.addresses import address_text, reason_against
from core.exceptions import ConfigurationError
from core.serving import ConnectionLimits, ServingLoop
from exporter.connections import HEADER_LIMIT_BYTES, DeadlineProtocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp

REMEDY = "choose another with EXPORTER_WEB_LISTEN_ADDRESS or --web.listen-address"
CONNECTION_LIMIT = 128
"""Prometheus needs one or two; file descriptors belong to the probes, and TLS takes 300 kB for each."""
STOP_SECONDS = 1
"""How long open exchanges may take to end after a signal; the whole stop stays under two seconds."""


def listen(address: tuple[str, int]) -> socket.socket:
    """Open the listening socket; raises ConfigurationError that names the address and the setting."""
    host, port = address
    dual = not host and socket.has_dualstack_ipv6()
    host = host or ("::" if dual else "0.0.0.0")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, dualstack_ipv6=dual)
    except (OSError, UnicodeError) as error:
        raise ConfigurationError([f"{address_text(address)} {reason_against(error)}; {REMEDY}"]) from None


def make_server(
    app: ASGIApp,
    protocol: type[DeadlineProtocol] = DeadlineProtocol,
    *,
    tls: ssl.SSLContext | None = None,
    limits: ConnectionLimits | None = None,
) -> uvicorn.Server:
    """Configure uvicorn; run the result with `run(sockets=[listen(...)])`."""
    limits = limits or ConnectionLimits(CONNECTION_LIMIT)
    config = uvicorn.Config(
        app,
        http=type("ProtocolWithLimits", (protocol,), {"limits": limits}),
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
    return _Server(config, limits, request_seconds=protocol.exchange_seconds)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, limits: ConnectionLimits, *, request_seconds: float) -> None:
        super().__init__(config)
        self._limits = limits
        self._request_seconds = request_seconds

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal, in an event loop of our kind."""
        with asyncio.Runner(loop_factory=self._new_loop) as runner:
            runner.run(self.serve(sockets))

    def _new_loop(self) -> ServingLoop:
        return ServingLoop(self._limits, request_seconds=self._request_seconds)

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
