"""The static files of the sign-in pages, which need no sign-in."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashboard.auth.pages import ASSETS

OWN_FILES = {
    "sign-in.css": ("auth/assets", "text/css; charset=utf-8"),
    "keep-fragment.js": ("auth/assets", "text/javascript; charset=utf-8"),
    "link.js": ("auth/assets", "text/javascript; charset=utf-8"),
    "passkey.js": ("auth/assets", "text/javascript; charset=utf-8"),
    "mark.svg": ("assets", "image/svg+xml"),
}


def asset_routes() -> list[Route]:
    """Return one route per file; the files are read once."""
    return [_route(name, folder, media_type) for name, (folder, media_type) in OWN_FILES.items()]


def _route(name: str, folder: str, media_type: str) -> Route:
    content = (files("dashboard") / folder / name).read_bytes()

    async def send_file(_request: Request) -> Response:
        return Response(content, media_type=media_type)

    return Route(f"{ASSETS}/{name}", send_file, methods=["GET"])
