"""The routes of hand-offs, which need no sign-in: the holder of the phone has no account.

The responses to a used, expired, revoked or invented link are the same.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.addresses import address_key
from core.clock import Now
from core.clock import now as real_now
from core.exceptions import StoreError
from core.handoffs import Handoff, Handoffs
from core.models import WAITS_FOR_A_PHONE, Reason, Snapshot, Verdict
from core.operation_status import OperationStatus
from core.settings.values import SessionSettings
from dashboard.auth.addresses import client_address
from dashboard.auth.cookies import CookieRule, read_cookie, set_cookie
from dashboard.auth.forms import FormError, read_form
from dashboard.auth.rate_limit import RateLimit
from dashboard.formatting import LocaleFormatter
from dashboard.handoff.page import ASSETS, PATH, handoff_page
from dashboard.handoff.view import State, build_state, needs_a_code
from dashboard.i18n import negotiate
from dashboard.text.about import label_and_owner
from dashboard.text.phone import PhoneError, example, read_phone, region_of

log = logging.getLogger(__name__)

WATCH_SECONDS = 30.0
COOKIE = "wppconnect_hand_off_"
_LINKING = WAITS_FOR_A_PHONE | {Verdict.STARTING}
_FILES = {"hand-off.js": "text/javascript; charset=utf-8", "hand-off.css": "text/css; charset=utf-8"}


class MonitorPort(Protocol):
    """The part of the monitor that hand-offs use."""

    def snapshot(self) -> Snapshot:
        """Return the state of all sessions. Reads memory only."""

    def watch(self, server: str, session: str, seconds: float) -> None:
        """Request probing of a session every second, for this many seconds."""


class PairingPort(Protocol):
    """The part of the operations that hand-offs use."""

    def pair(self, server: str, session: str, *, actor: str, phone: str | None = None) -> OperationStatus:
        """Start pairing by a QR code, or with `phone` (digits) by a pairing code."""

    def code_obstacle(self, server: str, session: str) -> str | None:
        """Return why no pairing code can be requested now, or None if it can."""

    def status(self, server: str, session: str) -> OperationStatus | None:
        """Return the latest operation on a session, or None."""


class HandoffRoutes:
    """Open a link once, then show its browser the code of the session until the phone is linked."""

    def __init__(
        self,
        handoffs: Handoffs,
        monitor: MonitorPort,
        operations: PairingPort,
        rule: CookieRule,
        *,
        may_make: Callable[[str], bool],
        settings_of: Callable[[str, str], SessionSettings | None] = lambda _server, _session: None,
        now: Now = real_now,
    ) -> None:
        """`may_make` returns whether a user may make links now; if not, their earlier links are invalid.

        `settings_of` returns a session's settings, for its label and owner.
        """
        self._handoffs = handoffs
        self._may_make = may_make
        self._settings_of = settings_of
        self._monitor = monitor
        self._operations = operations
        self._rule = rule
        self._now = now
        self._limit = RateLimit(free_tries=10, first_wait_seconds=2.0, max_wait_seconds=900.0)
        self._numbers = RateLimit(free_tries=10, first_wait_seconds=5.0, max_wait_seconds=900.0)

    def routes(self) -> list[Route]:
        """Return the Starlette routes; none needs a sign-in."""
        return [
            Route(PATH, self.show, methods=["GET"]),
            *(_file_route(name, media_type) for name, media_type in _FILES.items()),
            Route(f"{PATH}/open", self.open, methods=["POST"]),
            Route(f"{PATH}/state", self.state, methods=["POST"]),
            Route(f"{PATH}/code", self.code, methods=["POST"]),
            Route(f"{PATH}/number", self.number, methods=["POST"]),
        ]

    def settle(self) -> None:
        """End hand-offs that were used or have expired. The server calls it every second."""
        snapshot = self._monitor.snapshot()

        def connected_since(server: str, session: str) -> datetime | None:
            seen = snapshot.session(server, session)
            if seen is None:
                return None
            return seen.connected_since or (seen.since if seen.verdict == Verdict.CONNECTED else None)

        def is_linking(server: str, session: str) -> bool:
            seen = snapshot.session(server, session)
            return seen is not None and seen.verdict in _LINKING

        self._handoffs.settle(connected_since, is_linking, self._may_make)

    async def show(self, request: Request) -> Response:
        """Show the page, which is the same for every link."""
        locale = negotiate(request.headers.get("accept-language", ""))
        return HTMLResponse(handoff_page(locale, example=example(_region(request))))

    async def open(self, request: Request) -> Response:
        """Use the link up for this browser, and request a first code if there is none."""
        answer = await self._answer(request, lambda form: asyncio.to_thread(self._open, request, form))
        if answer.status_code != 404:
            return answer
        # Only failures count: a valid link cannot be guessed, and others at the same address, such as all
        # clients behind a proxy, could otherwise lock the holder of the phone out.
        return _count(self._limit, address_key(client_address(request))) or answer

    async def state(self, request: Request) -> Response:
        """Return the state of the session of this browser's hand-off."""
        return await self._answer(request, lambda form: asyncio.to_thread(self._state, request, form))

    async def code(self, request: Request) -> Response:
        """Request a new code from the gateway, within the limit of the hand-off."""
        return await self._answer(request, lambda form: asyncio.to_thread(self._code, request, form))

    async def number(self, request: Request) -> Response:
        """Request a pairing code for a phone number from the gateway.

        The number is sent to the gateway and returned in the response; it is neither stored nor logged.
        """

        async def ask(form: dict[str, str]) -> Response:
            handoff = await asyncio.to_thread(self._find, request, form.get("id", ""))
            if handoff is None:
                return _gone()
            refused = _count(self._numbers, handoff.id)
            if refused is not None:
                return refused
            return await asyncio.to_thread(self._number, request, handoff, form.get("phone", ""))

        return await self._answer(request, ask)

    async def _answer(
        self, request: Request, work: Callable[[dict[str, str]], Awaitable[Response]]
    ) -> Response:
        try:
            return await work(await read_form(request))
        except FormError as error:
            return PlainTextResponse("This cannot be read.\n", error.status_code)
        except StoreError as error:
            log.warning("handoff_store_failed problem=%r", error.message)
            return PlainTextResponse("The store does not answer.\n", 503)

    def _open(self, request: Request, form: dict[str, str]) -> Response:
        number = form.get("id", "")
        handoff = self._find(request, number)
        if handoff is not None:
            return JSONResponse(self._build_state(request, handoff))
        opened = self._handoffs.open(f"{number}.{form.get('token', '')}", browser=form.get("browser", ""))
        if opened is None or not self._may_make(opened[0].maker):
            return _gone()
        handoff, cookie = opened
        # The gateway returns a pairing code only as its first code: do not request a QR code before it.
        seen = self._monitor.snapshot().session(handoff.server, handoff.session)
        is_in_vain = seen is not None and seen.reason == Reason.LINK_NOT_COMPLETED
        if form.get("way") != "number" and not is_in_vain:
            handoff = self._ask(request, handoff)
        response = JSONResponse(self._build_state(request, handoff))
        lifetime = handoff.over_at - self._now()
        set_cookie(
            response,
            COOKIE + number,
            cookie,
            request=request,
            rule=self._rule,
            lifetime=lifetime,
            same_site="strict",
        )
        return response

    def _state(self, request: Request, form: dict[str, str]) -> Response:
        handoff = self._find(request, form.get("id", ""))
        return _gone() if handoff is None else JSONResponse(self._build_state(request, handoff))

    def _code(self, request: Request, form: dict[str, str]) -> Response:
        handoff = self._find(request, form.get("id", ""))
        if handoff is None:
            return _gone()
        return JSONResponse(self._build_state(request, self._ask(request, handoff)))

    def _number(self, request: Request, handoff: Handoff, typed: str) -> Response:
        server, session = handoff.server, handoff.session
        problem = number = ""
        try:
            phone = read_phone(typed, region=_region(request), translate=self._formatter(request).translate)
        except PhoneError as error:
            problem = str(error)
        else:
            free = self._operations.code_obstacle(server, session) is None
            if free and not self._runs(server, session) and self._handoffs.begin_round(handoff.id):
                self._operations.pair(server, session, actor=_actor(handoff), phone=phone.digits)
                number = phone.written
        return JSONResponse({**self._build_state(request, handoff), "problem": problem, "number": number})

    def _runs(self, server: str, session: str) -> bool:
        operation = self._operations.status(server, session)
        return operation is not None and operation.is_running

    def _find(self, request: Request, number: str) -> Handoff | None:
        cookie = read_cookie(request, COOKIE + number, rule=self._rule)
        found = self._handoffs.held(cookie) if cookie else None
        is_good = found is not None and found.id == number and self._may_make(found.maker)
        return found if is_good else None

    def _ask(self, request: Request, handoff: Handoff) -> Handoff:
        server, session = handoff.server, handoff.session
        seen = self._monitor.snapshot().session(server, session)
        operation = self._operations.status(server, session)
        if seen is None or not needs_a_code(seen, operation, self._formatter(request)):
            return handoff
        if not self._handoffs.begin_round(handoff.id):
            return handoff
        self._operations.pair(server, session, actor=_actor(handoff))
        return handoff.model_copy(update={"rounds": handoff.rounds + 1})

    def _build_state(self, request: Request, handoff: Handoff) -> State:
        server, session = handoff.server, handoff.session
        self._monitor.watch(server, session, WATCH_SECONDS)
        seen = self._monitor.snapshot().session(server, session)
        operation = self._operations.status(server, session)
        by_number = self._operations.code_obstacle(server, session) is None
        formatter = self._formatter(request)
        state = build_state(formatter, handoff, seen, operation, by_number=by_number)
        state["about"] = label_and_owner(formatter.translate, self._settings_of(server, session))
        return state

    def _formatter(self, request: Request) -> LocaleFormatter:
        locale = negotiate(request.headers.get("accept-language", ""))
        return LocaleFormatter(now=self._now(), zone=UTC, locale=locale)


def _gone() -> Response:
    return JSONResponse({}, 404)


def _count(limit: RateLimit, key: str) -> Response | None:
    """Count a try, on the event loop; return the response if the client has to wait, else None."""
    wait_seconds = math.ceil(limit.wait_seconds(key))
    if wait_seconds:
        return PlainTextResponse("Too many tries.\n", 429, {"retry-after": str(wait_seconds)})
    limit.count(key)
    return None


def _actor(handoff: Handoff) -> str:
    return f"hand-off of {handoff.maker}"


def _region(request: Request) -> str | None:
    return region_of(request.headers.get("accept-language"))


def _file_route(name: str, media_type: str) -> Route:
    content = (files("dashboard") / "handoff" / "assets" / name).read_bytes()

    async def send_file(_request: Request) -> Response:
        return Response(content, media_type=media_type)

    return Route(f"{ASSETS}/{name}", send_file, methods=["GET"])
