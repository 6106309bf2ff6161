"""The address of the connection's peer, which no header can forge."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from core.addresses import plain_address

PEER = "wppconnect_ops.peer"


class RememberPeer:
    """Store the peer's address before X-Forwarded-For of a trusted proxy replaces the client's.

    A socket for both protocols reports an IPv4 client as "::ffff:10.0.0.5", which matches no configured
    proxy; the address is rewritten as IPv4 for everything behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        client = scope.get("client")
        if client:
            client = (plain_address(client[0]), client[1])
        await self._app({**scope, "client": client, PEER: client[0] if client else None}, receive, send)


def peer_address(connection: HTTPConnection) -> str | None:
    """Return the address of the connection's peer."""
    address: str | None = connection.scope.get(PEER)
    return address
