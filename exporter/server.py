"""What the exporter answers over HTTP: a pure ASGI application that reads Snapshots and does no I/O."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING

from core.clock import Now
from core.clock import now as real_now
from core.models import ServerSnapshot, Snapshot
from core.settings import Timeouts
from exporter.collector import is_stale
from exporter.exposition import Exposition
from exporter.negotiation import accepts_gzip, choose_format

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

log = logging.getLogger(__name__)

PLAIN = "text/plain; charset=utf-8"
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>WPPConnect exporter</title></head>
<body>
<h1>WPPConnect exporter</h1>
<p>Version {version}. It serves what is known about WPPConnect gateways and their sessions.</p>
<ul>
<li><a href="/metrics">/metrics</a>: for Prometheus</li>
<li><a href="/-/healthy">/-/healthy</a>: the process is alive</li>
<li><a href="/-/ready">/-/ready</a>: the metrics are fresh</li>
</ul>
</body>
</html>
"""


@dataclass(frozen=True)
class Response:
    """One answer."""

    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = PLAIN
    headers: tuple[tuple[str, str], ...] = ()


class ExporterApp:
    """The routes. `read_snapshot` and `read_timeouts` are called for each request and must be cheap."""

    def __init__(
        self,
        *,
        read_snapshot: Callable[[], Snapshot],
        read_timeouts: Callable[[], Timeouts],
        exposition: Exposition,
        version: str,
        now: Now = real_now,
    ) -> None:
        self._read_snapshot = read_snapshot
        self._read_timeouts = read_timeouts
        self._exposition = exposition
        self._page = PAGE.format(version=escape(version)).encode()
        self._now = now
        self._routes: dict[str, Callable[[dict[str, str]], Response]] = {
            "/": self._index,
            "/metrics": self._metrics,
            "/-/healthy": self._healthy,
            "/-/ready": self._ready,
        }

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:  # noqa: ARG002
        """Answer one request; its body, if it announces one, is never read."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refused_body = "transfer-encoding" in headers or headers.get("content-length", "0").strip("0") != ""
        try:
            response = self._answer(scope, headers, refused_body=refused_body)
        except Exception:
            log.exception("request_failed path=%s", scope["path"])
            response = _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The log says what went wrong.")
        lines = [
            (b"content-type", response.content_type.encode()),
            (b"content-length", str(len(response.body)).encode()),
            (b"x-content-type-options", b"nosniff"),
            *((name.encode(), value.encode()) for name, value in response.headers),
        ]
        if refused_body:
            # What follows on this connection is the body that nobody reads, not a request.
            lines.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": response.status, "headers": lines})
        body = b"" if scope["method"] == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _answer(self, scope: HTTPScope, headers: dict[str, str], *, refused_body: bool) -> Response:
        route = self._routes.get(scope["path"])
        if route is None:
            return _problem(HTTPStatus.NOT_FOUND, "There is /metrics, /-/healthy and /-/ready.")
        if scope["method"] not in ("GET", "HEAD"):
            return _problem(HTTPStatus.METHOD_NOT_ALLOWED, "Use GET.", ("allow", "GET, HEAD"))
        if refused_body:
            return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Send no body.")
        return route(headers)

    def _index(self, headers: dict[str, str]) -> Response:  # noqa: ARG002
        policy = ("content-security-policy", "default-src 'none'")
        return Response(self._page, content_type="text/html; charset=utf-8", headers=(policy,))

    def _metrics(self, headers: dict[str, str]) -> Response:
        form = choose_format(headers.get("accept", ""))
        zipped = accepts_gzip(headers.get("accept-encoding", ""))
        body = self._exposition.body(
            self._read_snapshot(), self._now(), self._read_timeouts(), form, zipped=zipped
        )
        vary = ("vary", "accept, accept-encoding")
        encoding = (("content-encoding", "gzip"),) if zipped else ()
        return Response(body, content_type=form.value, headers=(vary, *encoding))

    def _healthy(self, headers: dict[str, str]) -> Response:  # noqa: ARG002
        return Response(b"ok\n")

    def _ready(self, headers: dict[str, str]) -> Response:  # noqa: ARG002
        servers = self._read_snapshot().servers
        reasons = [self._why_not_ready(server) for server in servers]
        if not servers or None in reasons:
            return Response(b"ready\n")
        text = "".join(f"{reason}\n" for reason in reasons)
        return Response(text.encode(), HTTPStatus.SERVICE_UNAVAILABLE)

    def _why_not_ready(self, server: ServerSnapshot) -> str | None:
        if is_stale(server, self._now(), self._read_timeouts()):
            return f"{server.server}: nobody has probed it for too long"
        if server.enabled and server.up is None:
            return f"{server.server}: waiting for the first probe"
        return None


def _problem(status: HTTPStatus, hint: str, *headers: tuple[str, str]) -> Response:
    return Response(f"{status.value} {status.phrase}. {hint}\n".encode(), status, headers=headers)
