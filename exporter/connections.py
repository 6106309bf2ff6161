"""uvicorn's HTTP/1 protocol with what it lacks: a deadline for each exchange, and limits that hold."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from core.serving import ConnectionLimits

HEADER_LIMIT_BYTES = 16_384
REFUSAL = (
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n"
    "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{text}"
)


class DeadlineProtocol(H11Protocol):
    """Cut off a client that sends its request, or takes its answer, too slowly.

    uvicorn only times the pause between two requests: a client that never finishes its headers, or never
    reads, would keep its socket and our buffer for ever. The deadline runs from the connection, or the first
    byte of a further request, until that request is whole; and once more from the answer until its last byte
    is on its way. The time between is ours: `/probe` may take as long as the scrape that asks for it.
    """

    exchange_seconds: ClassVar[float] = 10.0
    piece_bytes: ClassVar[int] = 4096
    """Headers are measured before each piece only: whatever came in one packet would be taken whole."""

    limits: ClassVar[ConnectionLimits | None] = None

    _deadline: asyncio.TimerHandle | None = None
    _receiving = True
    _number = -1

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline with the connection."""
        super().connection_made(transport)
        # Whoever attaches a handler to uvicorn's logger switches it on, and one of our paths holds a token.
        self.access_log = False
        self._number = transport.get_extra_info("socket").fileno()
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop the deadline with the connection."""
        self._stop_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Start the deadline with the first byte of a further request."""
        if not self._is_busy():
            self._receiving = True
            self._start_deadline()
        for start in range(0, len(data), self.piece_bytes):
            super().data_received(data[start : start + self.piece_bytes])
            # A request behind one that is being answered is kept unread, and unmeasured.
            if len(self.conn.trailing_data[0]) > HEADER_LIMIT_BYTES:
                self.transport.close()
            if self.transport.is_closing():
                return
        self._update()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; after an answer there is only the end of the connection."""
        if self.cycle is None or not self.cycle.response_started:
            # uvicorn's own lacks the header that everything else bears.
            self.transport.write(REFUSAL.format(length=len(msg), text=msg).encode("ascii"))
        self.transport.close()

    def on_response_complete(self) -> None:
        """Go idle, unless the client has already sent a part of its next request."""
        super().on_response_complete()
        self._receiving = not self.cycle.response_complete or bool(self.conn.trailing_data[0])
        self._start_deadline()
        self._update()

    def _update(self) -> None:
        is_whole = self._waits_for_us()
        if is_whole:
            self._stop_deadline()
        if self.limits:
            self.limits.update(self._number, is_whole=is_whole)

    def _waits_for_us(self) -> bool:
        """Tell whether a whole request is here and its answer is not."""
        cycle = self.cycle
        return self._receiving and cycle is not None and not cycle.response_complete and not cycle.more_body

    def _is_busy(self) -> bool:
        return self._receiving or self.transport.get_write_buffer_size() > 0

    def _start_deadline(self) -> None:
        self._stop_deadline()
        self._deadline = self.loop.call_later(self.exchange_seconds, self._cut_off)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut_off(self) -> None:
        self._deadline = None
        if self._is_busy():
            self.transport.abort()
