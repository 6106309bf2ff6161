"""The cookies that we set: the sign-in, the form's counterpart, the first sign-in's grant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from starlette.requests import HTTPConnection
from starlette.responses import Response

SIGN_IN_COOKIE = "wppconnect_sign_in"
FORM_COOKIE = "wppconnect_form"
GRANT_COOKIE = "wppconnect_first_sign_in"


class CookieRule(Protocol):
    """What decides whether cookies are for https only."""

    secure_cookie: bool | None
    """True, False, or None: as the request came."""
    external_url: str | None


def set_cookie(
    response: Response,
    name: str,
    value: str,
    *,
    request: HTTPConnection,
    rule: CookieRule,
    lifetime: timedelta | None = None,
) -> None:
    """Set a cookie that scripts cannot read and that other sites' forms do not send.

    Lax and not Strict: a signed-in person who taps the link in an alert shall stay signed in.
    """
    response.set_cookie(
        name,
        value,
        max_age=int(lifetime.total_seconds()) if lifetime else None,
        path="/",
        secure=_is_secure(request, rule),
        httponly=True,
        samesite="lax",
    )


def remove_cookie(response: Response, name: str, *, request: HTTPConnection, rule: CookieRule) -> None:
    """Let the browser forget a cookie."""
    response.delete_cookie(name, path="/", secure=_is_secure(request, rule), httponly=True, samesite="lax")


def read_cookies(connection: HTTPConnection) -> Mapping[str, str]:
    """The cookies that the browser sent."""
    return connection.cookies


def _is_secure(request: HTTPConnection, rule: CookieRule) -> bool:
    if rule.secure_cookie is not None:
        return rule.secure_cookie
    return request.scope["scheme"] in {"https", "wss"} or (rule.external_url or "").startswith("https:")
