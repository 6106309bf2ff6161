"""What the exporter answers over HTTP: a pure ASGI application that reads Snapshots and does no I/O.

Two routes wait, neither in the event loop's time: `/probe` for somebody's look at a gateway, `/-/reload` for
the disk.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING

from core.clock import Now
from core.clock import now as real_now
from core.models import ServerSnapshot, Snapshot
from core.settings.values import Settings
from exporter.access import Access
from exporter.basic_auth import Admission
from exporter.collector import is_stale
from exporter.discovery import discovery_json
from exporter.exposition import Exposition
from exporter.messages import Request, Response, problem
from exporter.negotiation import accepts_gzip, choose_format
from exporter.probe_exposition import probe_body
from exporter.probing import Prober, budget_seconds
from exporter.webhook import PREFIX as WEBHOOK_PREFIX
from exporter.webhook import Webhook

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

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
<li>/probe?server=...&amp;session=...: one session, asked now</li>
<li><a href="/-/healthy">/-/healthy</a>: the process is alive</li>
<li><a href="/-/ready">/-/ready</a>: the metrics are fresh</li>
</ul>
</body>
</html>
"""
READ = ("GET", "HEAD")
WRITE = ("POST", "PUT")
FROM_A_BROWSER = frozenset(("origin", "sec-fetch-site"))
"""Headers that every browser sends with a POST, and no page can suppress."""

Route = Callable[[Request], Awaitable[Response]]


