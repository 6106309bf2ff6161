"""From where a request comes, as everything behind the peer's middleware sees it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import HTTPConnection
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from dashboard.auth.addresses import client_address
from dashboard.auth.peer import RememberPeer, peer_address


def seen(client: tuple[str, int] | None, *proxies: str) -> tuple[str | None, str]:
    """The peer's and the visitor's address of a request that says it was forwarded."""
    found: list[HTTPConnection] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        found.append(HTTPConnection(scope))

    headers = [(b"x-forwarded-for", b"198.51.100.9")]
    scope = {"type": "http", "scheme": "http", "headers": headers, "client": client}
    answer: Any = RememberPeer(ProxyHeadersMiddleware(app, trusted_hosts=list(proxies)))
    asyncio.run(answer(scope, None, None))
    return peer_address(found[0]), client_address(found[0])


@pytest.mark.parametrize("written", ["10.0.0.5", "::ffff:10.0.0.5"])
def test_proxy_is_known_by_ipv4_also_on_a_socket_for_both_protocols(written: str) -> None:
    assert seen((written, 1), "10.0.0.0/8") == ("10.0.0.5", "198.51.100.9")
    assert seen((written, 1)) == ("10.0.0.5", "10.0.0.5")


def test_other_peers_stay_as_they_are() -> None:
    assert seen(("2001:db8::5", 1)) == ("2001:db8::5", "2001:db8::5")
    assert seen(("testclient", 1)) == ("testclient", "testclient")
    assert seen(None) == (None, "unknown")
