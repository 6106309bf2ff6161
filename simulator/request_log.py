"""A log of requests, for tests that count them."""

import asyncio
import os
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

_RECENT = 2000
UNKNOWN_ROUTE = "(no route)"
_MAY_WAIT_FOR_A_PHONE = "/start-session"


@dataclass
class LoggedRequest:
    """One request. `status` stays None if no response was sent."""

    time: float
    user_agent: str
    method: str
    route: str
    session: str | None
    status: int | None = None


Observer = Callable[[LoggedRequest, list[asyncio.Transport]], None]

observers: list[Observer] = []
"""Called with each request of every simulator in this process, on the simulator's thread, and with the
connections of all requests in flight that have its User-Agent and do not wait for a phone."""


class RequestLog:
    """Counters and the recent requests. Routes are kept as templates, which never contain the secret."""

    def __init__(self) -> None:
        self._pending: list[tuple[asyncio.Transport, LoggedRequest]] = []
        self.reset()

    @property
    def in_flight(self) -> int:
        """The requests that are not answered and whose client still waits.

        A client that gave up is not counted, even if the event loop has not noticed its end yet: the client
        may have sent its next request by then.
        """
        return sum(_is_open(connection) for connection, _ in self._pending)

    def reset(self) -> None:
        """Reset the counters, except the count of requests in flight."""
        self.max_in_flight = self.in_flight
        self._counts: Counter[tuple[str, str, str, str | None]] = Counter()
        self._recent: deque[LoggedRequest] = deque(maxlen=_RECENT)

    def begin(
        self, connection: asyncio.Transport, user_agent: str, method: str, route: str, session: str | None
    ) -> LoggedRequest:
        """Record the arrival of a request."""
        entry = LoggedRequest(time.time(), user_agent, method, route, session)
        self._recent.append(entry)
        self._counts[user_agent, method, route, session] += 1
        self._pending.append((connection, entry))
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        for observe in observers:
            observe(entry, self._connections_of(user_agent))
        return entry

    def end(self, connection: asyncio.Transport, entry: LoggedRequest) -> None:
        """Record its response, or that its client disconnected."""
        self._pending.remove((connection, entry))

    def as_json(self) -> dict[str, Any]:
        """Return the log for the control API."""
        keys = ("user_agent", "method", "route", "session")
        return {
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "counts": [
                dict(zip(keys, key, strict=True)) | {"count": count} for key, count in self._counts.items()
            ],
            "recent": [asdict(entry) for entry in self._recent],
        }

    def _connections_of(self, user_agent: str) -> list[asyncio.Transport]:
        return [
            connection
            for connection, entry in self._pending
            if entry.user_agent == user_agent
            and not entry.route.endswith(_MAY_WAIT_FOR_A_PHONE)
            and _is_open(connection)
        ]


def _is_open(connection: asyncio.Transport) -> bool:
    """Return whether neither side has closed the connection. Reads nothing from it."""
    if connection.is_closing():
        return False
    try:
        with socket.socket(fileno=os.dup(connection.get_extra_info("socket").fileno())) as duplicate:
            return duplicate.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
