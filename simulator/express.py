"""Express's behaviour around the handlers: bodies, error pages, ETags (section 1)."""

import base64
import hashlib
import html
import json
import re
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.types import Receive, Scope, Send

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
_TRACE = "<br> &nbsp; &nbsp;at "


@dataclass(frozen=True)
class Response:
    """A complete response."""

    status: int
    content_type: str | None = None
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    data: Any = None
    """The JSON value that `content` encodes, if the handler sent one."""


@dataclass(frozen=True)
class Request:
    """A request as passed to the handlers."""

    method: str
    path: str
    """As sent, percent-encoded."""
    query: dict[str, str]
    headers: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def has_bare_json_type(self) -> bool:
        """Whether the type is exactly `application/json`: the server then re-parses its own response."""
        return self.headers.get("content-type") == "application/json"


class BadRequestError(Exception):
    """A request that Express answers with an error page before any handler runs."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        title = html.escape(f"{name}: {message}").replace("&#x27;", "&#39;")
        trace = f"{title}{_TRACE}JSON.parse (&lt;anonymous&gt;)"
        self.response = error_page(
            status, f"{trace}{_TRACE}&lt;server&gt;/node_modules/body-parser/lib/read.js:146:18"
        )


def json_response(status: int, data: Any) -> Response:
    """Return a JSON response, as `res.json` does."""
    content = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return Response(status, JSON_TYPE, content, data=data)


def error_page(status: int, text: str) -> Response:
    """Return Express's error page. `text` is HTML."""
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n'
        f"<body>\n<pre>{text}</pre>\n</body>\n</html>\n"
    )
    security = {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}
    return Response(status, HTML_TYPE, page.encode(), security)


def not_found(request: Request) -> Response:
    """Return 404, both for an unknown path and for a known path with another method (never 405)."""
    return error_page(404, f"Cannot {request.method} {html.escape(request.path)}")


def etag(content: bytes) -> str:
    """Return the weak ETag that Express computes."""
    digest = base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()[:27]
    return f'W/"{len(content):x}-{digest}"'


def parse_body(content_type: str, content: bytes) -> dict[str, Any]:
    """Return the body's options; none unless it is an object. Invalid or bare JSON raises BadRequestError."""
    kind = content_type.split(";")[0].strip().lower()
    if not content:
        return {}
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True))
    if kind != "application/json":
        return {}
    text = content.decode("utf-8", "replace")
    if re.match(r"\s*[\[{]", text) is None:
        raise BadRequestError(400, "SyntaxError", f"Unexpected token '{text.strip()[:1]}', is not valid JSON")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        position = error.pos if isinstance(error, json.JSONDecodeError) else 0
        message = f"Expected property name or '}}' in JSON at position {position}"
        raise BadRequestError(400, "SyntaxError", message) from None
    return value if isinstance(value, dict) else {}


def decode_segment(segment: str) -> str:
    """Return a decoded path segment. Raise BadRequestError (400) if it is not UTF-8."""
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise BadRequestError(400, "URIError", f"Failed to decode param '{segment}'") from None


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """Return the whole body; None if the client disconnected.

    Raise BadRequestError (413) for one beyond the limit, after reading it to its end.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size <= limit:
            parts.append(part)
        if not message.get("more_body", False):
            break
    if size > limit:
        raise BadRequestError(413, "PayloadTooLargeError", "request entity too large")
    return b"".join(parts)


def parse_request(scope: Scope, body: dict[str, Any]) -> Request:
    """Return the request of an ASGI scope."""
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=dict(parse_qsl(scope["query_string"].decode("latin-1"))),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


async def send_response(request: Request, response: Response, send: Send) -> None:
    """Send the response with the headers that Express adds; 304 if the client's ETag matches."""
    headers = {
        "X-Powered-By": "Express",
        "Access-Control-Allow-Origin": "*",
        "Date": formatdate(usegmt=True),
        "Keep-Alive": "timeout=5",
        **response.headers,
    }
    status, content = response.status, response.content
    if response.data is not None:
        headers["ETag"] = etag(content)
        is_read = request.method in ("GET", "HEAD") and 200 <= status < 300
        if is_read and request.headers.get("if-none-match") == headers["ETag"]:
            status, content = 304, b""
    if status not in (204, 304):
        headers["Content-Length"] = str(len(content))
        if response.content_type is not None:
            headers["Content-Type"] = response.content_type
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": content})
