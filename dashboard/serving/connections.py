"""Deadlines and limits of the page's connections, and the event loop that enforces them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from core.addresses import Network, is_within
from core.serving import ConnectionLimits, LimitedProtocol, ServingLoop

CONNECTION_LIMIT = 400
"""Including websockets; below the 1024 files that most systems permit a process."""


class PageProtocol(LimitedProtocol):
    """HTTP protocol with deadlines: unauthenticated clients must not exhaust the sockets that probes need.

    Websockets leave this class when they begin.
    """

    request_seconds: ClassVar[float] = 15.0
    """From the connection, or the first byte of a further request, to the end of the headers."""
    answer_seconds: ClassVar[float] = 180.0
    """For the response: a phone on a slow network loads Streamlit's scripts in two minutes."""
    upgrade_headers: ClassVar[int] = 100
    upgrade_header_bytes: ClassVar[int] = 8000
    """Beyond these the websocket library does not respond, and uvicorn waits for it forever."""

    _is_websocket = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the request deadline at the connection."""
        super().connection_made(transport)
        self._allow(self.request_seconds)

    def data_received(self, data: bytes) -> None:
        """Start the request deadline at the first byte of a further request."""
        if self._deadline is None:
            self._allow(self.request_seconds)
        super().data_received(data)

    def handle_events(self) -> None:
        """Start the response deadline once the headers are complete."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before and not self.cycle.response_complete:
            self._allow(self.answer_seconds)

    def on_response_complete(self) -> None:
        """Clear the deadline: uvicorn limits the idle time until the next request."""
        self._allow(None)
        super().on_response_complete()

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Clear the deadline for a websocket, which has its own pings; refuse too large headers."""
        self._allow(None)
        lengths = [len(event.target), *(len(name) + len(value) for name, value in self.headers)]
        if len(lengths) > self.upgrade_headers or max(lengths) > self.upgrade_header_bytes:
            self.send_431_response()
            return
        super().handle_websocket_upgrade(event)
        self._is_websocket = True

    def _is_whole(self) -> bool:
        return self._is_websocket or super()._is_whole()


def limited(
    proxies: Sequence[Network], limit: int = CONNECTION_LIMIT
) -> tuple[type[PageProtocol], Callable[..., Callable[[], ServingLoop]]]:
    """Return protocol and loop factory, in uvicorn's form, for a page behind these proxies."""
    is_exempt = lru_cache(maxsize=4096)(lambda address: is_within(address, proxies))
    limits = ConnectionLimits(limit, is_exempt=is_exempt)
    protocol = type("ProtocolWithLimits", (PageProtocol,), {"limits": limits})
    seconds = PageProtocol.request_seconds
    return protocol, lambda **_: lambda: ServingLoop(limits, request_seconds=seconds)
