"""The control API and the phone page, for the user of the demo and for tests in another process."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from simulator.faults import Fault, FaultKind
from simulator.phone import RefusedError

if TYPE_CHECKING:
    from simulator.server import Server

_PAGE = Path(__file__).with_name("phone_page.html")
_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
Endpoint = Callable[[Request], Awaitable[Response]]


def control_application(server: "Server") -> Starlette:
    """Return the application of the phone port."""
    control = _Control(server)
    return Starlette(
        routes=[
            Route("/", control.page),
            Route("/control/state", control.state),
            Route("/control/sessions/{session}/{action}", _guarded(control.act), methods=["POST"]),
            Route("/control/gateway/{action}", _guarded(control.act_on_gateway), methods=["POST"]),
            Route("/control/clock/advance", _guarded(control.advance), methods=["POST"]),
            Route("/control/faults", control.faults),
            Route("/control/faults", _guarded(control.add_fault), methods=["POST"]),
            Route("/control/faults", _guarded(control.clear_faults), methods=["DELETE"]),
            Route("/control/requests", control.requests),
            Route("/control/requests/reset", _guarded(control.reset_requests), methods=["POST"]),
            Route("/control/events", control.events),
        ]
    )


class _Control:
    """The handlers, one method per route."""

    def __init__(self, server: "Server") -> None:
        self._server = server

    async def page(self, _request: Request) -> Response:
        """Serve the phone page."""
        return HTMLResponse(_PAGE.read_text(encoding="utf-8"), headers=_SECURITY)

    async def state(self, _request: Request) -> Response:
        """Return the state of the gateway, the sessions and the faults."""
        server = self._server
        server.gateway.catch_up()
        gateway = {
            "running": server.is_gateway_running,
            "uptime": server.gateway.uptime,
            "version": server.gateway.version,
        }
        sessions = [server.phones.state(name) for name in server.phones.names()]
        return JSONResponse({"gateway": gateway, "sessions": sessions, "faults": server.faults.as_json()})

    async def act(self, request: Request) -> Response:
        """Run an action on one session."""
        name, action = request.path_params["session"], request.path_params["action"]
        body = await _json_object(request)
        phones = self._server.phones
        self._server.gateway.catch_up()
        if action == "enter-code":
            phones.enter_code(name, str(body.get("code", "")))
        elif action == "scan":
            urlcode = body.get("urlcode")
            phones.scan(name, urlcode if isinstance(urlcode, str) else None)
        elif action in phones.actions:
            phones.actions[action](name)
        else:
            return _problem(404, f"There is no action {action}.")
        return JSONResponse(phones.state(name))

    async def act_on_gateway(self, request: Request) -> Response:
        """Restart, stop or start the gateway, or change its secret."""
        server = self._server
        match request.path_params["action"]:
            case "restart":
                await server.restart_gateway()
            case "stop":
                await server.stop_gateway()
            case "start":
                await server.start_gateway()
            case "secret":
                secret_key = (await _json_object(request)).get("secret_key")
                if not isinstance(secret_key, str) or not secret_key:
                    return _problem(422, "Give the new secret as secret_key.")
                server.gateway.secret_key = secret_key
            case action:
                return _problem(404, f"There is no action {action}.")
        return JSONResponse({"running": server.is_gateway_running})

    async def advance(self, request: Request) -> Response:
        """Move the clock forward, so that a test controls expiry regardless of the machine's speed."""
        seconds = (await _json_object(request)).get("seconds")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds < 1e9:
            return _problem(422, "Give a number greater than 0 as seconds.")
        self._server.advance(seconds)
        return JSONResponse({"uptime": self._server.gateway.uptime})

    async def faults(self, _request: Request) -> Response:
        """Return the active faults."""
        return JSONResponse(self._server.faults.as_json())

    async def add_fault(self, request: Request) -> Response:
        """Activate a fault."""
        body = await _json_object(request)
        try:
            fault = Fault(**{**body, "kind": FaultKind(str(body.get("kind")))})
        except (TypeError, ValueError):
            kinds = ", ".join(kind.value for kind in FaultKind)
            return _problem(422, f"A fault has kind ({kinds}), and optionally session, endpoint, word.")
        self._server.add_fault(fault)
        return JSONResponse(self._server.faults.as_json())

    async def clear_faults(self, _request: Request) -> Response:
        """Deactivate all faults."""
        self._server.clear_faults()
        return JSONResponse([])

    async def requests(self, _request: Request) -> Response:
        """Return counters and recent requests to the gateway."""
        return JSONResponse(self._server.requests.as_json())

    async def reset_requests(self, _request: Request) -> Response:
        """Reset the counters of requests."""
        self._server.requests.reset()
        return JSONResponse({})

    async def events(self, _request: Request) -> Response:
        """Return the recent webhook and socket.io events."""
        sent = self._server.webhooks.sent
        return JSONResponse([{"channel": event.channel, "body": event.body} for event in sent])


def _guarded(endpoint: Endpoint) -> Endpoint:
    """Wrap an endpoint: respond 403 to requests of other origins, and 409 to a `RefusedError`."""

    async def guarded(request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            return _problem(403, "This page may not control the simulator.")
        try:
            return await endpoint(request)
        except RefusedError as refusal:
            return _problem(409, str(refusal))

    return guarded


async def _json_object(request: Request) -> dict[str, Any]:
    if not await request.body():
        return {}
    try:
        value = await request.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _problem(status: int, sentence: str) -> Response:
    return JSONResponse({"problem": sentence}, status_code=status)
