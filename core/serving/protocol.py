"""uvicorn's HTTP/1 protocol with what it lacks: deadlines, and limits that know what each connection does."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from core.serving.limits import ConnectionLimits

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
"""uvicorn answers here without the application, and without the headers that everything else bears."""


class LimitedProtocol(H11Protocol):
    """Tell the limits whether a whole request has come, and end what takes too long.

    uvicorn only times the pause between two requests: a client that never finishes its headers, drips a body
    or never reads its answer would keep its connection for ever. When time begins, and for what, is up to the
    server that inherits.
    """

    limits: ClassVar[ConnectionLimits | None] = None

    _deadline: asyncio.TimerHandle | None = None
    _number = -1

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Learn under which number the limits count this connection."""
        super().connection_made(transport)
        self._number = transport.get_extra_info("socket").fileno()

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop the deadline with the connection."""
        self._allow(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Note what has come."""
        super().data_received(data)
        self._update_limits()

    def on_response_complete(self) -> None:
        """Note that a further request is awaited."""
        super().on_response_complete()
        self._update_limits()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; after an answer there is only the end of the connection."""
        if self.cycle is None or not self.cycle.response_started:
            self.transport.write(REFUSAL.format(length=len(msg), text=msg).encode("ascii"))
        self.transport.close()

    def _is_whole(self) -> bool:
        """Return whether a whole request is here and its answer is not."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    def _update_limits(self) -> None:
        if self.limits:
            self.limits.update(self._number, is_whole=self._is_whole())

    def _allow(self, seconds: float | None) -> None:
        """Set the time in place of what was set before; None: no limit."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._cut_off)

    def _cut_off(self) -> None:
        self.transport.abort()
