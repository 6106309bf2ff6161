"""Which session names a gateway can be trusted with (contract, section 2)."""

from __future__ import annotations

import re

SESSION_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""The gateway validates nothing; other names break tokens, files or its session table (section 2)."""

JAVASCRIPT_PROPERTIES = frozenset(
    [
        "length",
        "map",
        "constructor",
        "toString",
        "__proto__",
        "at",
        "concat",
        "copyWithin",
        "entries",
        "every",
        "fill",
        "filter",
        "find",
        "findIndex",
        "findLast",
        "findLastIndex",
        "flat",
        "flatMap",
        "forEach",
        "hasOwnProperty",
        "includes",
        "indexOf",
        "isPrototypeOf",
        "join",
        "keys",
        "lastIndexOf",
        "pop",
        "propertyIsEnumerable",
        "push",
        "reduce",
        "reduceRight",
        "reverse",
        "shift",
        "slice",
        "some",
        "sort",
        "splice",
        "toLocaleString",
        "toReversed",
        "toSorted",
        "toSpliced",
        "unshift",
        "valueOf",
        "values",
        "with",
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
    ]
)
"""The gateway keeps sessions in a JavaScript array: these names collide with its properties."""


def session_name_problem(name: str, secret_key_bytes: int = 0) -> str | None:
    """Say why a session name must not be used, or None when it may.

    `secret_key_bytes` is the secret's length: bcrypt reads only 72 bytes of name + secret, and what is cut
    off is not checked.
    """
    if not SESSION_NAME.fullmatch(name):
        return f"session name {name!r}: use 1 to 40 letters, digits, '_' or '-'"
    if name in JAVASCRIPT_PROPERTIES:
        return f"session name {name!r} collides with a JavaScript property in the gateway: choose another"
    if secret_key_bytes and len(name) + secret_key_bytes > 72:
        return (
            f"session name {name!r} and the secret key are longer than 72 bytes together, and the gateway "
            "would not check the rest: use a shorter name or secret key"
        )
    return None
