"""Connection limits: which connections a server keeps while clients open more than it can hold."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from core.addresses import address_key

GRACE_SECONDS = 1.0
"""How long a new connection is not replaced by the next one from the same address.

Faster ones are refused, which costs a twentieth of accepting one connection and dropping another.
"""


@dataclass(eq=False)
class _Client:
    """The connections of one address."""

    key: str
    is_exempt: bool
    opened: int = 0
    unfinished: dict[int, _Connection] = field(default_factory=dict)
    """Oldest first."""


@dataclass(eq=False)
class _Connection:
    client: _Client
    drop: Callable[[], None]
    since: float
    was_served: bool = False


class ConnectionLimits:
    """Count connections per address and make room by dropping the oldest unfinished one.

    A connection is unfinished until a complete request has arrived, and again after its response: clients
    repeat a request on a connection that was idle. All open connections together are limited to `limit`,
    those of one address to three quarters of it. At the limit, the address with the most unfinished
    connections loses one, so that addresses share fairly what complete requests and websockets leave.
    `is_exempt` identifies proxies, which carry many users: they lose connections only if no other can.

    Connections are identified by their file descriptors. Not thread-safe: use from the event loop only.
    """

    def __init__(
        self,
        limit: int,
        *,
        is_exempt: Callable[[str], bool] = lambda _address: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = limit
        self.address_limit = max(1, limit * 3 // 4)
        self._is_exempt = is_exempt
        self._clock = clock
        self._clients: dict[str, _Client] = {}
        self._connections: dict[int, _Connection] = {}

    def make_room(self, address: str) -> bool:
        """Return whether to accept one more connection from this address; may drop another to make room."""
        own = self._client(address)
        if own.is_exempt or own.opened < self.address_limit:
            if len(self._connections) < self.limit:
                return True
            payer = self._fullest(own)
        else:
            payer = own
        if payer is None or not payer.unfinished:
            return False
        number, oldest = _oldest(payer)
        is_young = not oldest.was_served and self._clock() - oldest.since < GRACE_SECONDS
        if payer is own and is_young and not own.is_exempt:
            return False
        self.end(number)
        oldest.drop()
        return True

    def begin(self, number: int, address: str, drop: Callable[[], None]) -> None:
        """Count a new connection. `drop` closes it."""
        own = self._client(address)
        self._clients[own.key] = own
        own.opened += 1
        connection = self._connections[number] = _Connection(own, drop, self._clock())
        own.unfinished[number] = connection

    def update(self, number: int, *, is_whole: bool) -> None:
        """Record whether a complete request awaits its response, or the connection awaits a request."""
        connection = self._connections.get(number)
        if connection is None or is_whole is (number not in connection.client.unfinished):
            return
        if is_whole:
            del connection.client.unfinished[number]
        else:
            connection.since, connection.was_served = self._clock(), True
            connection.client.unfinished[number] = connection

    def end(self, number: int) -> None:
        """Forget a connection."""
        connection = self._connections.pop(number, None)
        if connection is None:
            return
        client = connection.client
        client.opened -= 1
        client.unfinished.pop(number, None)
        if not client.opened:
            del self._clients[client.key]

    def _client(self, address: str) -> _Client:
        key = address_key(address)
        return self._clients.get(key) or _Client(key, self._is_exempt(address))

    def _fullest(self, own: _Client) -> _Client | None:
        """Return the client with the most unfinished connections, the new one counted.

        Ties go to `own`, then to the longest wait. Otherwise the addresses of a flood would only replace
        one another's connections in turn.
        """
        crowd = [client for client in self._clients.values() if client.unfinished]
        payers = [client for client in crowd if not client.is_exempt] or crowd
        return max(
            payers,
            key=lambda client: (
                len(client.unfinished) + (client is own),
                client is own,
                -_oldest(client)[1].since,
            ),
            default=None,
        )


def _oldest(client: _Client) -> tuple[int, _Connection]:
    return next(iter(client.unfinished.items()))
