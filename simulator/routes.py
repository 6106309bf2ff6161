"""The gateway's routes: the handler of each path, and the format of its response (section 4)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from simulator import auth, static_responses
from simulator.express import Request, Response, decode_segment, error_page, json_response
from simulator.gateway import Gateway
from simulator.manager import PREFIX, Manager
from simulator.pending import Pending
from simulator.responses import JsonResponse, no_qr
from simulator.sessions import ABSENT, ARRAY_LENGTH, SessionObject

T = TypeVar("T")
Handler = Callable[[Request, dict[str, str]], Awaitable[Response]]
Operation = Callable[[str, dict[str, Any]], Pending[JsonResponse]]

_WRONG_SECRET: JsonResponse = (400, {"response": "error", "message": "The token is incorrect"})


@dataclass(frozen=True)
class Route:
    """A method and a path template, such as `/api/{session}/status-session`."""

    method: str
    template: str
    handler: Handler

    @property
    def endpoint(self) -> str:
        """The template's last word that is no parameter, by which faults refer to the route."""
        return next(word for word in reversed(self.template.split("/")) if not word.startswith("{"))

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the parameters, still encoded; None without a match.

        Case and a trailing slash are ignored, and HEAD runs GET (section 1).
        """
        if self.method != ("GET" if method == "HEAD" else method):
            return None
        wanted = self.template.split("/")
        given = path.removesuffix("/").split("/") if path != "/" else ["", ""]
        if len(wanted) != len(given):
            return None
        params = {}
        for want, have in zip(wanted, given, strict=True):
            if want.startswith("{") and have:
                params[want[1:-1]] = have
            elif want != have.lower():
                return None
        return params


class Routes:
    """The table of routes and their handlers."""

    def __init__(self, gateway: Gateway, worker: auth.BcryptWorker, exit_process: Callable[[], None]) -> None:
        self._gateway = gateway
        self._worker = worker
        self._exit_process = exit_process
        of_session, of_page = self._of_session, self._of_page
        manager = Manager(gateway, worker)
        self.manager_table = [
            Route("GET", f"{PREFIX}info", manager.info),
            Route("GET", f"{PREFIX}sessions", manager.sessions),
            Route("POST", f"{PREFIX}sessions/{{session}}/token", manager.token),
            Route("POST", f"{PREFIX}verify", manager.verify),
            Route("DELETE", f"{PREFIX}sessions/{{session}}", manager.remove),
            Route("GET", "/manager", manager.page),
        ]
        self._manager_not_found = manager.not_found
        self.table = [
            Route("POST", "/api/{session}/{secretkey}/generate-token", self._generate_token),
            Route("POST", "/api/{session}/{secretkey}/clear-session-data", self._clear_session_data),
            Route("GET", "/api/{secretkey}/show-all-sessions", self._show_all_sessions),
            Route("POST", "/api/{secretkey}/start-all", self._start_all),
            Route("GET", "/api/{secretkey}/backup-sessions", self._backup_sessions),
            Route("POST", "/api/{secretkey}/restore-sessions", self._restore_sessions),
            Route("POST", "/api/{session}/set-limit", self._set_limit),
            of_session("POST", "start-session", gateway.start),
            of_session("GET", "status-session", gateway.status),
            of_session("GET", "check-connection-session", lambda name, _: gateway.check_connection(name)),
            Route("GET", "/api/{session}/qrcode-session", self._qrcode_session),
            of_session("POST", "close-session", lambda name, _: gateway.close(name)),
            of_session("POST", "logout-session", lambda name, _: gateway.logout(name)),
            of_page("host-device", lambda name: static_responses.host_device(gateway.identity(name))),
            of_page(
                "get-phone-number", lambda name: static_responses.device_response(gateway.identity(name))
            ),
            of_page("get-battery-level", lambda _: {"status": "Success"}),
            Route("GET", "/api/{session}/check-number-status/{phone}", self._check_number_status),
            Route("GET", "/api/{session}/take-screenshot", self._take_screenshot),
            Route("GET", "/healthz", self._healthz),
            Route("GET", "/unhealthy", self._unhealthy),
            Route("GET", "/metrics", self._metrics),
            Route("GET", "/api-docs", self._api_docs),
            Route("GET", "/socket.io", self._socket_io),
            Route("GET", "/socket.io/socket.io.js", self._socket_io_script),
        ]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the first route that matches, with its parameters still encoded."""
        offers_manager_api = self._gateway.offers_manager_api
        for route in [*self.manager_table, *self.table] if offers_manager_api else self.table:
            params = route.match(method, path)
            if params is not None:
                return route, params
        if offers_manager_api and path.startswith(PREFIX):
            return Route(method, f"{PREFIX}*", self._manager_not_found), {}
        return None

    def _of_session(self, method: str, word: str, operation: Operation) -> Route:
        async def handle(request: Request, params: dict[str, str]) -> Response:
            name, refusal = await self._authorise(request, params)
            if refusal is not None:
                return refusal
            entry = self._gateway.table.get(name)
            status, data = await _wait_for_value(operation(name, request.body))
            return await _json_response(request, status, data, entry, name)

        return Route(method, f"/api/{{session}}/{word}", handle)

    def _of_page(self, word: str, find: Callable[[str], dict[str, Any]]) -> Route:
        return self._of_session(
            "GET", word, lambda name, _: self._gateway.read_device(name, (200, find(name)))
        )

    async def _authorise(self, request: Request, params: dict[str, str]) -> tuple[str, Response | None]:
        """Return the session's name, and the 401 if the token is not valid for it (section 3)."""
        name, token = auth.presented_token(
            decode_segment(params["session"]), request.headers.get("authorization")
        )
        secret_key = self._gateway.secret_key
        if token is None:
            return name, await _json_response(request, *auth.TOKEN_MISSING)
        if not await self._worker.run(lambda: auth.is_valid(name, secret_key, token)):
            return name, await _json_response(request, *auth.TOKEN_WRONG)
        self._gateway.catch_up()  # Time passed while the token was compared.
        return name, None

    def _has_valid_secret(self, params: dict[str, str]) -> bool:
        return decode_segment(params["secretkey"]) == self._gateway.secret_key

    async def _generate_token(self, request: Request, params: dict[str, str]) -> Response:
        if not self._has_valid_secret(params):
            return await _json_response(
                request, 400, {"response": False, "message": "The SECRET_KEY is incorrect"}
            )
        session, secret_key = decode_segment(params["session"]), self._gateway.secret_key
        token = await self._worker.run(lambda: auth.create_token(session, secret_key))
        body = {"status": "success", "session": session, "token": token, "full": f"{session}:{token}"}
        return await _json_response(request, 201, body)

    async def _show_all_sessions(self, request: Request, params: dict[str, str]) -> Response:
        if not self._has_valid_secret(params):
            return await _json_response(
                request, 400, {"response": False, "message": "The token is incorrect"}
            )
        return await _json_response(request, 200, {"response": self._gateway.token_files.names()})

    # Trap T1: a wrong secret is refused, but the operation runs all the same.

    async def _start_all(self, request: Request, params: dict[str, str]) -> Response:
        self._gateway.start_all()
        if not self._has_valid_secret(params):
            return await _json_response(request, *_WRONG_SECRET)
        return await _json_response(request, 201, {"status": "success", "message": "Starting all sessions"})

    async def _clear_session_data(self, request: Request, params: dict[str, str]) -> Response:
        self._gateway.clear_data(decode_segment(params["session"]))
        if not self._has_valid_secret(params):
            return await _json_response(request, *_WRONG_SECRET)
        return await _json_response(request, 200, {"success": True})

    async def _restore_sessions(self, request: Request, params: dict[str, str]) -> Response:
        self._gateway.close_every_browser()
        if not self._has_valid_secret(params):
            return await _json_response(request, *_WRONG_SECRET)
        return await _json_response(request, 200, {"success": True})

    async def _backup_sessions(self, request: Request, params: dict[str, str]) -> Response:
        if not self._has_valid_secret(params):
            return await _json_response(request, *_WRONG_SECRET)
        return Response(200, "application/octet-stream", static_responses.EMPTY_ARCHIVE)

    async def _set_limit(self, _request: Request, _params: dict[str, str]) -> Response:
        # Requires no token (T8), and fails without a session; recorded without the added `session`.
        return json_response(500, {"status": False, "message": "Error on set limit", "error": {}})

    async def _qrcode_session(self, request: Request, params: dict[str, str]) -> Response:
        name, refusal = await self._authorise(request, params)
        if refusal is not None:
            return refusal
        picture = self._gateway.qr_picture(name)
        if picture is not None:
            return Response(200, "image/png", picture)
        entry = self._gateway.table.get(name)
        return await _json_response(request, *no_qr(entry), entry, name)

    async def _check_number_status(self, request: Request, params: dict[str, str]) -> Response:
        name, refusal = await self._authorise(request, params)
        if refusal is not None:
            return refusal
        entry = self._gateway.table.get(name)
        status, data = await _wait_for_value(
            self._gateway.check_number(name, decode_segment(params["phone"]))
        )
        return await _json_response(request, status, data, entry, name)

    async def _take_screenshot(self, request: Request, params: dict[str, str]) -> Response:
        name, refusal = await self._authorise(request, params)
        if refusal is not None:
            return refusal
        entry = self._gateway.table.get(name)
        status, data = await _wait_for_value(self._gateway.read_device(name, (200, {})))
        return await _json_response(request, status, data or static_responses.SCREENSHOT, entry, name)

    async def _healthz(self, request: Request, _params: dict[str, str]) -> Response:
        health = {
            "uptime": self._gateway.uptime,
            "message": "OK",
            "timestamp": int(time.time() * 1000),
        }
        return await _send_text(request, json_response(200, health))

    async def _unhealthy(self, _request: Request, _params: dict[str, str]) -> Response:
        self._exit_process()  # C1: by anyone, with a GET.
        return Response(503)

    async def _metrics(self, request: Request, _params: dict[str, str]) -> Response:
        kind = "text/plain; charset=utf-8; version=0.0.4"
        return await _send_text(request, Response(200, kind, static_responses.METRICS.encode()))

    async def _api_docs(self, request: Request, _params: dict[str, str]) -> Response:
        if not request.path.endswith("/"):
            page = error_page(301, "Redirecting to /api-docs/")
            moved = page.content.replace(b"<title>Error", b"<title>Redirecting")
            return replace(
                page,
                content=moved,
                content_type="text/html; charset=UTF-8",
                headers={"Location": "/api-docs/"},
            )
        return await _send_text(
            request, Response(200, "text/html; charset=utf-8", static_responses.API_DOCS.encode())
        )

    async def _socket_io(self, request: Request, _params: dict[str, str]) -> Response:
        if request.query.get("transport") not in ("polling", "websocket"):
            return Response(400, "application/json", static_responses.TRANSPORT_UNKNOWN)
        if request.query.get("EIO") != "4":
            return Response(400, "application/json", static_responses.PROTOCOL_UNSUPPORTED)
        return Response(200, "text/plain; charset=UTF-8", static_responses.open_packet())

    async def _socket_io_script(self, _request: Request, _params: dict[str, str]) -> Response:
        return Response(
            200, "application/javascript; charset=utf-8", static_responses.SOCKET_IO_SCRIPT.encode()
        )


async def _wait_for_value(pending: Pending[T]) -> T:
    """Await the value, for ever if it is never set."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    pending.add_listener(lambda value: None if future.done() else future.set_result(value))
    return await future


async def _json_response(
    request: Request, status: int, data: Any, entry: SessionObject | None = None, name: str = ""
) -> Response:
    """Return a JSON response, with the field that the server adds for a bare JSON request (section 4)."""
    if not request.has_bare_json_type:
        return json_response(status, data)
    if not isinstance(data, dict):
        await asyncio.Future[None]()  # Setting a property of a string throws, and no response is sent.
    if data.get("session"):
        return json_response(status, data)
    if entry is None or name == ARRAY_LENGTH:
        return json_response(status, data | {"session": ""})
    return json_response(status, data if entry.name is ABSENT else data | {"session": entry.name})


async def _send_text(request: Request, response: Response) -> Response:
    """Return a response that the server cannot re-parse as JSON: with the bare JSON type it hangs (H5)."""
    if request.has_bare_json_type:
        await asyncio.Future[None]()
    return response
