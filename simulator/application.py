"""The gateway as an ASGI application: Express's behaviour around the routes, with faults in between."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, cast

from starlette.types import Receive, Scope, Send

from simulator.express import (
    BadRequestError,
    Request,
    Response,
    decode_segment,
    error_page,
    not_found,
    parse_body,
    parse_request,
    read_body,
    send_response,
)
from simulator.faults import Fault, Faults, run_connection_fault
from simulator.request_log import UNKNOWN_ROUTE, LoggedRequest, RequestLog
from simulator.routes import Route, Routes

TRANSPORT_KEY = "simulator.transport"
_MAX_HEADER_BYTES = 16 * 1024
_CORS = {
    "Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
    "Vary": "Access-Control-Request-Headers",
}
_log = logging.getLogger(__name__)


class GatewayApplication:
    """Answers requests, or leaves them unanswered, as the contract describes."""

    def __init__(
        self, routes: Routes, faults: Faults, requests: RequestLog, *, body_limit: int, drip_seconds: float
    ) -> None:
        self._routes = routes
        self._faults = faults
        self._requests = requests
        self._body_limit = body_limit
        self._drip_seconds = drip_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = parse_request(scope, {})
        found = self._routes.find(request.method, request.path)
        route, params = found if found is not None else (None, {})
        session = _session_of(params)
        transport = cast(asyncio.Transport, scope[TRANSPORT_KEY])
        entry = self._requests.begin(
            transport,
            request.headers.get("user-agent", ""),
            request.method,
            route.template if route is not None else UNKNOWN_ROUTE,
            session,
        )
        try:
            fault = self._faults.find(session, route.endpoint if route is not None else None)
            await self._serve(request, route, params, fault, entry, transport, scope, receive, send)
        finally:
            self._requests.end(transport, entry)

    async def _serve(
        self,
        request: Request,
        route: Route | None,
        params: dict[str, str],
        fault: Fault | None,
        entry: LoggedRequest,
        transport: asyncio.Transport,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        try:
            if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > _MAX_HEADER_BYTES:
                raise _RefusedError(Response(431, headers={"Connection": "close"}))
            body = await read_body(receive, self._body_limit)
            if body is None:
                return
            if request.method == "OPTIONS":
                raise _RefusedError(Response(204, headers=_CORS))
            options = parse_body(request.headers.get("content-type", ""), body)
            request = parse_request(scope, options)
            if fault is not None and not fault.modifies_response and fault.replacement() is None:
                await _run_until_disconnect(
                    run_connection_fault(fault.kind, transport, send, self._drip_seconds), receive
                )
                # The connection is unusable after a fault, and the HTTP library expects it to be closed: once
                # the client has read what was sent.
                transport.close()
                await _wait_for_disconnect(receive)
                return
            response = await _run_until_disconnect(self._respond(request, route, params, fault), receive)
        except (BadRequestError, _RefusedError) as refusal:
            response = refusal.response
        except Exception:  # noqa: BLE001  # the outermost edge of a request: one failure must not end the rest
            _log.exception("request_failed route=%s", route.template if route is not None else UNKNOWN_ROUTE)
            response = error_page(500, "Internal Server Error")
        if response is not None:
            entry.status = response.status
            await send_response(request, response, send)

    async def _respond(
        self, request: Request, route: Route | None, params: dict[str, str], fault: Fault | None
    ) -> Response:
        replacement = fault.replacement() if fault is not None else None
        if replacement is not None:
            return replacement
        if route is None:
            return not_found(request)
        response = await route.handler(request, params)
        return fault.modify(response) if fault is not None else response


class _RefusedError(Exception):
    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


async def _run_until_disconnect(
    work: Coroutine[Any, Any, Response | None], receive: Receive
) -> Response | None:
    """Await the work until the client disconnects. The gateway's operation goes on then (section 8)."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_wait_for_disconnect(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _session_of(params: dict[str, str]) -> str | None:
    """Return the session's name without the token; None for a name that cannot be decoded."""
    try:
        return decode_segment(params["session"]).split(":")[0] if "session" in params else None
    except BadRequestError:
        return None
