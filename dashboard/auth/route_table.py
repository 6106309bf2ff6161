"""The routes of authentication, open ones and those that need a sign-in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard.auth.account_routes import AccountRoutes
from dashboard.auth.asset_routes import asset_routes
from dashboard.auth.authenticator import current_login
from dashboard.auth.confirm_routes import ConfirmRoutes
from dashboard.auth.context import AuthContext
from dashboard.auth.gate import KEEPALIVE
from dashboard.auth.link_routes import LinkRoutes
from dashboard.auth.passkey_routes import PasskeyRoutes
from dashboard.auth.routes import SignInRoutes
from dashboard.auth.users import AuthMethod

HEALTHY = "/-/healthy"


def auth_routes(auth: AuthContext) -> tuple[list[Route], list[Route]]:
    """Return the open routes, then those that need a sign-in."""
    sign_in, passkeys = SignInRoutes(auth), PasskeyRoutes(auth)
    open_to_all = [
        Route(HEALTHY, _healthy, methods=["GET"]),
        *asset_routes(),
        *sign_in.open_routes(),
        *passkeys.open_routes(),
        *LinkRoutes(auth).routes(),
    ]
    keepalive = Route(KEEPALIVE, _keepalive, methods=["GET"])
    closed = [
        *sign_in.routes(),
        *AccountRoutes(auth).routes(),
        *ConfirmRoutes(auth).routes(),
        *passkeys.routes(),
        keepalive,
    ]
    return open_to_all, closed


async def _keepalive(request: Request) -> Response:
    """Return 204 if the tab has to keep polling, 205 if no proxy can revoke its sign-in."""
    return Response(
        status_code=204 if current_login(request).active_login.sign_in.way is AuthMethod.PROXY else 205
    )


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n")
