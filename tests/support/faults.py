"""Faults of a connection or of a response.

`FAULTS` is the table that `docs/reliability.md` shows and `tests/integration/test_fault_matrix.py` runs.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.loopback import Peer, http_answer

MEGABYTE = 1024 * 1024
JSON = "application/json; charset=utf-8"

Respond = Callable[[], bytes]
"""Return the server's own response to the request."""
Serve = Callable[[Peer, Respond], None]


@dataclass(frozen=True)
class Fault:
    """One fault. Of the rest of the fields, one says where it happens."""

    name: str
    serve: Serve | None = None
    """Responds to a request in the server's place."""
    address: str | None = None
    """What the server's name resolves to; "" if it does not resolve, None if it resolves as usual."""
    stalls: bool = False
    """Whether a call ends only with its time budget."""
    clock_seconds: float = 0.0
    """By how much the time of day jumps."""


REFUSING = "127.0.0.2"
"""Nothing listens there."""
FULL = "127.0.0.3"
"""A listener's queue is full there: a connection is neither accepted nor refused."""
NEVER = "never"
"""The lookup of the name does not end."""


def _close(peer: Peer) -> None:
    peer.sock.close()


def _send_part(part: Callable[[bytes], bytes], then: Callable[[Peer], None]) -> Serve:
    """Send a part of the response, and then do something else."""

    def serve(peer: Peer, respond: Respond) -> None:
        peer.send(part(respond()))
        then(peer)

    return serve


def _nothing(_response: bytes) -> bytes:
    return b""


