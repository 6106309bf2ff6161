"""Open the listening socket before anything else starts, and run uvicorn on it until a signal."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, ClassVar

import uvicorn

from core.addresses import address_text, reason_against
from core.exceptions import ConfigurationError
from core.serving import ConnectionLimits, LimitedProtocol, ServingLoop
from core.signals import STOP_SIGNALS, handling

if TYPE_CHECKING:
    from starlette.types import ASGIApp

REMEDY = "choose another with EXPORTER_WEB_LISTEN_ADDRESS or --web.listen-address"
CONNECTION_LIMIT = 128
"""Prometheus needs one or two. Probes need the file descriptors, and TLS takes 300 kB per connection."""
HEADER_LIMIT_BYTES = 16_384
STOP_SECONDS = 1
"""How long open requests may take after a signal; the whole stop takes less than two seconds."""


def listen(address: tuple[str, int]) -> socket.socket:
    """Open the listening socket; raise ConfigurationError with the address and the setting."""
    host, port = address
    dual = not host and socket.has_dualstack_ipv6()
    host = host or ("::" if dual else "0.0.0.0")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, dualstack_ipv6=dual)
    except (OSError, UnicodeError) as error:
        raise ConfigurationError([f"{address_text(address)} {reason_against(error)}; {REMEDY}"]) from None


class DeadlineProtocol(LimitedProtocol):
    """Abort connections of clients that send their request, or read the response, too slowly.

    The deadline runs from the connection, or the first byte of a further request, until the request is
    complete; and again from the response until its last byte is sent. There is none in between: `/probe` may
    take as long as the scrape allows.
    """

    exchange_seconds: ClassVar[float] = 10.0

    _receiving = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline."""
        super().connection_made(transport)
        # Any handler on uvicorn's logger enables the access log, and one of our paths contains a token.
        self.access_log = False
        self._allow(self.exchange_seconds)

    def data_received(self, data: bytes) -> None:
        """Start the deadline with the first byte of a further request, and cancel it after the last."""
        if not self._is_busy():
            self._receiving = True
            self._allow(self.exchange_seconds)
        super().data_received(data)
        if self._is_whole():
            self._allow(None)

    def on_response_complete(self) -> None:
        """Become idle, unless the client has already sent a part of its next request."""
        super().on_response_complete()
        self._receiving = not self.cycle.response_complete or bool(self.conn.trailing_data[0])
        self._allow(None if self._is_whole() else self.exchange_seconds)

    def _is_busy(self) -> bool:
        return self._receiving or self.transport.get_write_buffer_size() > 0

    def _cut_off(self) -> None:
        if self._is_busy():
            super()._cut_off()


def make_server(
    app: ASGIApp,
    protocol: type[DeadlineProtocol] = DeadlineProtocol,
    *,
    tls: ssl.SSLContext | None = None,
    limits: ConnectionLimits | None = None,
) -> uvicorn.Server:
    """Return a configured uvicorn server; run it with `run(sockets=[listen(...)])`."""
    limits = limits or ConnectionLimits(CONNECTION_LIMIT)
    config = uvicorn.Config(
        app,
        http=type("ProtocolWithLimits", (protocol,), {"limits": limits}),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        # Its warnings are about clients' requests: any client could fill the disk with them.
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        workers=1,
        h11_max_incomplete_event_size=HEADER_LIMIT_BYTES,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    config.load()
    # A context that uvicorn builds from file names cannot be replaced while it runs.
    config.ssl = tls
    return _Server(config, limits, request_seconds=protocol.exchange_seconds)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, limits: ConnectionLimits, *, request_seconds: float) -> None:
        super().__init__(config)
        self._limits = limits
        self._request_seconds = request_seconds

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal, in a ServingLoop."""
        with asyncio.Runner(loop_factory=self._new_loop) as runner:
            runner.run(self.serve(sockets))

    def _new_loop(self) -> ServingLoop:
        return ServingLoop(self._limits, request_seconds=self._request_seconds)

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Stop on SIGTERM and SIGINT; uvicorn would raise the signal again, and the exit code not be 0."""
        return handling(self.handle_exit, *STOP_SIGNALS)
