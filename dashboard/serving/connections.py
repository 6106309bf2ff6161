"""Deadlines of the page's connections, and the event loop that holds all of them to their limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from core.addresses import Network, is_within
from core.serving import ConnectionLimits, LimitedProtocol, ServingLoop

CONNECTION_LIMIT = 400
"""Websockets included; below the 1024 files that most systems give a process."""


class PageProtocol(LimitedProtocol):
    """Keep people who have not signed in from using up the process's sockets, which the probes need too.

    Websockets leave this class when they begin.
    """

    request_seconds: ClassVar[float] = 15.0
    """From the connection, or the first byte of a further request, until its headers are complete."""
    answer_seconds: ClassVar[float] = 180.0
    """For the answer: a phone on a poor line loads Streamlit's scripts in two minutes."""
    upgrade_headers: ClassVar[int] = 100
    upgrade_header_bytes: ClassVar[int] = 8000
    """Beyond these the websocket library does not answer, and uvicorn waits for it without end."""

    _is_websocket = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline with the connection."""
        super().connection_made(transport)
        self._allow(self.request_seconds)

    def data_received(self, data: bytes) -> None:
        """Start the deadline with the first byte of a further request."""
        if self._deadline is None:
            self._allow(self.request_seconds)
        super().data_received(data)

    def handle_events(self) -> None:
        """Give more time once the headers are there."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before and not self.cycle.response_complete:
            self._allow(self.answer_seconds)

    def on_response_complete(self) -> None:
        """Leave the pause until the next request to uvicorn."""
        self._allow(None)
        super().on_response_complete()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Hand over to the websocket, which has its own pings."""
        self._allow(None)
        lengths = [len(event.target), *(len(name) + len(value) for name, value in self.headers)]
        if len(lengths) > self.upgrade_headers or max(lengths) > self.upgrade_header_bytes:
            self.send_400_response("The headers are too large.")
            return
        super().handle_websocket_upgrade(event)
        self._is_websocket = True

    def _is_whole(self) -> bool:
        return self._is_websocket or super()._is_whole()


def limited(
    proxies: Sequence[Network], limit: int = CONNECTION_LIMIT
) -> tuple[type[PageProtocol], Callable[..., Callable[[], ServingLoop]]]:
    """Return the protocol and the event loop, as uvicorn asks for one, of a page behind these proxies."""
    is_exempt = lru_cache(maxsize=4096)(lambda address: is_within(address, proxies))
    limits = ConnectionLimits(limit, is_exempt=is_exempt)
    protocol = type("ProtocolWithLimits", (PageProtocol,), {"limits": limits})
    seconds = PageProtocol.request_seconds
    return protocol, lambda **_: lambda: ServingLoop(limits, request_seconds=seconds)