def _half_of_headers(response: bytes) -> bytes:
    return response[: response.index(b"\r\n\r\n") // 2]


def _headers(response: bytes) -> bytes:
    return response.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def _half_of_body(response: bytes) -> bytes:
    head = _headers(response)
    return head + response[len(head) :][: (len(response) - len(head)) // 2]


PARTS: dict[str, Callable[[bytes], bytes]] = {
    "before the headers": _nothing,
    "within the headers": _half_of_headers,
    "before the body": _headers,
    "within the body": _half_of_body,
}


def _drip(part: Callable[[bytes], bytes]) -> Serve:
    def serve(peer: Peer, respond: Respond) -> None:
        response = respond()
        sent = part(response)
        peer.send(sent)
        peer.drip(response[len(sent) :], 1.0)

    return serve


def _send(response: bytes) -> Serve:
    return lambda peer, _respond: peer.send(response)


def _endless(start: bytes, more: bytes) -> Serve:
    """Send without an end, until the client goes."""

    def serve(peer: Peer, _respond: Respond) -> None:
        peer.send(start)
        while True:
            peer.send(more)

    return serve


def _body(change: Callable[[bytes], bytes], *, content_type: str = JSON, headers: str = "") -> Serve:
    """Respond with another body, of the right length."""

    def serve(peer: Peer, respond: Respond) -> None:
        body = respond().partition(b"\r\n\r\n")[2]
        peer.send(http_answer(change(body), content_type=content_type, headers=headers))

    return serve


def _length(text: Callable[[int], str]) -> Serve:
    """Send the whole body under another length, and close."""

    def serve(peer: Peer, respond: Respond) -> None:
        body = respond().partition(b"\r\n\r\n")[2]
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\n{text(len(body))}\r\n\r\n"
        peer.send(head.encode() + body)
        _close(peer)

    return serve


def _before(interim: bytes) -> Serve:
    """Send something before the server's own response."""
    return lambda peer, respond: peer.send(interim + respond())


def status(line: str, body: bytes = b"", *, content_type: str = "text/html", headers: str = "") -> Serve:
    """Respond with another status."""
    return _send(http_answer(body, status=line, content_type=content_type, headers=headers))


def _in_every_field(value: Any) -> Serve:
    """Respond with the server's own fields, each of which holds another value."""
    return _json(lambda known: dict.fromkeys(known, value))


def _in_every_text(text: str) -> Serve:
    """Respond with the server's own fields, each text of which is another text."""
    return _json(lambda known: {key: text if isinstance(one, str) else one for key, one in known.items()})


def _json(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Serve:
    """Respond with other JSON objects; with what is no JSON as the server does."""

    def changed(known: Any) -> Any:
        return [changed(one) for one in known] if isinstance(known, list) else change(known)

    def serve(peer: Peer, respond: Respond) -> None:
        response = respond()
        head, _, body = response.partition(b"\r\n\r\n")
        is_json = JSON.encode() in head
        peer.send(http_answer(json.dumps(changed(json.loads(body))).encode()) if is_json else response)

    return serve


VALUES: dict[str, Any] = {
    "null": None,
    "a flag": True,
    "a negative number": -1,
    "an infinite number": float("inf"),
    "a text": "x",
    "a list": [[]],
    "an object": {"x": {}},
}

FAULTS = (
    Fault("the name does not resolve", address=""),
    Fault("the lookup of the name does not end", address=NEVER, stalls=True),
    Fault("connection refused", address=REFUSING),
    Fault("connection neither accepted nor refused", address=FULL, stalls=True),
    *(Fault(f"closed {stage}", _send_part(part, _close)) for stage, part in PARTS.items()),
    *(Fault(f"reset {stage}", _send_part(part, Peer.reset)) for stage, part in PARTS.items()),
    *(
        Fault(f"silent {stage}", _send_part(part, Peer.wait_until_closed), stalls=True)
        for stage, part in PARTS.items()
    ),
    Fault("one byte of the headers a second", _drip(_nothing), stalls=True),
    Fault("one byte of the body a second", _drip(_headers), stalls=True),
    Fault("`100 Continue` without an end", _endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), stalls=True),
    Fault("a header line without an end", _endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536)),
    Fault("headers without an end", _endless(b"HTTP/1.1 200 OK\r\n", b"X: x\r\n" * 100)),
    Fault("a length that is too long", _length(lambda length: f"Content-Length: {length + 100}")),
    Fault("a length that is too short", _length(lambda length: f"Content-Length: {length // 2}")),
    Fault("a negative length", _length(lambda _length: "Content-Length: -1")),
    Fault("a length that is no number", _length(lambda _length: "Content-Length: many")),
    Fault("no length", _length(lambda _length: "Connection: close")),
    Fault("a chunk whose size is no number", _length(lambda _length: "Transfer-Encoding: chunked")),
    Fault(
        "a gzip bomb of 100 MB",
        _body(lambda _body: gzip.compress(bytes(MEGABYTE)) * 100, headers="Content-Encoding: gzip\r\n"),
    ),
    Fault(
        "a body of 100 MB",
        _endless(
            f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\nContent-Length: {100 * MEGABYTE}\r\n\r\n".encode(),
            b" " * 65536,
        ),
    ),
    Fault("no HTTP", _send(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")),
    Fault("an empty body", _body(_nothing)),
    Fault("an HTML page", _body(lambda _body: b"<html>hello</html>", content_type="text/html")),
    Fault("truncated JSON", _body(lambda body: body[: len(body) // 2])),
    Fault("JSON nested 100,000 times", _body(lambda _body: b"[" * 100_000 + b"]" * 100_000)),
    Fault("a number of 100,000 digits", _body(lambda _body: b'{"status":' + b"9" * 100_000 + b"}")),
    Fault("JSON that is no object", _body(lambda _body: b'"CONNECTED"')),
    *(Fault(f"{kind} in every field", _in_every_field(value)) for kind, value in VALUES.items()),
    Fault("NUL in every text", _in_every_text("CONN\0ECTED")),
    Fault("half a surrogate pair in every text", _in_every_text("\ud83d")),
    Fault("NUL between the bytes", _body(lambda body: body.replace(b":", b":\0"))),
    Fault("invalid UTF-8", _body(lambda body: body.replace(b'":', b'\xff":'))),
    Fault("`100 Continue`, then the response", _before(b"HTTP/1.1 100 Continue\r\n\r\n")),
    Fault("`103 Early Hints`, then the response", _before(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")),
    Fault("`101 Switching Protocols`", _send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")),
    Fault("204", _send(b"HTTP/1.1 204 No Content\r\n\r\n")),
    *(
        Fault(
            f"a redirect, {line.partition(' ')[0]}", status(line, headers="Location: http://x.invalid/\r\n")
        )
        for line in ("301 Moved Permanently", "302 Found", "307 Temporary Redirect")
    ),
    Fault("304", _send(b"HTTP/1.1 304 Not Modified\r\n\r\n")),
    Fault("401 of a proxy", status("401 Unauthorized", headers='WWW-Authenticate: Basic realm="x"\r\n')),
    Fault("403 of a proxy", status("403 Forbidden", b"<html>Forbidden</html>")),
    Fault("404 of a proxy", status("404 Not Found", b"<html>nginx</html>")),
    Fault("429 with `Retry-After: 1`", status("429 Too Many Requests", headers="Retry-After: 1\r\n")),
    Fault("429", status("429 Too Many Requests")),
    Fault("500", status("500 Internal Server Error", b'{"status":"error"}', content_type=JSON)),
    *(Fault(f"{code} of a proxy", status(f"{code} Bad", b"<html>nginx</html>")) for code in (502, 503, 504)),
    Fault("503 with `Retry-After: 1`", status("503 Service Unavailable", headers="Retry-After: 1\r\n")),
    Fault("522 of a CDN", status("522 Origin Timed Out", b"<html>cdn</html>")),
    Fault("a status that is no number", _send(b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n")),
    Fault("the clock is set forward by an hour", clock_seconds=3600.0),
    Fault("the clock is set back by an hour", clock_seconds=-3600.0),
)
