"""Untrusted addresses: the origin of a request, and the page to open after the sign-in."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from starlette.requests import HTTPConnection

MAX_NEXT_LENGTH = 2000
DEFAULT_PORTS = {"http": 80, "https": 443}


def is_same_origin(connection: HTTPConnection, external_url: str | None) -> bool:
    """Return whether the Origin header names this host or the published address.

    Browsers send Origin with every POST and every websocket; a request without it is not from the page.
    The scheme is compared only for the published host: behind a proxy the real one may be unknown.
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
            # A man in the middle of http://ops.example.org could act as https://ops.example.org.
            return False
        port = parsed.port or DEFAULT_PORTS[parsed.scheme]
        host = urlsplit(f"{parsed.scheme}://{connection.headers.get('host', '')}")
        return (parsed.hostname, port) == (host.hostname, host.port or DEFAULT_PORTS[parsed.scheme])
    except ValueError:
        return False


def origin_of(url: str) -> str:
    """Return the origin of a URL as browsers write it in the Origin header."""
    parsed = urlsplit(url.casefold())
    default = DEFAULT_PORTS.get(parsed.scheme)
    host = f"[{parsed.hostname}]" if ":" in (parsed.hostname or "") else parsed.hostname
    return f"{parsed.scheme}://{host}" + (f":{parsed.port}" if parsed.port not in {None, default} else "")


def safe_next(address: str | None) -> str:
    """Return the address if it is a page of this site, else "/".

    Refused: other sites in every spelling that browsers accept ("//host", "/\\host", control characters,
    which they drop), and the sign-in pages themselves.
    """
    if not address or len(address) > MAX_NEXT_LENGTH or not address.startswith("/"):
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
    """Return the address of the sign-in page that continues to `next_address`."""
    wanted = safe_next(next_address)
    return "/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted, safe='')}"


def client_address(connection: HTTPConnection) -> str:
    """Return the client's address; the headers of the configured proxies are already resolved."""
    return connection.client.host if connection.client else "unknown"
