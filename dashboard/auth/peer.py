"""Who is at the other end of the connection itself, which no header can say."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from core.addresses import plain_address

PEER = "wppconnect_ops.peer"


class RememberPeer:
    """Keep the connection's own address, before X-Forwarded-For of a trusted proxy takes its place.

    Who comes by IPv4 to a socket for both protocols is "::ffff:10.0.0.5" there, and would be taken for
    none of the proxies: that is written as IPv4 for everybody behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the address and go on."""
        client = scope.get("client")
        if client:
            client = (plain_address(client[0]), client[1])
        await self._app({**scope, "client": client, PEER: client[0] if client else None}, receive, send)


def peer_address(connection: HTTPConnection) -> str | None:
    """Return the address that the connection came from."""
    address: str | None = connection.scope.get(PEER)
    return address
