"""Send a request within its deadline and size limit, and convert failures into our errors."""

from __future__ import annotations

import http.client
import json
import logging
import math
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

from core.clock import Now
from core.clock import now as real_now
from core.exceptions import (
    RequestTimeoutError,
    ResponseError,
    RetryLaterError,
    TransportError,
    WppconnectError,
)
from core.messages import Message
from core.transport.answer import Answer
from core.transport.call_limiter import IN_FLIGHT, CallLimiter, CallSlot
from core.transport.connections import Adapter, Call, Request
from core.transport.errors import FOREIGN, Fault, map_exception
from core.transport.retry_after import retry_after_seconds
from core.transport.watchdog import WATCHDOG

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 2 * 1024 * 1024
"""The largest real response is a picture of 8 kB; a list of 40,000 sessions would still fit."""

RETRY_PAUSE_SECONDS = (0.05, 0.25)

REDIRECTS = frozenset({301, 302, 303, 307, 308})

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Transport:
    """HTTP transport to one gateway. Thread-safe; `close` also ends the calls in progress."""

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout_seconds: float,
        proxy: str | None,
        user_agent: str,
        slot: CallSlot | None = None,
        now: Now = real_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._base_url = base_url.rstrip("/")
        self._base_path = urlsplit(self._base_url).path
        self._connect_timeout_seconds = connect_timeout_seconds
        self._headers = {"User-Agent": user_agent, "Accept": "*/*"}
        self._slot = slot or CallSlot(CallLimiter())
        self._calls: set[Call] = set()
        self._adapter = Adapter(self._base_url, proxy, IN_FLIGHT)
        for name in ("urllib3.connectionpool", "urllib3.connection"):
            # Their records contain the URL; failures are reported by our errors and our own log.
            logging.getLogger(name).addFilter(_drop)

    def request(
        self,
        method: str,
        route: str,
        *,
        path: Mapping[str, str],
        operation: str,
        timeout_seconds: float,
        headers: Mapping[str, str] | None = None,
        json_body: Mapping[str, Any] | list[Any] | None = None,
        session: str | None = None,
        takes_place: bool = True,
        budgets: Mapping[str, int] | None = None,
        scope: str = "",
    ) -> Answer:
        """Send a request and return its complete response, 4xx and 5xx included, within `timeout_seconds`.

        The timeout covers everything: waiting for one of the concurrent calls to end, connecting, a retry,
        and reading to the last byte. `route` is a template such as "/api/{session}/status-session", filled
        from `path`. A GET is retried once if its connection was closed; a POST never, because the gateway
        may have acted on it. With `takes_place` False the call does not count as concurrent: it costs the
        gateway nothing while it waits for the user. `budgets` maps names to requests per minute;
        `scope` names routes with a rate limit of their own: a pause that one requests does not block others.

        Raise ConnectError, RequestTimeoutError or ResponseError, and TransportError after `close`. Raise
        RetryLaterError for 429 and for 503 with Retry-After, then without sending until that time is over,
        and while a budget is used up.
        """
        began = time.monotonic()
        deadline = began + timeout_seconds
        errors = _Errors(operation, session, f"{method} {route}")
        left_alone_seconds = self._slot.left_alone_seconds(scope)
        if left_alone_seconds:
            raise errors.retry_later("transport.left_alone", left_alone_seconds)
        used_up_seconds = self._slot.spend(budgets) if budgets else 0.0
        if used_up_seconds:
            raise errors.retry_later("transport.share_used_up", used_up_seconds)
        if takes_place and not self._slot.take(timeout_seconds):
            raise errors.closed() if self._slot.closed else errors.queue_full()
        try:
            outcome = self._send(method, route, path, headers, json_body, deadline, errors)
        finally:
            if takes_place:
                self._slot.give_back()
        if isinstance(outcome, WppconnectError):
            log.debug("request_failed route=%r error=%s", errors.route, type(outcome).__name__)
            raise outcome
        status_code, headers_got, body = outcome
        log.debug(
            "request route=%r status=%d seconds=%.3f", errors.route, status_code, time.monotonic() - began
        )
        if status_code == 429 or (status_code == 503 and "Retry-After" in headers_got):
            seconds = retry_after_seconds(headers_got.get("Retry-After"), self._now())
            self._slot.leave_alone(scope, seconds)
            raise errors.retry_later(
                "transport.too_many_requests" if status_code == 429 else "transport.busy", seconds
            )
        content_type, rate_limit = headers_got.get("Content-Type", ""), headers_got.get("RateLimit", "")
        return Answer(status_code, content_type, body, operation, session, rate_limit)

    def close(self) -> None:
        """Close all connections; calls in progress and later calls raise TransportError."""
        self._slot.close()
        for call in list(self._calls):
            call.cut()
        self._adapter.close()

    def _send(
        self,
        method: str,
        route: str,
        path: Mapping[str, str],
        headers: Mapping[str, str] | None,
        json_body: Mapping[str, Any] | list[Any] | None,
        deadline: float,
        errors: _Errors,
    ) -> tuple[int, Mapping[str, str], bytes] | WppconnectError:
        # Errors are returned, not raised: raised inside the handler of a foreign exception, they would carry
        # it, and with it the URL, as their context.
        try:
            request = self._prepare(method, route, path, headers, json_body)
        except ValueError as error:
            return errors.fault(*map_exception(error))
        outcome = self._attempt(request, deadline, errors)
        if isinstance(outcome, _Lost) and method == "GET":
            pause_seconds = random.uniform(*RETRY_PAUSE_SECONDS)  # noqa: S311 - jitter, no secret
            if time.monotonic() + pause_seconds < deadline:
                self._sleep(pause_seconds)
                outcome = self._attempt(request, deadline, errors, fresh=True)
        return outcome.error if isinstance(outcome, _Lost) else outcome

    def _prepare(
        self,
        method: str,
        route: str,
        path: Mapping[str, str],
        headers: Mapping[str, str] | None,
        json_body: Mapping[str, Any] | list[Any] | None,
    ) -> Request:
        # No `requests.Session`: it costs more CPU than sending, and reads proxies, netrc and CA bundles from
        # the environment. No Content-Type on a GET: with "application/json" the gateway's /healthz never
        # answers (section 8, H5). No conditional headers: they lead to an empty 304.
        target = _PLACEHOLDER.sub(lambda name: _segment(path[name[1]]), route)
        request = Request()
        request.method = method
        request.url = self._base_url + target
        request.target = self._base_path + target
        sent = self._headers | dict(headers or {})
        if json_body is not None:
            request.body = json.dumps(json_body).encode()
            sent |= {"Content-Type": "application/json", "Content-Length": str(len(request.body))}
        # urllib3 only copies and iterates them: a dict suffices, at a tenth of the cost of requests's class.
        request.headers = sent  # type: ignore[assignment]
        return request

    def _attempt(
        self, request: Request, deadline: float, errors: _Errors, *, fresh: bool = False
    ) -> tuple[int, Mapping[str, str], bytes] | WppconnectError | _Lost:
        now = time.monotonic()
        left = deadline - now
        if left <= 0:
            return errors.queue_full()
        connect_seconds = min(self._connect_timeout_seconds, left)
        call = Call(deadline, now + connect_seconds, fresh=fresh)
        self._calls.add(call)
        WATCHDOG.watch(call)
        fault: Fault | None = None
        response = None
        try:
            response = self._adapter.send_for(
                call, request, connect_seconds=connect_seconds, read_seconds=left
            )
            try:
                body = _read(response.raw)
            finally:
                # Close the connection unless the body was read to its end, and return it to the pool.
                response.raw.close()
                response.raw.release_conn()
        except FOREIGN as error:
            fault, name = map_exception(error)
            if fault.lost and response is None:
                fault = replace(fault, message_id="transport.closed_at_once")
        finally:
            WATCHDOG.forget(call)
            self._calls.discard(call)
            call.end()
        if self._slot.closed:
            return errors.closed()
        # A connection that we cut looks like one that the gateway closed, or even like a complete response.
        if call.overdue and (fault is None or fault.connected):
            return errors.timed_out("cut off")
        if fault is not None:
            hurried = not fault.connected and connect_seconds < self._connect_timeout_seconds / 2
            if hurried and time.monotonic() >= deadline:
                # Most of the timeout was spent in the queue: this says nothing about the gateway.
                return errors.queue_full()
            problem = errors.fault(fault, name)
            return _Lost(problem) if fault.lost else problem
        assert response is not None  # noqa: S101 - there is a fault otherwise
        if len(body) > MAX_BODY_BYTES:
            return errors.unreadable(Message.of("transport.too_large", bytes=MAX_BODY_BYTES))
        if response.status_code in REDIRECTS:
            # Never follow a redirect: it would send the token to any address.
            return errors.unreadable(Message.of("transport.redirected", status=response.status_code))
        return response.status_code, response.headers, body


