"""uvicorn's HTTP/1 protocol with deadlines and connection limits."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from core.serving.limits import ConnectionLimits

REFUSAL = (
    "HTTP/1.1 {status}\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: {length}\r\n"
    "Content-Security-Policy: default-src 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Cache-Control: no-store\r\n"
    "Connection: close\r\n"
    "\r\n"
    "{text}"
)
"""Response to malformed HTTP. uvicorn sends its own without the application's security headers."""
HEADER_BYTES = 16_384
"""The limit that uvicorn takes over from h11 for unfinished headers where none is configured."""
PIECE_BYTES = 4096
"""The parser checks the size of unfinished headers only after each piece of data."""


class LimitedProtocol(H11Protocol):
    """Report complete requests to the connection limits and abort connections that exceed a deadline.

    uvicorn only limits the pause between two requests: a client that never finishes its headers, drips a
    body or never reads its response would keep its connection for ever. Subclasses set the deadlines.
    """

    limits: ClassVar[ConnectionLimits | None] = None

    _deadline: asyncio.TimerHandle | None = None
    _number = -1

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Store the file descriptor by which the limits identify this connection."""
        super().connection_made(transport)
        self._number = transport.get_extra_info("socket").fileno()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._allow(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data, limit the size of headers, and update the limits."""
        for start in range(0, len(data), PIECE_BYTES):
            super().data_received(data[start : start + PIECE_BYTES])
            # A request behind one in progress stays unparsed, so the parser does not limit its size.
            if self._has_long_headers():
                self.transport.close()
            # Data behind the request for a websocket is not for this protocol.
            if self.transport.is_closing() or self.transport.get_protocol() is not self:
                break
        self._update_limits()

    def on_response_complete(self) -> None:
        """Update the limits: the connection awaits its next request."""
        super().on_response_complete()
        self._update_limits()

    def send_400_response(self, msg: str) -> None:
        """Reject malformed HTTP; only close the connection if a response has started."""
        if self._has_long_headers():
            self.send_431_response()
        else:
            self._refuse("400 Bad Request", msg)

    def send_431_response(self) -> None:
        """Reject a request whose headers are too large."""
        self._refuse("431 Request Header Fields Too Large", "The headers are too large.")

    def _refuse(self, status: str, text: str) -> None:
        if self.cycle is None or not self.cycle.response_started:
            self.transport.write(REFUSAL.format(status=status, length=len(text), text=text).encode("ascii"))
        self.transport.close()

    def _has_long_headers(self) -> bool:
        limit = self.config.h11_max_incomplete_event_size or HEADER_BYTES
        return len(self.conn.trailing_data[0]) > limit

    def _is_whole(self) -> bool:
        """Return whether a complete request has arrived and its response is not complete."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    def _update_limits(self) -> None:
        if self.limits:
            self.limits.update(self._number, is_whole=self._is_whole())

    def _allow(self, seconds: float | None) -> None:
        """Replace the deadline; None removes it."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._cut_off)

    def _cut_off(self) -> None:
        self.transport.abort()
