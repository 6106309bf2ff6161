"""The cookies of the page. Over https, a name prefix keeps other hosts of the domain from setting them.

Browsers accept a cookie named `__Host-` only from the very host, over https and for all its paths. Without
the prefix, a neighbour under the same domain could plant its own sign-in in a user's browser. Under a
sub-path that prefix is impossible, since the host's other applications would receive the cookies: there they
are limited to the page's path, and their names begin with `__Secure-`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, cookie_parser
from starlette.responses import Response
from starlette.types import Scope

from dashboard.auth.sub_path import published

SIGN_IN_COOKIE = "wppconnect_sign_in"
FORM_COOKIE = "wppconnect_form"
GRANT_COOKIE = "wppconnect_grant"
PROVIDER_COOKIE = "wppconnect_provider"
DEVICE_COOKIE = "wppconnect_device"
HOST_PREFIX = "__Host-"
SECURE_PREFIX = "__Secure-"


class CookieRule(Protocol):
    """The settings that decide whether cookies are for https only."""

    secure_cookie: bool | None
    """None: only if the request came by https or the published address is https."""
    external_url: str | None


def set_cookie(
    response: Response,
    name: str,
    value: str,
    *,
    request: HTTPConnection,
    rule: CookieRule,
    lifetime: timedelta | None = None,
    same_site: Literal["lax", "strict"] = "lax",
) -> None:
    """Set a cookie that scripts cannot read and that other sites' forms do not send.

    Lax and not Strict: a signed-in user who opens the link of an alert has to stay signed in.
    """
    secure = _is_secure(request, rule)
    response.set_cookie(
        _sent_name(name, secure),
        value,
        max_age=int(lifetime.total_seconds()) if lifetime else None,
        path=published("/"),
        secure=secure,
        httponly=True,
        samesite=same_site,
    )


def remove_cookie(response: Response, name: str, *, request: HTTPConnection, rule: CookieRule) -> None:
    """Delete a cookie in the browser."""
    secure = _is_secure(request, rule)
    response.delete_cookie(
        _sent_name(name, secure), path=published("/"), secure=secure, httponly=True, samesite="lax"
    )


def read_cookie(connection: HTTPConnection, name: str, *, rule: CookieRule) -> str | None:
    """Return a cookie's value; None if it is missing or sent twice, because one of the two is forged."""
    wanted = _sent_name(name, _is_secure(connection, rule))
    found = [value for sent, value in _pairs(connection.headers) if sent == wanted]
    return found[0] if len(found) == 1 else None


def with_sign_in(scope: Scope, value: str) -> Scope:
    """Return the scope for the page, with exactly one sign-in cookie, under its plain name."""
    headers = MutableHeaders(raw=list(scope["headers"]))
    others = [
        f"{sent}={text}"
        for sent, text in _pairs(headers)
        if sent and sent.removeprefix(HOST_PREFIX).removeprefix(SECURE_PREFIX) != SIGN_IN_COOKIE
    ]
    del headers["cookie"]
    headers["cookie"] = "; ".join([*others, f"{SIGN_IN_COOKIE}={value}"])
    return {**scope, "headers": headers.raw}


def _pairs(headers: Headers) -> list[tuple[str, str]]:
    """Return every cookie of the request, including duplicates."""
    parts = [part for line in headers.getlist("cookie") for part in line.split(";")]
    return [pair for part in parts for pair in cookie_parser(part).items()]


def _sent_name(name: str, secure: bool) -> str:
    if not secure:
        return name
    return (HOST_PREFIX if published("/") == "/" else SECURE_PREFIX) + name


def _is_secure(request: HTTPConnection, rule: CookieRule) -> bool:
    if rule.secure_cookie is not None:
        return rule.secure_cookie
    return request.scope["scheme"] in {"https", "wss"} or (rule.external_url or "").startswith("https:")
