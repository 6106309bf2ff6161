"""The exporter's HTTP routes (Starlette), which read Snapshots and do no I/O.

Two routes wait without blocking the event loop: `/probe` for a gateway, `/-/reload` for the disk.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from html import escape
from http import HTTPStatus

from prometheus_client.exposition import gzip_accepted
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.clock import Now
from core.clock import now as real_now
from core.models import ServerSnapshot, Snapshot
from core.settings.values import Settings
from exporter.access import Access, Admission
from exporter.collector import is_stale
from exporter.exposition import Exposition, choose_format
from exporter.probe import Prober, budget_seconds, debug_text, probe_body, targets
from exporter.tags import TagLabels
from exporter.webhook import PATH as WEBHOOK_PATH
from exporter.webhook import PREFIX as WEBHOOK_PREFIX
from exporter.webhook import Webhook, problem

log = logging.getLogger(__name__)

HOST = re.compile(r"[A-Za-z0-9._~\[\]:-]{1,255}")
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>WPPConnect exporter</title></head>
<body>
<h1>WPPConnect exporter</h1>
<p>Version {version}. It serves what is known about WPPConnect gateways and their sessions.</p>
<ul>
<li><a href="/metrics">/metrics</a>: for Prometheus</li>
<li><a href="/sd">/sd</a>: the sessions, for Prometheus's HTTP service discovery</li>
<li>/probe?server=...&amp;session=...: one session, asked now; with &amp;debug=true, a log of it</li>
<li><a href="/-/healthy">/-/healthy</a>: the process is alive</li>
<li><a href="/-/ready">/-/ready</a>: the metrics are fresh</li>
</ul>
</body>
</html>
"""
HEALTHY = "/-/healthy"
READY = "/-/ready"
PARAMETERS = 20
"""Maximum number of query parameters; no route has as many."""
FROM_A_BROWSER = frozenset(("origin", "sec-fetch-site"))
"""Headers that every browser sends with a POST, and that no page can suppress."""


class Guard:
    """Authenticates requests by the web configuration and adds its headers to every response."""

    def __init__(self, app: ASGIApp, *, access: Access, paths: frozenset[str]) -> None:
        self._app = app
        self._access = access
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request; close the connection after a body that the route has not read."""
        headers = Headers(scope=scope)
        is_unread = announces_body(headers)

        async def receive_body() -> Message:
            nonlocal is_unread
            message = await receive()
            is_unread = is_unread and message.get("more_body", False)
            return message

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.setdefault("x-content-type-options", "nosniff")
                answer.update(dict(self._access.headers))
                if is_unread:
                    # The unread body follows on this connection, not a request.
                    answer["connection"] = "close"
            await send(message)

        try:
            app = await self._refusal(scope["path"], headers) or self._app
            await app(scope, receive_body if is_unread else receive, send_with_headers)
        except Exception:
            # Do not log the path: it may contain a token, or a mistyped one.
            log.exception("request_failed route=%s", scope["path"] if scope["path"] in self._paths else "-")
            failure = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The log says what went wrong.")
            await failure(scope, receive, send_with_headers)

    async def _refusal(self, path: str, headers: Headers) -> Response | None:
        # Without authentication: the liveness check, as on the page, and the webhook, which is protected by
        # its token, since the gateway supports no other credentials.
        if path == HEALTHY or path.startswith(WEBHOOK_PREFIX):
            return None
        match await self._access.admit(headers.get("authorization")):
            case Admission.REFUSED:
                challenge = {"www-authenticate": 'Basic realm="wppconnect-exporter", charset="UTF-8"'}
                return problem(HTTPStatus.UNAUTHORIZED, "Send a name and password.", challenge)
            case Admission.BUSY:
                return problem(HTTPStatus.SERVICE_UNAVAILABLE, "Try again.", {"retry-after": "5"})
        return None


class NoBody:
    """Rejects requests with a body, for routes that take none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        refusal = problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Send no body.")
        await (refusal if announces_body(Headers(scope=scope)) else self._app)(scope, receive, send)


