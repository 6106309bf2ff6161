"""The routes of authentication, open ones and those that need a sign-in."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard.auth.account_routes import AccountRoutes
from dashboard.auth.authenticator import current_login
from dashboard.auth.confirm_routes import ConfirmRoutes
from dashboard.auth.context import AuthContext
from dashboard.auth.gate import KEEPALIVE
from dashboard.auth.link_routes import LinkRoutes
from dashboard.auth.pages import ASSETS
from dashboard.auth.passkey_routes import PasskeyRoutes
from dashboard.auth.routes import SignInRoutes
from dashboard.auth.users import AuthMethod

HEALTHY = "/-/healthy"

OWN_FILES = {
    "sign-in.css": ("auth/assets", "text/css; charset=utf-8"),
    "keep-fragment.js": ("auth/assets", "text/javascript; charset=utf-8"),
    "link.js": ("auth/assets", "text/javascript; charset=utf-8"),
    "passkey.js": ("auth/assets", "text/javascript; charset=utf-8"),
    "mark.svg": ("assets", "image/svg+xml"),
}
"""The static files of the sign-in pages, which need no sign-in."""


def auth_routes(auth: AuthContext) -> tuple[list[Route], list[Route]]:
    """Return the open routes, then those that need a sign-in."""
    sign_in, passkeys = SignInRoutes(auth), PasskeyRoutes(auth)
    open_to_all = [
        Route(HEALTHY, _healthy, methods=["GET"]),
        *(_file_route(name, folder, media_type) for name, (folder, media_type) in OWN_FILES.items()),
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


def _file_route(name: str, folder: str, media_type: str) -> Route:
    """Return a route to a file, which is read once."""
    content = (files("dashboard") / folder / name).read_bytes()

    async def send_file(_request: Request) -> Response:
        return Response(content, media_type=media_type)

    return Route(f"{ASSETS}/{name}", send_file, methods=["GET"])
