"""The gate: ASGI middleware in front of every page, file and websocket.

Pure ASGI because Starlette's BaseHTTPMiddleware lets websockets through unchecked.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.exceptions import StoreError
from dashboard.auth.addresses import is_same_origin, sign_in_address
from dashboard.auth.authenticator import AuthenticatedRequest, Authenticator
from dashboard.auth.responses import cross_site_response, too_many_tabs
from dashboard.auth.websocket import Tab, TabFrames

log = logging.getLogger(__name__)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
KEEPALIVE = "/-/still-here"
"""Polled by open tabs; does not count as user activity."""
MAX_TABS = 40
"""Open tabs per user. Each takes memory and one of the page's 400 connections."""
CACHEABLE_PREFIX = "/static/"
"""Streamlit's own scripts and styles, named by their hash. Every other response is private."""


@dataclass(frozen=True)
class GateRules:
    """The configuration of the gate."""

    authenticator: Authenticator
    external_url: str | None
    open_paths: frozenset[str]
    """Exact paths that need no sign-in."""
    tab_frames: TabFrames
    pages: frozenset[str] = frozenset()
    """Exact paths of the pages that open a websocket."""


class Gate:
    """Pass on authenticated requests; redirect navigations to the sign-in page and refuse everything else."""

    def __init__(self, app: ASGIApp, *, rules: GateRules) -> None:
        self._app = app
        self._rules = rules
        self._tabs: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http":
            await self._answer(scope, receive, _not_kept(scope, send))
        elif scope["type"] == "websocket":
            await self._open_tab(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        if scope["method"] not in SAFE_METHODS and not self._is_ours(connection):
            await cross_site_response(scope)(scope, receive, send)
            return
        if scope["method"] not in SAFE_METHODS:
            try:
                # A user whom another process has just removed or demoted must not act.
                await asyncio.to_thread(self._rules.authenticator.sign_ins.refresh)
            except StoreError as error:
                log.warning("request_refused reason=users_unreadable problem=%r", error.message)
                await PlainTextResponse("The store does not answer.\n", 503)(scope, receive, send)
                return
        if scope["path"] in self._rules.open_paths:
            await self._app(scope, receive, send)
            return
        authenticated = await self._authenticate(connection)
        if authenticated:
            if scope["path"] != KEEPALIVE:
                self._rules.authenticator.sign_ins.touch(authenticated.cookie)
            if scope["path"] in self._rules.pages and self._has_max_tabs(authenticated):
                await too_many_tabs(scope, MAX_TABS)(scope, receive, send)
                return
            await self._app(authenticated.authenticated_scope(scope), receive, send)
        elif _is_navigation(connection):
            await RedirectResponse(_sign_in_address(connection), 303)(scope, receive, send)
        else:
            await PlainTextResponse("Sign in first.\n", 401)(scope, receive, send)

    async def _authenticate(self, connection: HTTPConnection) -> AuthenticatedRequest | None:
        authenticator = self._rules.authenticator
        found = authenticator.authenticate(connection)
        if found is None and await asyncio.to_thread(authenticator.load, connection):
            found = authenticator.authenticate(connection)
        return found

    async def _open_tab(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        sign_ins = self._rules.authenticator.sign_ins
        authenticated = await self._authenticate(connection)
        if authenticated is None or not self._is_ours(connection) or self._has_max_tabs(authenticated):
            await receive()
            # Closing a websocket before it is accepted makes the server refuse the handshake with 403.
            await send({"type": "websocket.close", "code": 4401, "reason": "sign in first"})
            return
        tab = Tab(
            receive,
            send,
            is_signed_in=lambda: sign_ins.user_of(authenticated.cookie) is not None,
            touch=lambda: sign_ins.touch(authenticated.cookie),
            frames=self._rules.tab_frames,
        )
        account = authenticated.active_login.account.key
        self._tabs[account] += 1
        try:
            with self._rules.authenticator.open_tab(authenticated):
                await self._app(authenticated.authenticated_scope(scope), tab.receive, tab.send)
        finally:
            tab.abandon()
            self._tabs[account] -= 1
            if not self._tabs[account]:
                del self._tabs[account]

    def _has_max_tabs(self, authenticated: AuthenticatedRequest) -> bool:
        return self._tabs[authenticated.active_login.account.key] >= MAX_TABS

    def _is_ours(self, connection: HTTPConnection) -> bool:
        return is_same_origin(connection, self._rules.external_url)


def _not_kept(scope: Scope, send: Send) -> Send:
    async def send_not_kept(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            is_page = headers.get("content-type", "").startswith("text/html")
            if is_page or message["status"] != 200 or not scope["path"].startswith(CACHEABLE_PREFIX):
                headers["cache-control"] = "no-store"
        await send(message)

    return send_not_kept


def _is_navigation(connection: HTTPConnection) -> bool:
    """Return whether a browser navigates to a page, as opposed to loading a script or an image."""
    mode = connection.headers.get("sec-fetch-mode")
    if mode:
        return mode == "navigate"
    return "text/html" in connection.headers.get("accept", "")


def _sign_in_address(connection: HTTPConnection) -> str:
    if connection.scope["method"] not in {"GET", "HEAD"}:
        return sign_in_address("/")
    query = connection.scope["query_string"].decode("latin-1")
    path = connection.scope["raw_path"].decode("latin-1")
    return sign_in_address(f"{path}?{query}" if query else path)
