"""A browser for ASGI applications: cookies, forms and websockets without a network."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from html import unescape
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True)
class Answer:
    """What the application answered."""

    status: int
    headers: dict[str, str]
    set_cookies: dict[str, str]
    """The whole Set-Cookie line by the cookie's name."""
    text: str

    @property
    def form(self) -> dict[str, str]:
        """The hidden fields of the page's form."""
        found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', self.text)
        return {name: unescape(value) for name, value in found}


@dataclass
class Browser:
    """Keeps cookies like a browser and sends what browsers send."""

    app: Any
    host: str = "ops.test"
    address: str = "203.0.113.7"
    scheme: str = "http"
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, url: str, **headers: str) -> Answer:
        """Go to a page, unless `headers` say that it is something else."""
        return self.request("GET", url, headers={"accept": "text/html,*/*;q=0.8", **headers})

    def post(self, url: str, fields: dict[str, str], **headers: str) -> Answer:
        """Send a form from a page of the same site, unless `headers` say otherwise."""
        sent = {
            "origin": f"{self.scheme}://{self.host}",
            "content-type": "application/x-www-form-urlencoded",
            "accept": "text/html,*/*;q=0.8",
            **headers,
        }
        return self.request("POST", url, headers=sent, body=urlencode(fields).encode())

    def request(self, method: str, url: str, *, headers: dict[str, str], body: bytes = b"") -> Answer:
        """Send any request."""
        messages: list[dict[str, Any]] = []
        incoming = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return incoming.pop(0) if incoming else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            messages.append(message)

        scope = {**self.scope("http", url, headers), "method": method}
        asyncio.run(self.app(scope, receive, send))
        return self._answer(messages)

    def scope(self, kind: str, url: str, headers: dict[str, str]) -> dict[str, Any]:
        """Return the ASGI scope of a request."""
        parts = urlsplit(url)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"host": self.host, **({"cookie": cookie} if cookie else {}), **headers}
        return {
            "type": kind,
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": self.scheme,
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()],
            "client": (self.address, 50000),
            "server": (self.host, 80),
            "state": {},
        }

    def _answer(self, messages: list[dict[str, Any]]) -> Answer:
        start = messages[0]
        body = b"".join(message.get("body", b"") for message in messages[1:])
        headers, set_cookies = {}, {}
        for raw_name, raw_value in start["headers"]:
            name, value = raw_name.decode().lower(), raw_value.decode()
            headers[name] = value
            if name == "set-cookie":
                for key, morsel in SimpleCookie(value).items():
                    set_cookies[key] = value
                    self._keep(key, morsel.value, morsel["max-age"])
        return Answer(start["status"], headers, set_cookies, body.decode())

    def _keep(self, name: str, value: str, max_age: str) -> None:
        self.cookies[name] = value
        if max_age == "0":
            del self.cookies[name]
