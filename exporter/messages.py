"""One request and one answer, as the routes see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, HTTPScope

PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """What a client asks. Its body, if it announces one, is read by the webhook alone."""

    scope: HTTPScope
    headers: Mapping[str, str] = field(repr=False)
    receive: ASGIReceiveCallable = field(repr=False)

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        return self.scope["path"]

    @property
    def method(self) -> str:
        """The method in capitals."""
        return self.scope["method"]

    @property
    def announces_body(self) -> bool:
        """Tell whether bytes follow the headers."""
        length = self.headers.get("content-length", "0")
        return "transfer-encoding" in self.headers or length.strip("0") != ""

    async def client_left(self) -> None:
        """Wait until the client is gone; for a request without a body."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def parameter(self, name: str) -> str | None:
        """Read a query parameter that is given exactly once; otherwise None."""
        try:
            found = parse_qs(self.scope["query_string"].decode("latin-1"), max_num_fields=20)
        except ValueError:
            return None  # More fields than any of our paths knows.
        values = found.get(name, [])
        return values[0] if len(values) == 1 else None


@dataclass(frozen=True)
class Response:
    """One answer."""

    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = PLAIN
    headers: tuple[tuple[str, str], ...] = ()


def problem(status: HTTPStatus, hint: str, *headers: tuple[str, str]) -> Response:
    """Say in one line what is wrong and what to do."""
    return Response(f"{status.value} {status.phrase}. {hint}\n".encode(), status, headers=headers)
