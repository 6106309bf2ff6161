"""`POST /webhook/<token>`: probe sessions on events of the gateway.

Events are only hints, except for facts about linking a phone that the API lacks: the code was used, the
browser with the code is gone, or there is another pairing code (contract, sections 5 to 7). These only
affect sessions that wait for a phone.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from core.clock import Now, now
from core.exceptions import WppconnectError
from core.gateways.protocol import OTHER_EVENT, Event, EventFormat
from core.gateways.registry import event_formats
from core.linking_events import LinkingEvent, write_event
from core.logs import register_secret
from core.models import Snapshot, Verdict
from core.store import Store
from core.workers import Workers
from exporter.own_metrics import DropReason, OwnMetrics
from exporter.probe_trigger import ProbeSeries

log = logging.getLogger(__name__)

PATH = "/webhook/{token:path}"
PREFIX = "/webhook/"
LIMIT_BYTES = 262_144
"""Events about a connection are less than a tenth as long; a message with a picture is longer."""

TAKEN = Response(status_code=HTTPStatus.NO_CONTENT)
"""Response to every event read: the gateway does not repeat events, and only logs errors."""


def problem(status: HTTPStatus, hint: str, headers: dict[str, str] | None = None) -> Response:
    """Return a plain-text response with the status and a hint in one line."""
    return PlainTextResponse(f"{status.value} {status.phrase}. {hint}\n", status, headers)


NOT_THERE = problem(HTTPStatus.NOT_FOUND, "There is nothing here.")
"""Response to a wrong token, and to any token while webhooks are disabled."""


class LinkingEventKeeper:
    """Stores events about linking a phone, in a separate thread, since the store writes to disk."""

    def __init__(self, store: Store, read_snapshot: Callable[[], Snapshot], *, clock: Now = now) -> None:
        self._store = store
        self._read_snapshot = read_snapshot
        self._clock = clock
        self._workers = Workers(1, "linking-events")

    def keep(self, server: str, session: str, event: Event) -> None:
        """Store an event of a session that may be waiting for a phone; return at once."""
        known = self._read_snapshot().session(server, session)
        if event.linking is None or known is None or known.verdict in _LINKED:
            return
        kind, code, at = event.linking, event.pairing_code, self._clock()
        if code is not None:
            register_secret(code)
        self._workers.submit(lambda: self._write(server, session, kind, at, code))

    def stop(self) -> None:
        """Drop queued events."""
        self._workers.stop()

    def _write(self, server: str, session: str, kind: LinkingEvent, at: datetime, code: str | None) -> None:
        try:
            write_event(self._store, server, session, kind, at=at, code=code)
        except WppconnectError as error:
            log.warning("linking_event_lost server=%s session=%s error=%s", server, session, error)


_LINKED = (Verdict.CONNECTED, Verdict.UNRESPONSIVE, Verdict.PAUSED)
"""Verdicts in which no phone is being linked, so that linking events are ignored."""


class Webhook:
    """The webhook receiver, an ASGI application.

    `find_monitored` returns the (server, session) pairs that an event's session name can refer to.
    """

    def __init__(
        self,
        token: str | None,
        *,
        find_monitored: Callable[[str], Iterable[tuple[str, str]]],
        series: ProbeSeries,
        own: OwnMetrics,
        keep: Callable[[str, str, Event], None] = lambda _server, _session, _event: None,
    ) -> None:
        self.token = token
        """Token at the end of the path; None: webhooks are disabled. May be replaced at any time."""
        self._find_monitored = find_monitored
        self._series = series
        self._own = own
        self._keep = keep
        self._formats = event_formats()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request below the prefix."""
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if self.token is None:
            return NOT_THERE
        given = request.path_params["token"].encode(errors="replace")
        if not hmac.compare_digest(given, self.token.encode()):
            self._own.count_dropped(DropReason.WRONG_TOKEN)
            return NOT_THERE
        if request.method != "POST":
            return problem(HTTPStatus.METHOD_NOT_ALLOWED, "Use POST.", {"allow": "POST"})
        if _announced_bytes(request) > LIMIT_BYTES:
            return self._too_large()
        body = bytearray()
        kind: str | None = None
        read = 0
        try:
            async for part in request.stream():
                read += len(part)
                if read > LIMIT_BYTES:
                    return self._too_large()
                if kind != OTHER_EVENT:
                    body += part
                    kind = kind or kind_at_beginning(self._formats, bytes(body))
                if kind == OTHER_EVENT:
                    body.clear()  # Keep nothing of a message.
        except ClientDisconnect:
            return TAKEN  # Never sent: the client has disconnected.
        self._take(bytes(body), kind)
        return TAKEN

    def _take(self, body: bytes, kind: str | None) -> None:
        if kind == OTHER_EVENT:
            self._own.count_received(OTHER_EVENT)
            return
        try:
            event = parse_event(self._formats, body)
        except ValueError:
            self._own.count_dropped(DropReason.MALFORMED)
            return
        self._own.count_received(event.kind)
        if event.kind == OTHER_EVENT:
            return
        if event.session is None:
            self._own.count_dropped(DropReason.WITHOUT_SESSION)
            return
        monitored = list(self._find_monitored(event.session))
        if not monitored:
            self._own.count_dropped(DropReason.NOT_MONITORED)
            return
        log.debug("event_received kind=%s session=%s", event.kind, monitored[0][1])
        if event.linking is not None:
            for server, session in monitored:
                self._keep(server, session, event)
        started = [self._series.start(server, session) for server, session in monitored]
        if not any(started):
            self._own.count_dropped(DropReason.RATE_LIMITED)

    def _too_large(self) -> Response:
        self._own.count_dropped(DropReason.TOO_LARGE)
        text = f"Events are at most {LIMIT_BYTES} bytes."
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, {"connection": "close"})


def kind_at_beginning(formats: Iterable[EventFormat], beginning: bytes) -> str | None:
    """Return an event's kind from its first bytes; None while they may not contain it.

    The path does not name the gateway, so that each format is tried.
    """
    kinds = {one.kind_at_beginning(beginning) for one in formats}
    return next(iter(kinds - {None, OTHER_EVENT}), None if None in kinds else OTHER_EVENT)


def parse_event(formats: Iterable[EventFormat], body: bytes) -> Event:
    """Parse a complete event by the first format that knows its kind. Raises ValueError."""
    events = (one.parse(body) for one in formats)
    return next((event for event in events if event.kind != OTHER_EVENT), Event(OTHER_EVENT))


def _announced_bytes(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdecimal() else 0
