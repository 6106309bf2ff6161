"""A listening socket whose connections can be cut: uvicorn's HTTP protocol without its server."""

import asyncio
import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from simulator.application import TRANSPORT_KEY

_KEEP_ALIVE_SECONDS = 6  # the server says 5 and closes after 5.7 (section 9)
_MAX_HEADER_BYTES = 1024 * 1024  # beyond the gateway's own limit, so that the gateway can answer 431
_BACKLOG = 512


class Listener:
    """Serves one application on one socket.

    uvicorn's own server is not used: it installs signal handlers, and on shutdown it waits for requests,
    some of which never end here by design.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._config = uvicorn.Config(
            application,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        )
        self._config.load()
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self._transports: set[asyncio.Transport] = set()

    @property
    def is_listening(self) -> bool:
        """Whether connections are accepted."""
        return self._server is not None

    async def start(self, bound: socket.socket) -> None:
        """Accept connections on a bound socket, which is closed with the listener."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Protocol(self._config, self._state, self._transports), sock=bound, backlog=_BACKLOG
        )

    async def stop(self) -> None:
        """Stop at once: pending requests end with a closed connection and no bytes (section 8)."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for transport in list(self._transports):
            transport.abort()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=1)
        for task in list(self._state.tasks):
            task.cancel()


class _Protocol(H11Protocol):
    """One connection, registered with its listener. The application gets it as `scope[TRANSPORT_KEY]`."""

    def __init__(
        self, config: uvicorn.Config, state: ServerState, transports: set[asyncio.Transport]
    ) -> None:
        super().__init__(config=config, server_state=state, app_state={})
        self._transports = transports

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._transports.add(transport)
        application: Any = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            await application({**scope, TRANSPORT_KEY: transport}, receive, send)

        self.app = with_transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transports.discard(self.transport)
        super().connection_lost(exc)


def bind(address: str, port: int) -> socket.socket:
    """Return a bound, listening socket; port 0 selects a free port. Raise OSError if the port is taken."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
        bound.listen(_BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound
