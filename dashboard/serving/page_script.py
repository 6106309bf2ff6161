"""The page's own script on Streamlit's page: copying, sharing, and actions that wait for a visible tab.

Streamlit exposes neither the clipboard nor the visibility of a tab. A `<script src>` is added to its page,
which the content security policy permits. Streamlit sends its page for every address: requests for unknown
addresses are redirected to the start page instead of showing a warning in English only.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.auth.sub_path import published
from dashboard.navigation import PAGES

PATH = "/page-script.js"
ADDRESSES = frozenset({"/", *(f"/{one.name}" for one in PAGES)})
"""The addresses of the pages."""
STREAMLITS_PAGE = b'<div id="root">'
MAX_PAGE_BYTES = 100_000


def script_route() -> Route:
    """Return the script's route, which needs a sign-in like the page."""
    content = (files("dashboard") / "assets" / "page.js").read_bytes()

    async def send_script(_request: Request) -> Response:
        return Response(content, media_type="text/javascript; charset=utf-8")

    return Route(PATH, send_script, methods=["GET"])


class PageScript:
    """Add the script to Streamlit's page; pass every other response on unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _asks_for_html(scope):
            await self._app(scope, receive, send)
            return
        # The script cannot be added to a compressed page; Streamlit compresses it at every address but "/".
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self._app({**scope, "headers": plain}, receive, _BufferedPage(scope, receive, send).pass_on)


class _BufferedPage:
    """Buffer an HTML page until it is complete."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body") or len(self._body) > MAX_PAGE_BYTES:
                await self._send_page(more=bool(message.get("more_body")))
        else:
            await self._send(message)

    async def _send_page(self, *, more: bool) -> None:
        start, self._start = self._start, None
        if start is None:
            return
        if STREAMLITS_PAGE in self._body and not more:
            if self._scope["path"] not in ADDRESSES:
                await RedirectResponse("/", 303)(self._scope, self._receive, self._send)
                return
            tags = f'<style>{_first_paint()}</style><script src="{published(PATH)}" defer></script>'
            self._body = self._body.replace(b"</head>", tags.encode() + b"</head>", 1)
            headers = MutableHeaders(scope=start)
            headers["content-length"] = str(len(self._body))
            for name in ("etag", "last-modified"):
                del headers[name]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": self._body, "more_body": more})


@cache
def _first_paint() -> str:
    """Return the style rules that apply before the websocket delivers anything."""
    return (files("dashboard") / "assets" / "first_paint.css").read_text(encoding="utf-8")


def _asks_for_html(scope: Scope) -> bool:
    return "text/html" in Headers(scope=scope).get("accept", "")


def _is_html(message: Message) -> bool:
    return MutableHeaders(scope=message).get("content-type", "").startswith("text/html")