class ExporterApp:
    """The routes. `read_snapshot` and `read_settings` are called for each request and must be cheap.

    `reload` returns what is wrong with the new settings; None: it is not allowed over HTTP.
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
        now: Now = real_now,
    ) -> None:
        self._read_snapshot = read_snapshot
        self._read_settings = read_settings
        self._exposition = exposition
        self._prober = prober
        self._webhook = webhook
        self._access = access
        self._reload = reload
        self._reloading = asyncio.Lock()
        self._next_reload: asyncio.Task[tuple[str, ...]] | None = None
        self._page = PAGE.format(version=escape(version)).encode()
        self._now = now
        self._routes: dict[str, tuple[tuple[str, ...], Route]] = {
            "/": (READ, self._index),
            "/metrics": (READ, self._metrics),
            "/probe": (READ, self._probe),
            "/sd": (READ, self._discovery),
            "/-/healthy": (READ, self._healthy),
            "/-/ready": (READ, self._ready),
            "/-/reload": (WRITE, self._reload_settings),
        }

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answer one request; a body that a route does not read ends the connection."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request = Request(scope, headers, receive)
        is_read = False
        try:
            if request.path.startswith(WEBHOOK_PREFIX):
                # Open to everybody with the token: the gateway knows no other credentials.
                response = await self._webhook.answer(request)
                is_read = response.status is HTTPStatus.NO_CONTENT
            else:
                response = await self._answer(request)
        except Exception:
            # Not the path: it may hold a token, or almost one.
            log.exception("request_failed route=%s", request.path if request.path in self._routes else "-")
            response = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The log says what went wrong.")
        lines = dict(response.headers) | dict(self._access.headers)
        lines.setdefault("x-content-type-options", "nosniff")
        if response.status is not HTTPStatus.NO_CONTENT:
            lines |= {"content-type": response.content_type, "content-length": str(len(response.body))}
        if request.announces_body and not is_read:
            # What follows on this connection is the body that nobody reads, not a request.
            lines["connection"] = "close"
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": encoded})
        body = b"" if request.method == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _answer(self, request: Request) -> Response:
        # Open to everybody, as the page's is: it says nothing but that the process is alive.
        if request.path != "/-/healthy":
            match await self._access.admit(request.headers.get("authorization")):
                case Admission.REFUSED:
                    challenge = ("www-authenticate", 'Basic realm="wppconnect-exporter", charset="UTF-8"')
                    return problem(HTTPStatus.UNAUTHORIZED, "Send a name and password.", challenge)
                case Admission.BUSY:
                    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "Try again.", ("retry-after", "5"))
        if request.path not in self._routes:
            return problem(HTTPStatus.NOT_FOUND, "There is /metrics, /probe, /sd, /-/healthy and /-/ready.")
        methods, route = self._routes[request.path]
        if request.method not in methods:
            text = f"Use {methods[0]}."
            return problem(HTTPStatus.METHOD_NOT_ALLOWED, text, ("allow", ", ".join(methods)))
        if request.announces_body:
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Send no body.")
        return await route(request)

    async def _index(self, request: Request) -> Response:  # noqa: ARG002
        policy = ("content-security-policy", "default-src 'none'")
        return Response(self._page, content_type="text/html; charset=utf-8", headers=(policy,))

    async def _metrics(self, request: Request) -> Response:
        form = choose_format(request.headers.get("accept", ""))
        zipped = accepts_gzip(request.headers.get("accept-encoding", ""))
        timeouts = self._read_settings().timeouts
        body = self._exposition.body(self._read_snapshot(), self._now(), timeouts, form, zipped=zipped)
        vary = ("vary", "accept, accept-encoding")
        encoding = (("content-encoding", "gzip"),) if zipped else ()
        return Response(body, content_type=form.value, headers=(vary, *encoding))

    async def _probe(self, request: Request) -> Response:
        server, session = request.parameter("server"), request.parameter("session")
        if server is None or session is None:
            return problem(HTTPStatus.BAD_REQUEST, "Name one server and one session: see /sd.")
        seconds = budget_seconds(request.headers.get("x-prometheus-scrape-timeout-seconds"))
        asking = asyncio.create_task(self._prober.probe(server, session, seconds=seconds))
        leaving = asyncio.create_task(request.client_left())
        await asyncio.wait((asking, leaving), return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if not asking.done():
            asking.cancel()
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "Nobody waits for the answer.")
        result = await asking
        if result is None:
            return problem(HTTPStatus.NOT_FOUND, "No such session is configured: see /sd.")
        form = choose_format(request.headers.get("accept", ""))
        return Response(probe_body(result, form), content_type=form.value, headers=(("vary", "accept"),))

    async def _discovery(self, request: Request) -> Response:
        # The name under which Prometheus found us is the one under which it can scrape us.
        host = request.headers.get("host", "")
        if not HOST.fullmatch(host):
            return problem(HTTPStatus.BAD_REQUEST, "Send a Host header.")
        body = discovery_json(self._read_settings(), host, is_tls=request.scope["scheme"] == "https")
        return Response(body, content_type="application/json", headers=(("vary", "host"),))

    async def _healthy(self, request: Request) -> Response:  # noqa: ARG002
        return Response(b"ok\n")

    async def _ready(self, request: Request) -> Response:  # noqa: ARG002
        servers = self._read_snapshot().servers
        reasons = [self._why_not_ready(server) for server in servers]
        if not servers or None in reasons:
            return Response(b"ready\n")
        text = "".join(f"{reason}\n" for reason in reasons)
        return Response(text.encode(), HTTPStatus.SERVICE_UNAVAILABLE)

    async def _reload_settings(self, request: Request) -> Response:
        if self._reload is None:
            hint = "Start the exporter with --web.enable-lifecycle, or send it SIGHUP."
            return problem(HTTPStatus.FORBIDDEN, hint)
        if not FROM_A_BROWSER.isdisjoint(request.headers):
            # Any page that somebody looks at could send it, with the password that the browser remembers.
            hint = "A browser may not do this; use curl -X POST, or send SIGHUP."
            return problem(HTTPStatus.FORBIDDEN, hint)
        # Who asks while others wait shares their reload; one that has begun may have read what was before.
        if self._next_reload is None:
            self._next_reload = asyncio.create_task(self._reload_once(self._reload))
        problems = await asyncio.shield(self._next_reload)
        if problems:
            text = "The old settings stay in force:\n" + "".join(f"  {one}\n" for one in problems)
            return Response(text.encode(), HTTPStatus.INTERNAL_SERVER_ERROR)
        return Response(b"The settings were read anew.\n")

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
