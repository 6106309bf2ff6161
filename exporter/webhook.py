"""`POST /webhook/<token>`: take the gateway's events as hints to look.

Nothing in them is trusted but what the API cannot say of a phone that is being linked: that its code was
used, that the browser with the code is gone, or another pairing code (contract, sections 5 to 7). They decide
only over sessions that wait for a phone.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus

from exporter.events import DropReason, Event, EventKind, kind_at_beginning, parse_event
from exporter.hints import Reprobes
from exporter.messages import Request, Response, problem
from exporter.own_metrics import OwnMetrics

log = logging.getLogger(__name__)

PREFIX = "/webhook/"
LIMIT_BYTES = 262_144
"""No event about a connection is a tenth as long; a message with a picture is longer."""

TAKEN = Response(b"", HTTPStatus.NO_CONTENT)
"""The answer to whatever is read: the gateway does not repeat an event, and only logs a refusal."""

NOT_THERE = problem(HTTPStatus.NOT_FOUND, "There is nothing here.")
"""The answer to a wrong token, and to any token when there is no webhook."""


class Webhook:
    """The receiver; `find_monitored` lists the server and session names that an event's session can mean."""

    def __init__(
        self,
        token: str | None,
        *,
        find_monitored: Callable[[str], Iterable[tuple[str, str]]],
        reprobes: Reprobes,
        own: OwnMetrics,
        keep: Callable[[str, str, Event], None] = lambda _server, _session, _event: None,
    ) -> None:
        self.token = token
        """What the path must end in; None: there is no webhook. May be exchanged at any time."""
        self._find_monitored = find_monitored
        self._reprobes = reprobes
        self._own = own
        self._keep = keep

    async def answer(self, request: Request) -> Response:
        """Answer a request below the prefix."""
        if self.token is None:
            return NOT_THERE
        given = request.path.removeprefix(PREFIX).encode(errors="replace")
        if not hmac.compare_digest(given, self.token.encode()):
            self._own.count_dropped(DropReason.WRONG_TOKEN)
            return NOT_THERE
        if request.method != "POST":
            return problem(HTTPStatus.METHOD_NOT_ALLOWED, "Use POST.", ("allow", "POST"))
        if _announced_bytes(request) > LIMIT_BYTES:
            return self._too_large()
        body = bytearray()
        kind: EventKind | None = None
        read = 0
        while True:
            message = await request.receive()
            if message["type"] != "http.request":
                return TAKEN  # The client is gone, and hears nothing any more.
            part = message.get("body", b"")
            read += len(part)
            if read > LIMIT_BYTES:
                return self._too_large()
            if kind is not EventKind.OTHER:
                body += part
                kind = kind or kind_at_beginning(bytes(body))
            if kind is EventKind.OTHER:
                body.clear()  # Somebody's message: what is still to come is not kept.
            if not message.get("more_body", False):
                break
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
        wanted = [self._reprobes.want(server, session) for server, session in monitored]
        if not any(wanted):
            self._own.count_dropped(DropReason.RATE_LIMITED)

    def _too_large(self) -> Response:
        self._own.count_dropped(DropReason.TOO_LARGE)
        text = f"Events are at most {LIMIT_BYTES} bytes."
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, ("connection", "close"))


def _announced_bytes(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdecimal() else 0
