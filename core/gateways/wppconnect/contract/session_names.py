"""Session names that are safe to use with a gateway (contract, section 2)."""

from __future__ import annotations

import re

from core.messages import Message

SESSION_NAME = re.compile(r"[A-Za-z0-9_-]{1,71}")
"""The gateway validates nothing; other names break tokens, files or its session table (section 2)."""

BCRYPT_BYTES = 72
"""Limit of session name plus secret key; the gateway's bcrypt truncates silently, Python's raises."""

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
"""Names that collide with properties of the JavaScript array in which the gateway keeps sessions."""


def session_name_problem(name: str) -> Message | None:
    """Return why a session name must not be used; None if it may."""
    if not SESSION_NAME.fullmatch(name):
        # Escape invisible characters, such as a zero-width space copied from a web page.
        visible = name if name.isprintable() else name.encode("unicode_escape").decode()
        return Message.of("setting.name_odd", name=visible)
    if name in JAVASCRIPT_PROPERTIES:
        return Message.of("setting.name_collides", name=name)
    return None


def unchecked_bytes(name: str, secret_key: str) -> int:
    """Return how many bytes at the end of the secret key the gateway does not check for this session.

    Such a key works, but a key that differs only in these bytes is accepted as well.
    """
    return max(0, len((name + secret_key).encode()) - BCRYPT_BYTES)
