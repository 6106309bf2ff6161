"""A gateway that knows tokens and nothing else: it checks them as the real one does, and counts."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

import bcrypt

BCRYPT_BYTES = 72


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class TokenGateway:
    """Answers status-session, start-session, generate-token and show-all-sessions on a free port."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.accepts_minted = True
        """False: only what generate-token made counts."""
        self.accepts_tokens = True
        """False: no token is good, whatever the secret."""
        self.refused: set[str] = set()
        """Tokens that are no good, though they look right."""
        self.offers_generate = True
        self.hangs_up_on_generate = False
        self.calls: list[tuple[str, int]] = []
        """Last path segment and status of every answer, in order."""
        self.tokens: list[str] = []
        """Every bearer token that was sent."""
        self.targets: list[str] = []
        self._generated: set[str] = set()
        self._lock = threading.Lock()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                gateway._handle(self)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                gateway._handle(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, call: str, status: int | None = None) -> int:
        """Count the answers given."""
        return len([one for one in self.calls if one[0] == call and status in (None, one[1])])

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        segments = [unquote(segment) for segment in handler.path.split("/")[2:]]
        self.targets.append(handler.path)
        call = segments[-1]
        if call == "generate-token" and self.hangs_up_on_generate:
            handler.close_connection = True
            self.calls.append((call, 0))
            return
        status, body = self._answer(call, segments, handler.headers.get("Authorization", ""))
        self.calls.append((call, status))
        data = json.dumps(body).encode() if body is not None else b"<pre>Cannot do that</pre>"
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json" if body is not None else "text/html")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def _answer(self, call: str, segments: list[str], header: str) -> tuple[int, dict[str, Any] | None]:
        if call == "generate-token" and self.offers_generate:
            if segments[1] != self.secret:
                return 400, {"response": False, "message": "The SECRET_KEY is incorrect"}
            token = self._generate(segments[0])
            return 201, {"status": "success", "token": token, "full": f"{segments[0]}:{token}"}
        if call == "show-all-sessions":
            if segments[0] != self.secret:
                return 400, {"response": False, "message": "The token is incorrect"}
            return 200, {"response": ["sales"]}
        if call in ("status-session", "start-session"):
            token = header.removeprefix("Bearer ")
            self.tokens.append(token)
            if not self._accepts(segments[0], token):
                return 401, {"error": "Check that the Session and Token are correct"}
            return 200, {"status": "CLOSED", "qrcode": None}
        return 404, None

    def _generate(self, session: str) -> str:
        hashed = bcrypt.hashpw(self._password(session), bcrypt.gensalt(4)).decode()
        token = hashed.replace("/", "_").replace("+", "-")
        self._generated.add(token)
        return token

    def _accepts(self, session: str, token: str) -> bool:
        if (
            not self.accepts_tokens
            or token in self.refused
            or (not self.accepts_minted and token not in self._generated)
        ):
            return False
        try:
            return bcrypt.checkpw(self._password(session), token.replace("_", "/").replace("-", "+").encode())
        except ValueError:
            return False

    def _password(self, session: str) -> bytes:
        return (session + self.secret).encode()[:BCRYPT_BYTES]
