"""The path of the published address: "/wpp" of https://ops.example.org/wpp, or "" at a host's root.

The proxy in front forwards it unchanged. `SubPath` strips it from requests, so that everything behind sees
the same paths as at the root, and adds it to redirects; links and cookies add it with `published`.
"""

from __future__ import annotations

from contextvars import ContextVar
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_current: ContextVar[str] = ContextVar("sub_path", default="")


def published(address: str) -> str:
    """Return an address of the page, which begins with "/", with the sub-path that browsers need."""
    return _current.get() + address


def sub_path_of(external_url: str | None) -> str:
    """Return the path of the published address, or ""."""
    return urlsplit(external_url or "").path


class SubPath:
    """Strip the sub-path from requests, and add it to redirects."""

    def __init__(self, app: ASGIApp, *, path: str, at_root_too: frozenset[str]) -> None:
        self._app = app
        self._path = path
        self._at_root_too = at_root_too
        """Paths for local programs, which do not know the published address."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if not self._path or scope["type"] not in {"http", "websocket"} or scope["path"] in self._at_root_too:
            await self._app(scope, receive, send)
            return
        inner = self._without(scope)
        if inner is None:
            await self._turn_away(scope, receive, send)
            return
        token = _current.set(self._path)
        try:
            await self._app(inner, receive, self._with_path(send))
        finally:
            _current.reset(token)

    def _without(self, scope: Scope) -> Scope | None:
        # Compare both spellings: "/%77pp/" decodes to "/wpp/", but its raw path cannot be cut by length.
        path, raw_path = scope["path"], scope["raw_path"]
        prefix = f"{self._path}/"
        if not path.startswith(prefix) or not raw_path.startswith(prefix.encode()):
            return None
        cut = len(self._path)
        return {**scope, "path": path[cut:], "raw_path": raw_path[cut:]}

    async def _turn_away(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4404, "reason": "not here"})
            return
        response: Response
        if scope["path"] == self._path:
            query = scope["query_string"].decode("latin-1")
            response = RedirectResponse(f"{self._path}/" + (f"?{query}" if query else ""), 308)
        else:
            # No redirect: behind a proxy that strips the path it would loop.
            text = f"The page is at {self._path}/. A proxy in front has to pass this path on unchanged.\n"
            response = PlainTextResponse(text, 404)
        response.headers["cache-control"] = "no-store"
        await response(scope, receive, send)

    def _with_path(self, send: Send) -> Send:
        async def send_with_path(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                location = headers.get("location", "")
                if location.startswith("/"):
                    headers["location"] = self._path + location
            await send(message)

        return send_with_path
