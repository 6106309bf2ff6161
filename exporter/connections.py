"""Deadlines of the exporter's connections."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from core.serving import LimitedProtocol

HEADER_LIMIT_BYTES = 16_384


class DeadlineProtocol(LimitedProtocol):
    """Cut off a client that sends its request, or takes its answer, too slowly.

    The deadline runs from the connection, or the first byte of a further request, until that request is
    whole; and once more from the answer until its last byte is on its way. The time between is ours: `/probe`
    may take as long as the scrape that asks for it.
    """

    exchange_seconds: ClassVar[float] = 10.0
    piece_bytes: ClassVar[int] = 4096
    """Headers are measured before each piece only: whatever came in one packet would be taken whole."""

    _receiving = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline with the connection."""
        super().connection_made(transport)
        # Whoever attaches a handler to uvicorn's logger switches it on, and one of our paths holds a token.
        self.access_log = False
        self._allow(self.exchange_seconds)

    def data_received(self, data: bytes) -> None:
        """Start the deadline with the first byte of a further request, and end it with the last."""
        if not self._is_busy():
            self._receiving = True
            self._allow(self.exchange_seconds)
        for start in range(0, len(data), self.piece_bytes):
            super().data_received(data[start : start + self.piece_bytes])
            # A request behind one that is being answered is kept unread, and unmeasured.
            if len(self.conn.trailing_data[0]) > HEADER_LIMIT_BYTES:
                self.transport.close()
            if self.transport.is_closing():
                return
        if self._is_whole():
            self._allow(None)

    def on_response_complete(self) -> None:
        """Go idle, unless the client has already sent a part of its next request."""
        super().on_response_complete()
        self._receiving = not self.cycle.response_complete or bool(self.conn.trailing_data[0])
        self._allow(None if self._is_whole() else self.exchange_seconds)

    def _is_busy(self) -> bool:
        return self._receiving or self.transport.get_write_buffer_size() > 0

    def _cut_off(self) -> None:
        if self._is_busy():
            super()._cut_off()
