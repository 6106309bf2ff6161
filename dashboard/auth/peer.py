"""Who is at the other end of the connection itself, which no header can say."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

PEER = "wppconnect_ops.peer"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


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
            client = (_plain(client[0]), client[1])
        await self._app({**scope, "client": client, PEER: client[0] if client else None}, receive, send)


def peer_address(connection: HTTPConnection) -> str | None:
    """Return the address that the connection came from."""
    address: str | None = connection.scope.get(PEER)
    return address


def is_within(address: str | None, networks: Iterable[Network]) -> bool:
    """Tell whether an address is in one of the networks; IPv4 also where it is written as IPv6."""
    try:
        parsed = ipaddress.ip_address(_plain(address or ""))
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def _plain(address: str) -> str:
    try:
        return str(getattr(ipaddress.ip_address(address), "ipv4_mapped", None) or address)
    except ValueError:
        return address
