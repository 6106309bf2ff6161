"""Addresses that arrive from outside: where a request comes from, and where to go after the sign-in."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from starlette.requests import HTTPConnection

LONGEST_NEXT = 2000
DEFAULT_PORTS = {"http": 80, "https": 443}


def is_same_origin(connection: HTTPConnection, external_url: str | None) -> bool:
    """Does the Origin header name this very site, or the address under which we are published?

    Browsers send Origin with every POST and every websocket; a request without it is not from our pages.
    The scheme is compared only for the published host: behind a proxy we may not see the real one.
    """
    origin = connection.headers.get("origin", "")
    if external_url and origin.casefold() == origin_of(external_url):
        return True
    try:
        parsed = urlsplit(origin)
        if parsed.scheme not in DEFAULT_PORTS or not parsed.hostname:
            return False
        published = urlsplit(external_url or "")
        if parsed.hostname == published.hostname and parsed.scheme != published.scheme:
            # Whoever stands between a browser and http://ops.example.org could act as https://ops.example.org.
            return False
        port = parsed.port or DEFAULT_PORTS[parsed.scheme]
        host = urlsplit(f"{parsed.scheme}://{connection.headers.get('host', '')}")
        return (parsed.hostname, port) == (host.hostname, host.port or DEFAULT_PORTS[parsed.scheme])
    except ValueError:
        return False


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL as browsers write them in Origin."""
    parsed = urlsplit(url.casefold())
    default = DEFAULT_PORTS.get(parsed.scheme)
    host = f"[{parsed.hostname}]" if ":" in (parsed.hostname or "") else parsed.hostname
    return f"{parsed.scheme}://{host}" + (f":{parsed.port}" if parsed.port not in {None, default} else "")


def safe_next(address: str | None) -> str:
    """Return the wanted address if it is a page of ours, else "/".

    Refused: other sites in every spelling that browsers accept ("//host", "/\\host", control characters,
    which they drop), and the sign-in pages themselves.
    """
    if not address or len(address) > LONGEST_NEXT or not address.startswith("/"):
        return "/"
    if (
        address.startswith("//")
        or "\\" in address
        or any(ord(sign) < 33 or ord(sign) == 127 for sign in address)
    ):
        return "/"
    path = urlsplit(address).path
    if path.startswith(("/sign-in", "/sign-out", "/_stcore", "/media", "/-/")):
        return "/"
    return quote(address, safe="/?&=%+:;,@!$'()*~-._#[]")


def sign_in_address(next_address: str) -> str:
    """Return the sign-in page's address that leads on to `next_address`."""
    wanted = safe_next(next_address)
    return "/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted, safe='')}"


def client_address(connection: HTTPConnection) -> str:
    """Return the browser's address; uvicorn has already resolved the configured proxies' headers."""
    return connection.client.host if connection.client else "unknown"
