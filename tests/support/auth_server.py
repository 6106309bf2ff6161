"""A tiny authentication server that answers as oauth2-proxy does, to proxies that ask about each request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, quote, urlsplit

COOKIE = "sso"


@dataclass
class AuthServer:
    """Whom it knows, by the cookie; who is taken out is nobody from the next request on."""

    port: int
    people: dict[str, tuple[str, str]] = field(default_factory=dict)
    """E-mail address and groups."""


@contextmanager
def auth_server() -> Iterator[AuthServer]:
    """Run it until the block ends."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            sent = SimpleCookie(self.headers.get("cookie", "")).get(COOKIE)
            known = there.people.get(sent.value) if sent else None
            if parts.path == "/oauth2/auth":
                self.judge(known)
            elif parts.path == "/oauth2/sign_in":
                # The whole address comes in a header: in a query, "&" would cut it short.
                back = quote(self.headers.get("x-auth-request-redirect", "/"), safe="")
                self.say(403, f'<h1>Who are you?</h1><a href="/oauth2/start?rd={back}">I am Ana</a>')
            else:
                cookie = {"set-cookie": f"{COOKIE}=ana; Path=/; HttpOnly"}
                self.say(302, "", {"location": parse_qs(parts.query)["rd"][0], **cookie})

        def judge(self, known: tuple[str, str] | None) -> None:
            if known is None:
                self.say(401, "")
                return
            email, groups = known
            names = {"x-auth-request-email": email} | ({"x-auth-request-groups": groups} if groups else {})
            self.say(202, "", names)

        def say(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"content-type": "text/html", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_arguments: object) -> None: ...

    class Server(ThreadingHTTPServer):
        # nginx asks for all files of a page at once, each by a connection of its own.
        request_queue_size = 256

    with Server(("127.0.0.1", 0), Answer) as server:
        there = AuthServer(server.server_port)
        Thread(target=server.serve_forever, daemon=True).start()
        yield there
        server.shutdown()
