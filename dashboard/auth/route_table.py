"""Every route of ours, and which of them answer without a sign-in."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard.auth.account_routes import AccountRoutes
from dashboard.auth.asset_routes import asset_routes
from dashboard.auth.desk import Desk
from dashboard.auth.link_routes import LinkRoutes
from dashboard.auth.routes import SignInRoutes

HEALTHY = "/-/healthy"


def auth_routes(desk: Desk) -> tuple[list[Route], list[Route]]:
    """Return the open routes, then those behind the gate."""
    sign_in = SignInRoutes(desk)
    open_to_all = [
        Route(HEALTHY, _healthy, methods=["GET"]),
        *asset_routes(),
        *sign_in.open_routes(),
        *LinkRoutes(desk).routes(),
    ]
    return open_to_all, [*sign_in.routes(), *AccountRoutes(desk).routes()]


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n")
