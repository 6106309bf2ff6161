"""A log of requests, for tests that count them."""

import asyncio
import os
import socket
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

_RECENT = 2000
UNKNOWN_ROUTE = "(no route)"


@dataclass
class LoggedRequest:
    """One request. `status` stays None if no response was sent."""

    time: float
    user_agent: str
    method: str
    route: str
    session: str | None
    status: int | None = None


class RequestLog:
    """Counters and the recent requests. Routes are kept as templates, which never contain the secret."""

    def __init__(self) -> None:
        self._connections: list[asyncio.Transport] = []
        self.reset()

    @property
    def in_flight(self) -> int:
        """The requests that are not answered and whose client still waits.

        A client that gave up is not counted, even if the event loop has not noticed its end yet: the client
        may have sent its next request by then.
        """
        return sum(map(_is_open, self._connections))

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
        self._connections.append(connection)
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        return entry

    def end(self, connection: asyncio.Transport) -> None:
        """Record its response, or that its client disconnected."""
        self._connections.remove(connection)

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
