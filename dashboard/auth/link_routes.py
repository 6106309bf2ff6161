"""The routes of one-time links: exchange the token, set the password, sign in."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.addresses import address_key
from core.exceptions import StoreError, VersionConflictError
from dashboard.auth import links
from dashboard.auth.addresses import client_address, safe_next
from dashboard.auth.audit import SignInOutcome
from dashboard.auth.context import AuthContext
from dashboard.auth.cookies import GRANT_COOKIE, read_cookie, remove_cookie, set_cookie
from dashboard.auth.pages import Note
from dashboard.auth.passwords import PasswordsBusyError, password_problem
from dashboard.auth.users import USER_NAME, Account, AuthMethod
from dashboard.i18n import Translate

PASSWORD = "/sign-in/password"  # noqa: S105 - a path
DEFAULT_NAME = "admin"


class LinkRoutes:
    """Exchange a link's token for a grant, and set the password with it."""

    def __init__(self, auth: AuthContext) -> None:
        self._auth = auth

    def routes(self) -> list[Route]:
        """Return the Starlette routes; none needs a sign-in."""
        return [
            Route(links.PATH, self.show_exchange, methods=["GET"]),
            Route(links.PATH, self.exchange, methods=["POST"]),
            Route(PASSWORD, self.show_password, methods=["GET"]),
            Route(PASSWORD, self.set_password, methods=["POST"]),
        ]

    async def show_exchange(self, request: Request) -> Response:
        """Return the page whose script posts the token from the URL's fragment."""
        next_address = safe_next(request.query_params.get("next"))
        return self._auth.page(request, "link.html", next_address=next_address)

    async def exchange(self, request: Request) -> Response:
        """Exchange a valid token for a grant cookie."""
        form = await self._auth.read_form(request, lambda _sent: self._refused(request))
        if isinstance(form, Response):
            return form
        grant = self._auth.links.exchange(form.get("token", ""))
        if grant is None:
            # Only failures count, and only after the check: others at this address may have guessed, and a
            # valid link must not look used. The limit protects the log; 256 bits cannot be guessed.
            key = address_key(client_address(request))
            if not self._auth.address_limit.wait_seconds(key):
                self._auth.address_limit.count(key)
                await self._auth.record(request, SignInOutcome.LINK_REFUSED, None)
            return self._refused(request)
        response = RedirectResponse(_password_address(safe_next(form.get("next"))), 303)
        set_cookie(
            response,
            GRANT_COOKIE,
            grant,
            request=request,
            rule=self._auth.cookie_rule,
            lifetime=links.GRANT_VALID_FOR,
        )
        return response

    async def show_password(self, request: Request) -> Response:
        """Show the form to a browser with a grant."""
        grant = self._grant(request)
        if grant is None:
            return self._refused(request)
        return self._auth.page(
            request,
            "password.html",
            next_address=safe_next(request.query_params.get("next")),
            name=DEFAULT_NAME,
            user=self._user_name(grant),
        )

    async def set_password(self, request: Request) -> Response:
        """Set the password and sign the user in; the first link creates the administrator."""
        _, grant = self._auth.translator(request), self._grant(request)

        def refuse(sent: dict[str, str]) -> Response:
            if grant is None:
                return self._refused(request)
            return self._again(request, sent, grant, 403, _("The form had expired. Try again."))

        form = await self._auth.read_form(request, refuse)
        if isinstance(form, Response):
            return form
        if grant is None:
            return self._refused(request)
        name = self._user_name(grant) or form.get("name", "").strip()
        problem = _problem(name, form, _)
        if problem:
            return self._again(request, form, grant, 422, problem)
        try:
            password_hash = await self._auth.passwords.hash(form.get("password", ""))
            account = await asyncio.to_thread(self._store_password, grant, name, password_hash)
        except PasswordsBusyError:
            text = _("The page is busy. Wait a moment, then try again.")
            return self._again(request, form, grant, 503, text)
        except (VersionConflictError, links.LinkInvalidError):
            return self._refused(request)
        except StoreError as error:
            return self._again(request, form, grant, 500, error.message)
        next_address = safe_next(form.get("next"))
        if self._auth.passkeys.required:
            response = self._auth.second_factor_page(request, account, next_address)
        else:
            response = await self._auth.sign_in_account(request, account, AuthMethod.PASSWORD, next_address)
        remove_cookie(response, GRANT_COOKIE, request=request, rule=self._auth.cookie_rule)
        outcome = SignInOutcome.PASSWORD_SET if grant.account else SignInOutcome.FIRST_USER_CREATED
        await self._auth.record(request, outcome, account.name)
        return response

    def _store_password(self, grant: links.Grant, name: str, password_hash: str) -> Account:
        if grant.account:
            return self._auth.links.set_password(grant, password_hash)
        try:
            account = self._auth.users.create_first(name, password_hash)
        finally:
            # Also if another request was faster. A full disk leaves the link valid.
            if self._auth.users.exist:
                self._auth.links.invalidate()
        links.withdraw(self._auth.data_directory)
        return account

    def _grant(self, request: Request) -> links.Grant | None:
        cookie = read_cookie(request, GRANT_COOKIE, rule=self._auth.cookie_rule)
        return self._auth.links.of(cookie)

    def _user_name(self, grant: links.Grant) -> str:
        account = self._auth.users.find(grant.account) if grant.account else None
        return account.name if account else ""

    def _refused(self, request: Request) -> Response:
        return self._auth.page(request, "link-refused.html", 403)

    def _again(
        self, request: Request, form: dict[str, str], grant: links.Grant, status_code: int, text: str
    ) -> Response:
        return self._auth.page(
            request,
            "password.html",
            status_code,
            note=Note(text),
            next_address=safe_next(form.get("next")),
            name=form.get("name", "")[:64],
            user=self._user_name(grant),
        )


def _problem(name: str, form: dict[str, str], _: Translate) -> str | None:
    if not USER_NAME.fullmatch(name):
        return _("Use 1 to 64 letters, digits, '.', '_', '@', '+' or '-' for the name.")
    return password_problem(form.get("password", ""), form.get("repeated", ""), name, _)


def _password_address(next_address: str) -> str:
    return PASSWORD if next_address == "/" else f"{PASSWORD}?next={quote(next_address, safe='')}"
