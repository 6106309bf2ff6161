"""Parsers of the sign-in settings: roles, e-mail addresses, header names, the provider."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from core.settings.fields import normalise_url
from dashboard.auth.users import Role

HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
ORDINARY_HEADERS = frozenset(
    {
        "host",
        "cookie",
        "origin",
        "referer",
        "user-agent",
        "accept",
        "authorization",
        "connection",
        "forwarded",
    }
    | {f"x-forwarded-{what}" for what in ("for", "proto", "host", "port", "server")}
)
"""Headers that browsers send themselves, or that have another meaning."""
EMAIL_OR_DOMAIN = re.compile(r"(?:[^@\s,]+)?@[A-Za-z0-9.-]+")
NOBODY = "none"


def parse_role(text: object) -> object:
    """Parse a role; "none" is None."""
    if not isinstance(text, str):
        return text
    word = text.strip().lower()
    if word == NOBODY:
        return None
    return _role(word, f"must be {NOBODY} or a role: {_roles()}")


def parse_group_roles(text: object) -> object:
    """Parse a comma list of group=role, for example "wpp-admins=administrator,wpp=viewer"."""
    if not isinstance(text, str):
        return text
    found: dict[str, Role] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        group, _, role = entry.rpartition("=")
        if not group.strip():
            raise ValueError("must be a comma list of group=role, for example wpp-admins=administrator")
        found[group.strip()] = _role(role.strip().lower(), f"{entry}: the role must be one of {_roles()}")
    return found


def parse_allowed(text: object) -> object:
    """Parse a comma list of e-mail addresses and, with a leading @, domains."""
    if not isinstance(text, str):
        return text
    entries = tuple(part.strip().casefold() for part in text.split(",") if part.strip())
    if not all(EMAIL_OR_DOMAIN.fullmatch(entry) for entry in entries):
        raise ValueError(
            "must be a comma list of e-mail addresses or domains, for example ana@example.org,@example.org"
        )
    return entries


def check_header(text: str) -> str:
    """Return the lower-case name of a header that only a proxy sends. Raises ValueError."""
    name = text.strip().lower()
    if not HEADER_NAME.fullmatch(name):
        raise ValueError("must be the name of a header, for example X-Forwarded-User")
    if name in ORDINARY_HEADERS:
        raise ValueError("is a header that browsers or other programs send; use one of the proxy's own")
    return name


def check_issuer(text: str) -> str:
    """Return the provider's issuer URL; http is allowed on the loopback only. Raises ValueError."""
    # Unchanged: a trailing slash is part of the issuer's identifier.
    url = text.strip()
    normalise_url(url)
    parsed = urlsplit(url)
    if parsed.scheme != "https" and parsed.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ValueError("must begin with https://, because who answers there decides who gets in")
    return url


def _role(word: str, problem: str) -> Role:
    try:
        return Role(word)
    except ValueError:
        raise ValueError(problem) from None


def _roles() -> str:
    return ", ".join(Role)