@dataclass(frozen=True)
class _Lost:
    """The connection was closed before the response was complete; a GET may be retried."""

    error: WppconnectError


@dataclass(frozen=True)
class _Errors:
    """Factory for the errors of one request; none of them contains a URL."""

    operation: str
    session: str | None
    route: str

    def fault(self, fault: Fault, name: str) -> WppconnectError:
        return self._error(fault.error, Message(fault.message_id), f"{self.route}: {name}")

    def timed_out(self, why: str) -> WppconnectError:
        return self._error(RequestTimeoutError, Message("transport.timeout"), f"{self.route}: {why}")

    def queue_full(self) -> WppconnectError:
        return self._error(RequestTimeoutError, Message("transport.queue_full"), self.route)

    def retry_later(self, message_id: str, seconds: float) -> RetryLaterError:
        return RetryLaterError(
            Message(message_id, {"seconds": math.ceil(seconds)}),
            retry_after_seconds=seconds,
            operation=self.operation,
            session=self.session,
            detail=self.route,
        )

    def unreadable(self, message: Message) -> WppconnectError:
        return self._error(ResponseError, message, self.route)

    def closed(self) -> WppconnectError:
        return self._error(TransportError, Message("transport.closed_here"), self.route)

    def _error(self, kind: type[WppconnectError], message: Message, detail: str) -> WppconnectError:
        return kind(message, operation=self.operation, session=self.session, detail=detail)


def _read(raw: Any) -> bytes:
    """Read a body to its end, or to one byte beyond the size limit."""
    body = b""
    # Read until an empty chunk: only that distinguishes a complete body from a truncated one.
    while chunk := raw.read(MAX_BODY_BYTES + 1 - len(body), decode_content=False):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            break
    if not body and raw.status < 300 and raw.length_remaining is None and not raw.chunked:
        # http.client takes the end of a connection within the headers for the end of the headers. A refusal
        # needs no body.
        raise http.client.IncompleteRead(body)
    return body


def _segment(value: str) -> str:
    # Clients and proxies collapse "." and ".." segments, and `quote` does not escape dots.
    return quote(value, safe="") if value.strip(".") else value.replace(".", "%2E")


def _drop(_: logging.LogRecord) -> bool:
    return False
