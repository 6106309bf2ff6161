"""Check passwords against bcrypt hashes that somebody else made, with htpasswd for example."""

from __future__ import annotations

import re

import bcrypt

BCRYPT_BYTES = 72
"""bcrypt reads no more; other implementations cut silently, Python's raises."""

HASH = re.compile(r"\$2[aby]\$(?P<cost>\d\d)\$[./A-Za-z0-9]{53}")


def hash_cost(text: str) -> int | None:
    """Tell the cost of a bcrypt hash; None when the text is none."""
    found = HASH.fullmatch(text)
    cost = int(found["cost"]) if found else 0
    return cost if 4 <= cost <= 31 else None


def matches(password: bytes, hashed: str) -> bool:
    """Compare in constant time; takes as long as the hash's cost says, 60 ms at cost 10."""
    try:
        return bcrypt.checkpw(password[:BCRYPT_BYTES], hashed.encode())
    except ValueError:
        return False
