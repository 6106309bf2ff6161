"""The routes for signing in and out."""

from __future__ import annotations

import asyncio
import math

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard.auth import first_routes, pages
from dashboard.auth.addresses import client_address, safe_next
from dashboard.auth.asset_routes import asset_routes
from dashboard.auth.audit import SignInOutcome
from dashboard.auth.cookies import SIGN_IN_COOKIE, remove_cookie
from dashboard.auth.desk import Desk
from dashboard.auth.elements import Note
from dashboard.auth.forms import FormError, read_form
from dashboard.auth.passwords import PasswordsBusyError
from dashboard.auth.rate_limit import address_key

HEALTHY = "/-/healthy"
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"


def auth_routes(desk: Desk) -> list[Route]:
    """Return every route of ours; what the gate leaves open is `open_paths` of these."""
    return [
        Route(HEALTHY, _healthy, methods=["GET"]),
        *asset_routes(),
        *SignInRoutes(desk).routes(),
        *first_routes.FirstSignInRoutes(desk).routes(),
    ]


def open_paths(routes: list[Route]) -> frozenset[str]:
    """Return the paths that answer without sign-in: all of ours but the sign-out."""
    return frozenset(route.path for route in routes) - {SIGN_OUT}


class SignInRoutes:
    """Sign in with name and password; sign out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the Starlette routes."""
        return [
            Route(SIGN_IN, self.show_sign_in, methods=["GET"]),
            Route(SIGN_IN, self.sign_in, methods=["POST"]),
            Route(SIGN_OUT, self.show_sign_out, methods=["GET"]),
            Route(SIGN_OUT, self.sign_out, methods=["POST"]),
        ]

    async def show_sign_in(self, request: Request) -> Response:
        """Show the form, or lead on who is signed in already."""
        next_address = safe_next(request.query_params.get("next"))
        if self._desk.sign_ins.user_of(request.cookies.get(SIGN_IN_COOKIE)):
            return RedirectResponse(next_address, 303)
        frame = self._desk.frame(request)
        if not self._desk.users.exist:
            return self._desk.page(request, pages.no_user_page(frame))
        _ = frame.translate
        signed_out = Note(_("You are signed out."), is_good=True)
        note = signed_out if "signed_out" in request.query_params else None
        return self._desk.page(request, pages.sign_in_page(frame, next_address=next_address, note=note))

    async def sign_in(self, request: Request) -> Response:
        """Check name and password; who guesses waits longer each time."""
        try:
            form = await read_form(request)
        except FormError as error:
            return PlainTextResponse("This form cannot be read.\n", error.status_code)
        _ = self._desk.frame(request).translate
        if not self._desk.forms.is_valid(request, form):
            return self._again(request, form, 403, _("The form was out of date. Please try again."))
        name = form.get("name", "").strip()[:64]
        account = self._desk.users.find(name)
        wait_seconds = self._wait_seconds(request, name)
        if wait_seconds:
            text = _("Too many tries. Wait {seconds} seconds, then try again.")
            response = self._again(request, form, 429, text.replace("{seconds}", str(wait_seconds)))
            response.headers["retry-after"] = str(wait_seconds)
            return response
        must_wait_next = self._count_try(request, name)
        try:
            password = form.get("password", "")
            is_right = await self._desk.passwords.matches(
                password, account.password_hash if account else None
            )
        except PasswordsBusyError:
            return self._again(request, form, 503, _("The page is busy. Wait a moment, then try again."))
        if account is None or not is_right:
            outcome = SignInOutcome.TOO_MANY_TRIES if must_wait_next else SignInOutcome.FAILED
            await self._desk.record(request, outcome, account.name if account else None)
            return self._again(request, form, 401, _("Name or password is wrong."))
        self._desk.address_limit.clear(address_key(client_address(request)))
        self._desk.account_limit.clear(name.casefold())
        if self._desk.passwords.is_outdated(account.password_hash):
            new_hash = await self._desk.passwords.hash(password)
            await asyncio.to_thread(self._desk.users.replace_password_hash, account, new_hash)
        response = await self._desk.let_in(request, account, safe_next(form.get("next")))
        await self._desk.record(request, SignInOutcome.SIGNED_IN, account.name)
        return response

    async def show_sign_out(self, request: Request) -> Response:
        """Ask before signing out: a link alone must not do it."""
        user = self._desk.sign_ins.user_of(request.cookies.get(SIGN_IN_COOKIE))
        name = user.name if user else ""
        return self._desk.page(request, pages.sign_out_page(self._desk.frame(request), name=name))

    async def sign_out(self, request: Request) -> Response:
        """End the sign-in of this browser, or all of the user's; their open tabs empty themselves."""
        try:
            form = await read_form(request)
        except FormError as error:
            return PlainTextResponse("This form cannot be read.\n", error.status_code)
        if not self._desk.forms.is_valid(request, form):
            return RedirectResponse(SIGN_OUT, 303)
        cookie = request.cookies.get(SIGN_IN_COOKIE)
        account = self._desk.sign_ins.account_of(cookie)
        outcome = SignInOutcome.SIGNED_OUT
        if account and form.get("where") == "everywhere":
            outcome = SignInOutcome.SIGNED_OUT_EVERYWHERE
            await asyncio.to_thread(self._desk.users.end_all_sign_ins, account)
        await asyncio.to_thread(self._desk.sign_ins.end, cookie)
        await self._desk.record(request, outcome, account.name if account else None)
        response = RedirectResponse(f"{SIGN_IN}?signed_out=1", 303)
        remove_cookie(response, SIGN_IN_COOKIE, request=request, rule=self._desk.cookie_rule)
        return response

    def _wait_seconds(self, request: Request, name: str) -> int:
        by_address = self._desk.address_limit.wait_seconds(address_key(client_address(request)))
        return math.ceil(max(by_address, self._desk.account_limit.wait_seconds(name.casefold())))

    def _count_try(self, request: Request, name: str) -> bool:
        """Count the try; True when the next one will have to wait."""
        self._desk.address_limit.count(address_key(client_address(request)))
        self._desk.account_limit.count(name.casefold())
        return self._wait_seconds(request, name) > 0

    def _again(self, request: Request, form: dict[str, str], status_code: int, text: str) -> Response:
        html = pages.sign_in_page(
            self._desk.frame(request),
            next_address=safe_next(form.get("next")),
            name=form.get("name", "")[:64],
            note=Note(text),
        )
        return self._desk.page(request, html, status_code)


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n")
