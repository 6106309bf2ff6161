"""Listen before anything else starts, and run uvicorn on it until a signal."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import uvicorn

from core.addresses import address_text, reason_against
from core.exceptions import ConfigurationError
from exporter.connections import DeadlineProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

REMEDY = "choose another with EXPORTER_WEB_LISTEN_ADDRESS or --web.listen-address"
HEADER_LIMIT_BYTES = 16_384
STOP_SECONDS = 1
"""How long open exchanges may take to end after a signal; the whole stop stays under two seconds."""


def listen(address: tuple[str, int]) -> socket.socket:
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
    return listener


def make_server(app: ASGI3Application, protocol: type[DeadlineProtocol] = DeadlineProtocol) -> uvicorn.Server:
    """Configure uvicorn; run the result with `run(sockets=[listen(...)])`."""
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        workers=1,
        h11_max_incomplete_event_size=HEADER_LIMIT_BYTES,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return _Server(config)


class _Server(uvicorn.Server):
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
