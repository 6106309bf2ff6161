"""Format, compare and check addresses of listening sockets and of clients."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Iterable
from functools import lru_cache

Address = tuple[str, int]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_EVERY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


def address_text(address: Address) -> str:
    """Return host and port as text, IPv6 in brackets."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def local_url(address: Address, scheme: str = "http") -> str:
    """Return a URL for a listen address that works on this machine."""
    host, port = address
    return f"{scheme}://{address_text((_EVERY_ADDRESS.get(host, host), port))}"


def check_listening(address: Address) -> str | None:
    """Return why a server cannot listen on an address, as a phrase; None if it can."""
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # create_server sets SO_REUSEADDR, as the servers do: a connection that has just ended is no obstacle.
        with socket.create_server((host, port), family=family):
            return None
    except (OSError, UnicodeError) as error:
        return reason_against(error)


def reason_against(error: OSError | UnicodeError) -> str:
    """Return why listening failed, as a phrase that follows the address."""
    if isinstance(error, UnicodeError):
        return "has a host name that cannot be one"
    match error.errno:
        case errno.EADDRINUSE:
            return "is taken by another program"
        case errno.EACCES:
            return "may not be used by this user (ports below 1024 are for root)"
        case errno.EADDRNOTAVAIL:
            return "is no address of this machine"
        case socket.EAI_NONAME | socket.EAI_AGAIN:
            return "has a host name that cannot be resolved"
        case number:
            return f"cannot be listened on ({os.strerror(number) if number else type(error).__name__})"


def plain_address(address: str) -> str:
    """Return an IPv4-mapped address ("::ffff:10.0.0.5", on dual-stack sockets) as IPv4, others unchanged."""
    try:
        return str(getattr(ipaddress.ip_address(address), "ipv4_mapped", None) or address)
    except ValueError:
        return address


def is_within(address: str | None, networks: Iterable[Network]) -> bool:
    """Return whether an address, IPv4-mapped ones included, is in one of the networks."""
    try:
        parsed = ipaddress.ip_address(plain_address(address or ""))
    except ValueError:
        return False
    return any(parsed in network for network in networks)


@lru_cache(maxsize=4096)
def address_key(address: str) -> str:
    """Return the key for per-client limits: the address, for IPv6 its /64, all of which one machine owns."""
    plain = plain_address(address)
    try:
        parsed = ipaddress.ip_address(plain)
    except ValueError:
        return plain
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else plain