class ExporterApp:
    """The ASGI application. `read_snapshot` and `read_settings` are called per request and must be cheap.

    `reload` returns the problems of the new settings; None: reloading over HTTP is not allowed.
    """

    def __init__(
        self,
        *,
        read_snapshot: Callable[[], Snapshot],
        read_settings: Callable[[], Settings],
        exposition: Exposition,
        prober: Prober,
        webhook: Webhook,
        access: Access,
        reload: Callable[[], tuple[str, ...]] | None,
        version: str,
        tag_labels: TagLabels | None = None,
        now: Now = real_now,
    ) -> None:
        self._read_snapshot = read_snapshot
        self._read_settings = read_settings
        self._exposition = exposition
        self._tags = tag_labels or TagLabels()
        self._prober = prober
        self._reload = reload
        self._reloading = asyncio.Lock()
        self._next_reload: asyncio.Task[tuple[str, ...]] | None = None
        self._page = PAGE.format(version=escape(version))
        self._now = now
        no_body = [Middleware(NoBody)]
        routes = [
            Route("/metrics", self._metrics, middleware=no_body),
            Route("/probe", self._probe, middleware=no_body),
            Route("/sd", self._discovery, middleware=no_body),
            Route(HEALTHY, self._healthy, middleware=no_body),
            Route(READY, self._ready, middleware=no_body),
            Route("/-/reload", self._reload_settings, methods=["POST", "PUT"], middleware=no_body),
            Route("/", self._index, middleware=no_body),
            Route(WEBHOOK_PATH, webhook),
        ]
        paths = frozenset(route.path for route in routes)
        self._app = Starlette(
            routes=routes,
            middleware=[Middleware(Guard, access=access, paths=paths)],
            exception_handlers={HTTPStatus.METHOD_NOT_ALLOWED: _refuse_method},
        )
        self._app.router.redirect_slashes = False
        self._app.router.default = problem(
            HTTPStatus.NOT_FOUND, "There is /metrics, /probe, /sd, /-/healthy and /-/ready."
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        await self._app(scope, receive, send)

    async def _index(self, request: Request) -> Response:  # noqa: ARG002
        return HTMLResponse(self._page, headers={"content-security-policy": "default-src 'none'"})

    async def _metrics(self, request: Request) -> Response:
        form = choose_format(request.headers.get("accept", ""))
        zipped = gzip_accepted(request.headers.get("accept-encoding", ""))
        settings = self._read_settings()
        body = self._exposition.body(
            self._read_snapshot(),
            self._now(),
            settings.timeouts,
            form,
            tags=self._tags.of(settings),
            zipped=zipped,
        )
        headers = {"vary": "accept, accept-encoding"} | ({"content-encoding": "gzip"} if zipped else {})
        return Response(body, media_type=form.value, headers=headers)

    async def _probe(self, request: Request) -> Response:
        server, session = _parameter(request, "server"), _parameter(request, "session")
        if server is None or session is None:
            return problem(HTTPStatus.BAD_REQUEST, "Name one server and one session: see /sd.")
        seconds = budget_seconds(request.headers.get("x-prometheus-scrape-timeout-seconds"))
        probing = asyncio.create_task(self._prober.probe(server, session, seconds=seconds))
        leaving = asyncio.create_task(_client_left(request))
        await asyncio.wait((probing, leaving), return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if not probing.done():
            probing.cancel()
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "Nobody waits for the answer.")
        result = await probing
        if result is None:
            return problem(HTTPStatus.NOT_FOUND, "No such session is configured: see /sd.")
        if _parameter(request, "debug") == "true":
            return PlainTextResponse(debug_text(result, self._read_settings()))
        form = choose_format(request.headers.get("accept", ""))
        return Response(probe_body(result, form), media_type=form.value, headers={"vary": "accept"})

    async def _discovery(self, request: Request) -> Response:
        # Prometheus can scrape the exporter under the same host name.
        host = request.headers.get("host", "")
        if not HOST.fullmatch(host):
            return problem(HTTPStatus.BAD_REQUEST, "Send a Host header.")
        is_tls = request.scope["scheme"] == "https"
        return JSONResponse(targets(self._read_settings(), host, is_tls=is_tls), headers={"vary": "host"})

    async def _healthy(self, request: Request) -> Response:  # noqa: ARG002
        return PlainTextResponse("ok\n")

    async def _ready(self, request: Request) -> Response:  # noqa: ARG002
        servers = self._read_snapshot().servers
        reasons = [self._why_not_ready(server) for server in servers]
        if not servers or None in reasons:
            return PlainTextResponse("ready\n")
        text = "".join(f"{reason}\n" for reason in reasons)
        return PlainTextResponse(text, HTTPStatus.SERVICE_UNAVAILABLE)

    async def _reload_settings(self, request: Request) -> Response:
        if self._reload is None:
            hint = "Start the exporter with --web.enable-lifecycle, or send it SIGHUP."
            return problem(HTTPStatus.FORBIDDEN, hint)
        if not FROM_A_BROWSER.isdisjoint(request.headers.keys()):
            # Any web page could send it, with the password cached by the browser.
            hint = "A browser may not do this; use curl -X POST, or send SIGHUP."
            return problem(HTTPStatus.FORBIDDEN, hint)
        # Waiting requests share the next reload; one in progress may have read the previous files.
        if self._next_reload is None:
            self._next_reload = asyncio.create_task(self._reload_once(self._reload))
        problems = await asyncio.shield(self._next_reload)
        if problems:
            text = "The old settings stay in force:\n" + "".join(f"  {one}\n" for one in problems)
            return PlainTextResponse(text, HTTPStatus.INTERNAL_SERVER_ERROR)
        return PlainTextResponse("The settings were read anew.\n")

    async def _reload_once(self, reload: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
        async with self._reloading:
            self._next_reload = None
            return await asyncio.to_thread(reload)

    def _why_not_ready(self, server: ServerSnapshot) -> str | None:
        if is_stale(server, self._now(), self._read_settings().timeouts):
            return f"{server.server}: nobody has probed it for too long"
        if server.enabled and server.up is None:
            return f"{server.server}: waiting for the first probe"
        return None


def announces_body(headers: Headers) -> bool:
    """Return whether a body follows the headers."""
    return "transfer-encoding" in headers or headers.get("content-length", "0").strip("0") != ""


async def _refuse_method(request: Request, _error: Exception) -> Response:
    methods = sorted(request.scope["route"].methods)
    allow = {"allow": ", ".join(methods)}
    return problem(HTTPStatus.METHOD_NOT_ALLOWED, f"Use {methods[0]}.", allow)


def _parameter(request: Request, name: str) -> str | None:
    """Return a query parameter that occurs exactly once; otherwise None."""
    query = request.query_params
    values = query.getlist(name)
    return values[0] or None if len(values) == 1 and len(query.multi_items()) <= PARAMETERS else None


async def _client_left(request: Request) -> None:
    """Wait until the client disconnects; for requests without a body."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
