"""`POST /webhook/<token>`: take the gateway's events as a reason to probe.

Nothing in them is trusted but what the API cannot say of a phone that is being linked: that its code was
used, that the browser with the code is gone, or another pairing code (contract, sections 5 to 7). They decide
only over sessions that wait for a phone.
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
from core.linking_events import LinkingEvent, write_event
from core.logs import register_secret
from core.models import Snapshot, Verdict
from core.store import Store
from core.workers import Workers
from exporter.events import DropReason, Event, EventKind, kind_at_beginning, parse_event
from exporter.own_metrics import OwnMetrics
from exporter.probe_trigger import ProbeSeries

log = logging.getLogger(__name__)

PATH = "/webhook/{token:path}"
PREFIX = "/webhook/"
LIMIT_BYTES = 262_144
"""No event about a connection is a tenth as long; a message with a picture is longer."""

TAKEN = Response(status_code=HTTPStatus.NO_CONTENT)
"""The answer to whatever is read: the gateway does not repeat an event, and only logs a refusal."""


def problem(status: HTTPStatus, hint: str, headers: dict[str, str] | None = None) -> Response:
    """Say in one line what is wrong and what to do."""
    return PlainTextResponse(f"{status.value} {status.phrase}. {hint}\n", status, headers)


NOT_THERE = problem(HTTPStatus.NOT_FOUND, "There is nothing here.")
"""The answer to a wrong token, and to any token when there is no webhook."""


class LinkingEventKeeper:
    """Keeps what events say of phones that are being linked, in a thread of its own: the store is a disk."""

    def __init__(self, store: Store, read_snapshot: Callable[[], Snapshot], *, clock: Now = now) -> None:
        self._store = store
        self._read_snapshot = read_snapshot
        self._clock = clock
        self._workers = Workers(1, "linking-events")

    def keep(self, server: str, session: str, event: Event) -> None:
        """Keep an event of a session that may wait for a phone; returns at once."""
        known = self._read_snapshot().session(server, session)
        if event.linking is None or known is None or known.verdict in _LINKED:
            return
        kind, code, at = event.linking, event.pairing_code, self._clock()
        if code is not None:
            register_secret(code)
        self._workers.submit(lambda: self._write(server, session, kind, at, code))

    def stop(self) -> None:
        """Drop what waits."""
        self._workers.stop()

    def _write(self, server: str, session: str, kind: LinkingEvent, at: datetime, code: str | None) -> None:
        try:
            write_event(self._store, server, session, kind, at=at, code=code)
        except WppconnectError as error:
            log.warning("linking_event_lost server=%s session=%s error=%s", server, session, error)


_LINKED = (Verdict.CONNECTED, Verdict.UNRESPONSIVE, Verdict.PAUSED)
"""Nothing is being linked, so nothing that an event says of it is kept."""


class Webhook:
    """The receiver, an ASGI application.

    `find_monitored` lists the server and session names that an event's session can mean.
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
        """What the path must end in; None: there is no webhook. May be exchanged at any time."""
        self._find_monitored = find_monitored
        self._series = series
        self._own = own
        self._keep = keep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request below the prefix."""
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
        kind: EventKind | None = None
        read = 0
        try:
            async for part in request.stream():
                read += len(part)
                if read > LIMIT_BYTES:
                    return self._too_large()
                if kind is not EventKind.OTHER:
                    body += part
                    kind = kind or kind_at_beginning(bytes(body))
                if kind is EventKind.OTHER:
                    body.clear()  # A message: what is still to come is not kept.
        except ClientDisconnect:
            return TAKEN  # To nobody.
        self._take(bytes(body), kind)
        return TAKEN

    def _take(self, body: bytes, kind: EventKind | None) -> None:
        if kind is EventKind.OTHER:
            self._own.count_received(EventKind.OTHER)
            return
        try:
            event = parse_event(body)
        except ValueError:
            self._own.count_dropped(DropReason.MALFORMED)
            return
        self._own.count_received(event.kind)
        if event.kind is EventKind.OTHER:
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


def _announced_bytes(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdecimal() else 0
