"""Identify WPPConnect Server, or what responds in its place.

Anything may respond: a reverse proxy without its backend, another service, a login page. A status code alone
proves nothing, nor does Express's 404 page, which many servers send. Proof is what only this server sends:
the fields of healthz, the body of its 401, the manager protocol's info (contract, sections 3, 8 and 12).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeGuard

from core.exceptions import NotAGatewayError, ResponseError
from core.gateways.protocol import Health
from core.gateways.wppconnect.contract.answers import (
    ACCESS_REFUSED,
    LONGEST_UPTIME_SECONDS,
    json_object,
)
from core.messages import Message
from core.transport import Answer

TOKEN_REFUSALS = frozenset(
    {
        "Token is not present. Check your header and try again",
        "Check that the Session and Token are correct",
    }
)
"""Section 3. Compared exactly: other services also respond 401 with a `message` or an `error`."""

NO_SUCH_PLACE = frozenset({404, 410, 421})

TLS_WANTED = (
    b"plain HTTP request was sent to HTTPS port",
    b"HTTP request to an HTTPS server",
    b"SSL-enabled",
)
"""Responses of nginx, Go and Apache to a plain request on a TLS port, with status 400."""


def proven_health(answer: Answer) -> Health | None:
    """Parse /healthz; None unless it has the fields that WPPConnect Server sends."""
    body = json_object(answer) if answer.status_code == 200 else None
    if body is None or not isinstance(body.get("message"), str) or not _is_number(body.get("timestamp")):
        return None
    uptime = body.get("uptime")
    # A JSON number may be NaN, infinite or too large for a float, and dates are computed from this one.
    if not _is_number(uptime) or not 0 <= uptime <= LONGEST_UPTIME_SECONDS:
        return None
    return Health(uptime_seconds=float(uptime))


def is_own_refusal(answer: Answer) -> bool:
    """Return whether this is the 401 that WPPConnect Server sends to a request without a token."""
    body = json_object(answer) if answer.status_code == 401 else None
    said = (body or {}).get("message") or (body or {}).get("error")
    return isinstance(said, str) and said.strip().rstrip(".") in TOKEN_REFUSALS


def is_no_own_answer(answer: Answer, path: str) -> bool:
    """Return whether this response to an API path rules out a WPPConnect Server.

    Many Node services have the same fields in healthz. But a service that responds alike to every path sends
    them here, too, and one without the API says so, by Express's page or Nest's JSON. A response that a proxy
    may have sent proves nothing.
    """
    no_such_path = rb"Cannot GET \S*" + re.escape(path.encode())
    says_no_such_path = answer.status_code == 404 and re.search(no_such_path, answer.body) is not None
    return says_no_such_path or proven_health(answer) is not None


def is_manager_info(answer: Answer) -> bool:
    """Return whether this is a response of /api/manager/info."""
    body = json_object(answer) if answer.status_code == 200 else None
    return (
        body is not None
        and _is_number(body.get("protocol"))
        and isinstance(body.get("serverVersion"), str)
        and isinstance(body.get("features"), list)
    )


API_ROUTE = "/api/{session}/check-connection-session"
"""A route of every release that requires a token."""

RELATIVES_ROUTE = "/api/{session}/status-session"
"""A route that wppconnect-server-go also has, with the same 401; it lacks check-connection-session."""

PROOFS: tuple[tuple[str, Callable[[Answer], bool]], ...] = (
    (API_ROUTE, is_own_refusal),
    ("/api/manager/info", is_manager_info),
)
"""Routes to request without a token if /healthz proves nothing, each with the check of its response."""


def not_a_gateway(answers: Sequence[Answer | ResponseError]) -> NotAGatewayError:
    """Return the error for responses none of which is a gateway's; it says what responds there instead."""
    described = [one.explanation if isinstance(one, ResponseError) else describe(one) for one in answers]
    # Prefer any other response to "not routed", which says least.
    known = [one for one in described if one.id != "gateway.not_routed"] or described
    telling = next((one for one in known if one.id == "gateway.not_supported"), known[0])
    first = answers[0]
    detail = "" if isinstance(first, ResponseError) else first.content_type.partition(";")[0]
    return NotAGatewayError(telling, operation=first.operation, detail=detail)


def describe(answer: Answer) -> Message:
    """Return a message about what sends such a response in a gateway's place."""
    status, body = answer.status_code, answer.body.strip()
    is_html = "html" in answer.content_type.lower() or body[:1] == b"<"
    if status == 400 and any(words in body for words in TLS_WANTED):
        return Message("transport.https_on_http")
    if is_own_refusal(answer):
        return Message("gateway.not_supported")
    if json_object(answer) is not None or _is_json(answer):
        return Message.of("gateway.not_json", status=status)
    if is_html and b"Cannot GET " in body and status == 404:
        return Message.of("gateway.not_express", status=status)
    if is_html and b"password" in body.lower() and b"<form" in body.lower():
        return Message("gateway.not_sign_in")
    if status in NO_SUCH_PLACE:
        return Message.of("gateway.not_routed", status=status)
    if status in ACCESS_REFUSED:
        return Message.of("gateway.not_access", status=status)
    if status < 300 and not body:
        return Message("gateway.not_empty")
    if is_html and status < 400:
        return Message.of("gateway.not_page", status=status)
    return Message.of("gateway.not_other", status=status)


def _is_json(answer: Answer) -> bool:
    try:
        answer.json()
    except ResponseError:
        return False
    return True


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
