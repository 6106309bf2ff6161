"""uvicorn's HTTP/1 protocol with what it lacks: deadlines and limits of connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from core.addresses import Network, is_within
from core.serving import ConnectionLimits, ServingLoop

CONNECTION_LIMIT = 400
"""Websockets included; below the 1024 files that most systems give a process."""

REFUSAL = (
    "HTTP/1.1 400 Bad Request\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: {length}\r\n"
    "Content-Security-Policy: default-src 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Cache-Control: no-store\r\n"
    "Connection: close\r\n"
    "\r\n"
    "{text}"
)
"""uvicorn answers here without us, and without the headers that everything else bears."""


class LimitedProtocol(H11Protocol):
    """Keep people who have not signed in from using up the process's sockets, which the probes need too.

    uvicorn only times the pause between two requests: a client that never finishes its headers, or drips a
    body that nobody reads, would keep its connection for ever. Websockets leave this class when they begin.
    """

    request_seconds: ClassVar[float] = 15.0
    """From the connection, or the first byte of a further request, until its headers are complete."""
    answer_seconds: ClassVar[float] = 180.0
    """For the answer: a phone on a poor line loads Streamlit's scripts in two minutes."""
    limits: ClassVar[ConnectionLimits | None] = None
    upgrade_headers: ClassVar[int] = 100
    upgrade_header_bytes: ClassVar[int] = 8000
    """Beyond these the websocket library does not answer, and uvicorn waits for it without end."""

    _deadline: asyncio.TimerHandle | None = None
    _number = -1

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline with the connection."""
        super().connection_made(transport)
        self._number = transport.get_extra_info("socket").fileno()
        self._allow(self.request_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop the deadline with the connection."""
        self._allow(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Start the deadline with the first byte of a further request."""
        if self._deadline is None:
            self._allow(self.request_seconds)
        super().data_received(data)
        self._update()

    def handle_events(self) -> None:
        """Give more time once the headers are there."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before and not self.cycle.response_complete:
            self._allow(self.answer_seconds)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; after an answer there is only the end of the connection."""
        if self.cycle is None or not self.cycle.response_started:
            self.transport.write(REFUSAL.format(length=len(msg), text=msg).encode("ascii"))
        self.transport.close()

    def on_response_complete(self) -> None:
        """Leave the pause until the next request to uvicorn."""
        self._allow(None)
        super().on_response_complete()
        self._update()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Hand over to the websocket, which has its own pings."""
        self._allow(None)
        lengths = [len(event.target), *(len(name) + len(value) for name, value in self.headers)]
        if len(lengths) > self.upgrade_headers or max(lengths) > self.upgrade_header_bytes:
            self.send_400_response("The headers are too large.")
            return
        super().handle_websocket_upgrade(event)
        self._update(is_websocket=True)

    def _update(self, *, is_websocket: bool = False) -> None:
        cycle = self.cycle
        is_answered = cycle is not None and not cycle.response_complete and not cycle.more_body
        if self.limits:
            self.limits.update(self._number, is_whole=is_answered or is_websocket)

    def _allow(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.transport.abort) if seconds else None


def limited(
    proxies: Sequence[Network], limit: int = CONNECTION_LIMIT
) -> tuple[type[LimitedProtocol], Callable[..., Callable[[], ServingLoop]]]:
    """Return the protocol and the event loop, as uvicorn asks for one, of a page behind these proxies."""
    is_exempt = lru_cache(maxsize=4096)(lambda address: is_within(address, proxies))
    limits = ConnectionLimits(limit, is_exempt=is_exempt)
    protocol = type("ProtocolWithLimits", (LimitedProtocol,), {"limits": limits})
    seconds = LimitedProtocol.request_seconds
    return protocol, lambda **_: lambda: ServingLoop(limits, request_seconds=seconds)
