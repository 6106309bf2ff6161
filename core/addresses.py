"""Addresses of listening sockets and of clients: how they are written, compared and refused."""

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
    """Write host and port as people do."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def local_url(address: Address, scheme: str = "http") -> str:
    """Write a listen address as a link that works on this machine."""
    host, port = address
    return f"{scheme}://{address_text((_EVERY_ADDRESS.get(host, host), port))}"


def check_listening(address: Address) -> str | None:
    """Try to listen on an address; say in words why nobody can, or None when it is free."""
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # As our servers listen: an address of a connection that ended a moment ago is not in the way.
        with socket.create_server((host, port), family=family):
            return None
    except (OSError, UnicodeError) as error:
        return reason_against(error)


def reason_against(error: OSError | UnicodeError) -> str:
    """Put into words why listening failed; the sentence goes on after the address."""
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
    """Write IPv4 as such where a socket for both protocols says "::ffff:10.0.0.5"."""
    try:
        return str(getattr(ipaddress.ip_address(address), "ipv4_mapped", None) or address)
    except ValueError:
        return address


def is_within(address: str | None, networks: Iterable[Network]) -> bool:
    """Return whether an address is in one of the networks; IPv4 also where it is written as IPv6."""
    try:
        parsed = ipaddress.ip_address(plain_address(address or ""))
    except ValueError:
        return False
    return any(parsed in network for network in networks)


@lru_cache(maxsize=4096)
def address_key(address: str) -> str:
    """Count an IPv6 network as one address: a single machine owns 2^64 of them."""
    plain = plain_address(address)
    try:
        parsed = ipaddress.ip_address(plain)
    except ValueError:
        return plain
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else plain
