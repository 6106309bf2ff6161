"""The routes of the first sign-in: from the one-time link to the administrator's password."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from core.exceptions import StoreError, VersionConflictError
from dashboard.auth import links, pages
from dashboard.auth.addresses import client_address, safe_next
from dashboard.auth.audit import SignInOutcome
from dashboard.auth.cookies import GRANT_COOKIE, remove_cookie, set_cookie
from dashboard.auth.desk import Desk
from dashboard.auth.elements import Note
from dashboard.auth.forms import FormError, read_form
from dashboard.auth.passwords import PasswordsBusyError, password_problem
from dashboard.auth.rate_limit import address_key
from dashboard.auth.users import USER_NAME
from dashboard.i18n import Translate

PASSWORD = "/sign-in/password"  # noqa: S105 - a path
DEFAULT_NAME = "admin"


class FirstSignInRoutes:
    """Exchange the link's token for a grant, and let the grant's browser create the administrator."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the Starlette routes."""
        return [
            Route(links.PATH, self.show_exchange, methods=["GET"]),
            Route(links.PATH, self.exchange, methods=["POST"]),
            Route(PASSWORD, self.show_password, methods=["GET"]),
            Route(PASSWORD, self.set_password, methods=["POST"]),
        ]

    async def show_exchange(self, request: Request) -> Response:
        """Send the page whose script posts the token that stands behind '#'."""
        html = pages.exchange_page(
            self._desk.frame(request), next_address=safe_next(request.query_params.get("next"))
        )
        return self._desk.page(request, html)

    async def exchange(self, request: Request) -> Response:
        """Give the browser with the right token a grant."""
        try:
            form = await read_form(request)
        except FormError as error:
            return PlainTextResponse("This form cannot be read.\n", error.status_code)
        key = address_key(client_address(request))
        if self._desk.address_limit.wait_seconds(key) or not self._desk.forms.is_valid(request, form):
            return self._refused(request)
        self._desk.address_limit.count(key)
        grant = self._desk.link.exchange(form.get("token", ""))
        if grant is None:
            await self._desk.record(request, SignInOutcome.LINK_REFUSED, None)
            return self._refused(request)
        self._desk.address_limit.clear(key)
        response = RedirectResponse(_password_address(safe_next(form.get("next"))), 303)
        set_cookie(
            response,
            GRANT_COOKIE,
            grant,
            request=request,
            rule=self._desk.cookie_rule,
            lifetime=links.GRANT_VALID_FOR,
        )
        return response

    async def show_password(self, request: Request) -> Response:
        """Show the form to the browser that holds the grant."""
        if not self._desk.link.accepts_grant(request.cookies.get(GRANT_COOKIE)):
            return self._refused(request)
        html = pages.set_password_page(
            self._desk.frame(request),
            next_address=safe_next(request.query_params.get("next")),
            name=DEFAULT_NAME,
        )
        return self._desk.page(request, html)

    async def set_password(self, request: Request) -> Response:
        """Create the administrator and sign them in."""
        try:
            form = await read_form(request)
        except FormError as error:
            return PlainTextResponse("This form cannot be read.\n", error.status_code)
        if not self._desk.link.accepts_grant(request.cookies.get(GRANT_COOKIE)):
            return self._refused(request)
        _ = self._desk.frame(request).translate
        if not self._desk.forms.is_valid(request, form):
            return self._again(request, form, 403, _("The form was out of date. Please try again."))
        name = form.get("name", "").strip()
        problem = _problem(name, form, _)
        if problem:
            return self._again(request, form, 422, problem)
        try:
            password_hash = await self._desk.passwords.hash(form.get("password", ""))
            account = await asyncio.to_thread(self._desk.users.create_first, name, password_hash)
        except PasswordsBusyError:
            return self._again(request, form, 503, _("The page is busy. Wait a moment, then try again."))
        except VersionConflictError:
            self._desk.link.use_up()
            return self._refused(request)
        except StoreError as error:
            return self._again(request, form, 500, error.message)
        self._desk.link.use_up()
        await asyncio.to_thread(links.withdraw, self._desk.data_directory)
        response = await self._desk.let_in(request, account, safe_next(form.get("next")))
        remove_cookie(response, GRANT_COOKIE, request=request, rule=self._desk.cookie_rule)
        await self._desk.record(request, SignInOutcome.FIRST_USER_CREATED, account.name)
        return response

    def _refused(self, request: Request) -> Response:
        return self._desk.page(request, pages.link_refused_page(self._desk.frame(request)), 403)

    def _again(self, request: Request, form: dict[str, str], status_code: int, text: str) -> Response:
        html = pages.set_password_page(
            self._desk.frame(request),
            next_address=safe_next(form.get("next")),
            name=form.get("name", "")[:64],
            note=Note(text),
        )
        return self._desk.page(request, html, status_code)


def _problem(name: str, form: dict[str, str], _: Translate) -> str | None:
    if not USER_NAME.fullmatch(name):
        return _("Use 1 to 64 letters, digits, '.', '_', '@' or '-' for the name.")
    return password_problem(form.get("password", ""), form.get("repeated", ""), name, _)


def _password_address(next_address: str) -> str:
    return PASSWORD if next_address == "/" else f"{PASSWORD}?next={quote(next_address, safe='')}"
