"""Faults on demand: responses that no recording contains but that a client must survive."""

import asyncio
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from starlette.types import Send

from simulator.express import HTML_TYPE, JSON_TYPE, Response, error_page, json_response

_HUGE_CHUNK = b"x" * 65536
_HUGE_CHUNKS = 400  # 26 MB
_ELSEWHERE = "http://elsewhere.invalid/"


class FaultKind(StrEnum):
    """The kind of a fault."""

    HTML = "html"
    """200 with an HTML error page."""
    NO_STATUS = "no_status"
    """`status` is missing."""
    NULL_STATUS = "null_status"
    STATUS_WORD = "status_word"
    """`status` is the fault's `word`."""
    NO_RESPONSE = "no_response"
    """`response` is missing, as in show-all-sessions after a store failure (section 4)."""
    SERVER_ERROR = "server_error"
    """500, JSON, `status` is "error"."""
    SLOW_HEADERS = "slow_headers"
    """Header bytes arrive one by one, without an end."""
    SLOW_BODY = "slow_body"
    """Body bytes arrive one by one, without an end."""
    HUGE_BODY = "huge_body"
    """More than 20 MB."""
    CLOSE = "close"
    """The connection is closed without a byte."""
    HANG = "hang"
    """No response is ever sent."""
    REDIRECT = "redirect"
    """302 to another host."""
    LAUNCH_ERROR = "launch_error"
    """The session's browser does not start."""
    LAUNCH_TIMEOUT = "launch_timeout"
    """The session's browser does not start in time."""
    SPURIOUS_DISCONNECT = "spurious_disconnect"
    """A first pairing reports a wrong disconnectedMobile (section 6)."""
    SYNC_FAILURE = "sync_failure"
    """The link fails after the phone accepted the code."""
    PASSKEY = "passkey"
    """WhatsApp requires a passkey in the browser after the code was used, and sends no event (section 13)."""
    SILENT_CODE_ROTATION = "silent_code_rotation"
    """A pairing code is replaced without an event."""
    LID_ACCOUNT = "lid_account"
    """The account has an identity `...@lid` instead of a telephone number in the gateway's responses."""


PROFILE_KINDS = frozenset(
    {
        FaultKind.LAUNCH_ERROR,
        FaultKind.LAUNCH_TIMEOUT,
        FaultKind.SPURIOUS_DISCONNECT,
        FaultKind.SYNC_FAILURE,
        FaultKind.PASSKEY,
        FaultKind.SILENT_CODE_ROTATION,
        FaultKind.LID_ACCOUNT,
    }
)
"""Kinds that concern a session's browser or account instead of a response."""
_RESPONSE_KINDS = frozenset(
    {FaultKind.NO_STATUS, FaultKind.NULL_STATUS, FaultKind.STATUS_WORD, FaultKind.NO_RESPONSE}
)


@dataclass(frozen=True)
class Fault:
    """One fault. Without `session` or `endpoint` it applies to all of them."""

    kind: FaultKind
    session: str | None = None
    endpoint: str | None = None
    """The last word of the route, such as `status-session` or `healthz`."""
    word: str = "WEIRD"

    @property
    def modifies_response(self) -> bool:
        """Whether the request is handled and only its response is changed."""
        return self.kind in _RESPONSE_KINDS

    def applies_to(self, session: str | None, endpoint: str | None) -> bool:
        """Return whether the fault applies to a request."""
        return (
            self.kind not in PROFILE_KINDS
            and self.session in (None, session)
            and self.endpoint in (None, endpoint)
        )

    def modify(self, response: Response) -> Response:
        """Return the response with its fault; one that is not a JSON object unchanged."""
        if not isinstance(response.data, dict):
            return response
        data: dict[str, Any] = dict(response.data)
        match self.kind:
            case FaultKind.NO_STATUS:
                data.pop("status", None)
            case FaultKind.NULL_STATUS:
                data["status"] = None
            case FaultKind.STATUS_WORD:
                data["status"] = self.word
            case FaultKind.NO_RESPONSE:
                data.pop("response", None)
        return json_response(response.status, data)

    def replacement(self) -> Response | None:
        """Return the response to send instead; None for the kinds that `run_connection_fault` handles."""
        match self.kind:
            case FaultKind.HTML:
                page = error_page(200, "Bad gateway")
                return Response(200, HTML_TYPE, page.content)
            case FaultKind.SERVER_ERROR:
                return json_response(500, {"status": "error", "message": "Simulated failure"})
            case FaultKind.REDIRECT:
                return Response(302, headers={"Location": _ELSEWHERE})
        return None


async def run_connection_fault(
    kind: FaultKind, transport: asyncio.Transport, send: Send, drip_seconds: float
) -> None:
    """Run a fault of the connection. One without an end is cancelled when the client disconnects."""
    match kind:
        case FaultKind.CLOSE:
            transport.abort()
        case FaultKind.SLOW_HEADERS:
            # Bypasses the HTTP library, which writes only complete headers.
            transport.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            while True:
                await asyncio.sleep(drip_seconds)
                transport.write(b"x")
        case FaultKind.SLOW_BODY:
            await _send_head(send)
            await send({"type": "http.response.body", "body": b'{"status":"', "more_body": True})
            while True:
                await asyncio.sleep(drip_seconds)
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
        case FaultKind.HUGE_BODY:
            await _send_head(send)
            await send({"type": "http.response.body", "body": b'{"status":"', "more_body": True})
            for _ in range(_HUGE_CHUNKS):
                await send({"type": "http.response.body", "body": _HUGE_CHUNK, "more_body": True})
            await send({"type": "http.response.body", "body": b'"}'})
        case _:
            await asyncio.Future[None]()


async def _send_head(send: Send) -> None:
    headers = [(b"content-type", JSON_TYPE.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


class Faults:
    """The active faults."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Activate a fault. The latest one that applies to a request counts."""
        self._faults.insert(0, fault)

    def clear(self) -> None:
        """Deactivate all faults."""
        self._faults.clear()

    def find(self, session: str | None, endpoint: str | None) -> Fault | None:
        """Return the fault of a request, or None."""
        return next((fault for fault in self._faults if fault.applies_to(session, endpoint)), None)

    def as_json(self) -> list[dict[str, Any]]:
        """Return the faults for the control API."""
        return [json.loads(json.dumps(vars(fault))) for fault in self._faults]
