"""The manager protocol of newer servers (section 12): administration with the secret in a header."""

import math
import re
from dataclasses import replace
from typing import Any

from simulator import auth
from simulator.express import Request, Response, decode_segment, json_response, not_found
from simulator.gateway import Gateway
from simulator.sessions import SessionTable

PREFIX = "/api/manager/"
FEATURES = ["sessions", "chat", "contacts", "groups", "media"]
LIMIT = 60
WINDOW_SECONDS = 60.0

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_COST_10 = re.compile(r"\$2[aby]\$10\$[./A-Za-z0-9]{53}")
_UNAUTHORIZED = json_response(401, {"message": "Unauthorized"})


class Manager:
    """The handlers and their common rate limit; all clients of a simulator have the same address."""

    def __init__(self, gateway: Gateway, worker: auth.BcryptWorker) -> None:
        self._gateway = gateway
        self._worker = worker
        self._window_ends = 0.0
        self._count = 0

    async def info(self, _request: Request, _params: dict[str, str]) -> Response:
        """Return protocol and version. Requires no secret."""
        body = {"protocol": 1, "serverVersion": self._gateway.version, "features": FEATURES}
        return self._limited(json_response(200, body))

    async def sessions(self, request: Request, _params: dict[str, str]) -> Response:
        """Return the sessions with stored tokens and the live ones, with their state words."""
        if not self._is_admin(request):
            return self._limited(_UNAUTHORIZED)
        live = dict(self._gateway.table.items())
        names = dict.fromkeys([*self._gateway.token_files.names(), *live])
        listed = [
            {"session": name, "status": _word(live[name].status if name in live else None)} for name in names
        ]
        return self._limited(json_response(200, {"sessions": listed}))

    async def token(self, request: Request, params: dict[str, str]) -> Response:
        """Create a token of cost 10."""
        refused = self._refusal(request, params)
        if refused is not None:
            return self._limited(refused)
        session, secret_key = decode_segment(params["session"]), self._gateway.secret_key
        token = await self._worker.run(lambda: auth.create_token(session, secret_key))
        return self._limited(json_response(201, {"session": session, "token": token}))

    async def verify(self, request: Request, _params: dict[str, str]) -> Response:
        """Check a session's token. Only cost 10 is accepted."""
        session, token = request.body.get("session"), _bearer(request)
        is_good = isinstance(session, str) and _is_name(session) and _has_cost_10(token)
        if is_good:
            secret_key = self._gateway.secret_key
            is_good = await self._worker.run(lambda: auth.is_valid(str(session), secret_key, token))
        return self._limited(json_response(200 if is_good else 401, {"authorized": is_good}))

    async def remove(self, request: Request, params: dict[str, str]) -> Response:
        """Remove token and profile of a closed session."""
        refused = self._refusal(request, params)
        if refused is not None:
            return self._limited(refused)
        name = decode_segment(params["session"])
        entry = self._gateway.table.get(name)
        if entry is not None and _word(entry.status) != "CLOSED":
            message = "Close the session before clearing its data"
            return self._limited(json_response(409, {"message": message}))
        self._gateway.remove(name)
        return self._limited(json_response(200, {"success": True}))

    async def page(self, _request: Request, _params: dict[str, str]) -> Response:
        """Serve the gateway's own administration page, which is not rate-limited."""
        html = b'<!doctype html><html lang="en"><title>WPPConnect Manager</title></html>'
        return Response(200, "text/html; charset=UTF-8", html)

    async def not_found(self, request: Request, _params: dict[str, str]) -> Response:
        """Respond to any other path: 404 with the secret, else 401."""
        return self._limited(not_found(request) if self._is_admin(request) else _UNAUTHORIZED)

    def _refusal(self, request: Request, params: dict[str, str]) -> Response | None:
        if not self._is_admin(request):
            return _UNAUTHORIZED
        if not _is_name(decode_segment(params["session"])):
            return json_response(400, {"message": "Invalid session name"})
        return None

    def _is_admin(self, request: Request) -> bool:
        return _bearer(request) == self._gateway.secret_key

    def _limited(self, response: Response) -> Response:
        """Count the request, regardless of its response: 60 a minute."""
        now = self._gateway.now
        if now >= self._window_ends:
            self._window_ends, self._count = now + WINDOW_SECONDS, 0
        self._count += 1
        reset = math.ceil(self._window_ends - now)
        left = max(0, LIMIT - self._count)
        limit = {
            "RateLimit-Policy": f"{LIMIT};w={WINDOW_SECONDS:.0f}",
            "RateLimit": f"limit={LIMIT}, remaining={left}, reset={reset}",
        }
        if self._count > LIMIT:
            too_many = json_response(429, {"message": "Too many requests. Try again later."})
            return replace(too_many, headers=limit | {"Retry-After": str(reset)})
        return replace(response, headers={**response.headers, **limit, "Cache-Control": "no-store"})


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _is_name(session: str) -> bool:
    # Properties of a JavaScript array are refused (section 2).
    return _NAME.fullmatch(session) is not None and SessionTable().get(session) is None


def _has_cost_10(token: str) -> bool:
    return _COST_10.fullmatch(token.replace("_", "/").replace("-", "+")) is not None


def _word(status: Any) -> str:
    return status if isinstance(status, str) and status else "CLOSED"
