"""Listen addresses: how people write them, and why nobody can listen on one."""

from __future__ import annotations

import errno
import os
import socket

Address = tuple[str, int]


def address_text(address: Address) -> str:
    """Write host and port as people do."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


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
