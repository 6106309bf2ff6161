"""The routes for signing in and out."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import replace
from urllib.parse import quote
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.addresses import address_key
from core.exceptions import StoreError
from dashboard.auth.addresses import client_address, safe_next
from dashboard.auth.audit import SignInOutcome
from dashboard.auth.authenticator import current_login
from dashboard.auth.context import AuthContext, SignInOptions
from dashboard.auth.cookies import SIGN_IN_COOKIE, remove_cookie
from dashboard.auth.external_accounts import Identity, Refusal, RefusedError
from dashboard.auth.pages import Note
from dashboard.auth.passkeys import Purpose
from dashboard.auth.passwords import PasswordsBusyError
from dashboard.auth.rate_limit import RateLimit
from dashboard.auth.users import Account, AuthMethod
from dashboard.i18n import Translate

SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"


class SignInRoutes:
    """Sign in with name and password or by a proxy's header, and sign out."""

    def __init__(self, auth: AuthContext) -> None:
        self._auth = auth
        self._checks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def open_routes(self) -> list[Route]:
        """Return the routes that need no sign-in."""
        return [
            Route(SIGN_IN, self.show_sign_in, methods=["GET"]),
            Route(SIGN_IN, self.sign_in, methods=["POST"]),
        ]

    def routes(self) -> list[Route]:
        """Return the routes that need a sign-in."""
        return [
            Route(SIGN_OUT, self.show_sign_out, methods=["GET"]),
            Route(SIGN_OUT, self.sign_out, methods=["POST"]),
        ]

    async def show_sign_in(self, request: Request) -> Response:
        """Show the form, or redirect a user who is signed in already, here or at the proxy."""
        next_address = safe_next(request.query_params.get("next"))
        if self._auth.authenticator.authenticate(request):
            return RedirectResponse(next_address, 303)
        _ = self._auth.translator(request)
        note = None
        if "signed_out" in request.query_params:
            note = Note(_("You are signed out."), is_good=True)
        elif identity := self._auth.authenticator.identity(request):
            try:
                return await self._let_in_from_proxy(request, identity, next_address)
            except RefusedError as error:
                note = Note(refusal_words(_, error.why, identity.name))
                await self._auth.record(request, SignInOutcome.REFUSED, None)
            except StoreError as error:
                note = Note(error.message)
        return self._form(request, next_address=next_address, note=note)

    async def sign_in(self, request: Request) -> Response:
        """Check name and password; after the free tries each further one doubles the wait."""
        _ = self._auth.translator(request)
        form = await self._auth.read_form(
            request, lambda sent: self._again(request, sent, 403, _("The form had expired. Try again."))
        )
        if isinstance(form, Response):
            return form
        name = form.get("name", "").strip()[:64]
        account = self._auth.users.find(name)
        counts = self._counts(request, name, account)
        wait_seconds = _wait_seconds(counts)
        if wait_seconds:
            text = _("Too many attempts. Wait {seconds} seconds, then try again.")
            text = text.replace("{seconds}", str(wait_seconds))
            remedy = _(
                "If sign-in is blocked because others keep guessing: run `wppconnect-ops users reset NAME` "
                "where the dashboard runs. It prints a one-time link that always lets you in."
            )
            response = self._again(request, form, 429, f"{text} {remedy}")
            response.headers["retry-after"] = str(wait_seconds)
            return response
        for limit, key in counts:
            limit.count(key, name.casefold())
        must_wait_next = _wait_seconds(counts) > 0
        # Serialised per name: a count of slow responses would reveal whether the name exists.
        check = self._checks.setdefault(name.casefold(), asyncio.Lock())
        try:
            async with check:
                is_right = await self._auth.passwords.matches(
                    form.get("password", ""), account.password_hash if account else None
                )
        except PasswordsBusyError:
            return self._again(request, form, 503, _("The page is busy. Wait a moment, then try again."))
        if account is None or not is_right or account.disabled:
            outcome = SignInOutcome.TOO_MANY_TRIES if must_wait_next else SignInOutcome.FAILED
            await self._auth.record(request, outcome, account.name if account else None)
            return self._again(request, form, 401, _("Name or password is wrong."))
        for limit, key in counts:
            # Tries at other names stay: an own account must not permit guessing others.
            limit.clear(key, name.casefold())
        await self._renew_hash(account, form.get("password", ""))
        next_address, remembered = safe_next(form.get("next")), form.get("remember") == "yes"
        if self._auth.passkeys.required:
            return self._auth.second_factor_page(request, account, next_address, remembered=remembered)
        response = await self._auth.sign_in_account(
            request,
            account,
            AuthMethod.PASSWORD,
            next_address,
            remembered=remembered,
        )
        await self._auth.record(request, SignInOutcome.SIGNED_IN, account.name)
        return response

    async def show_sign_out(self, request: Request) -> Response:
        """Show the confirmation page: a GET request must not sign out."""
        name = current_login(request).active_login.account.name
        return self._auth.page(request, "sign-out.html", name=name)

    async def sign_out(self, request: Request) -> Response:
        """End the sign-in of this browser, or every one of the user's; their open tabs are disconnected."""
        form = await self._auth.read_form(request, lambda _sent: RedirectResponse(SIGN_OUT, 303))
        if isinstance(form, Response):
            return form
        authenticated = current_login(request)
        account = authenticated.active_login.account
        outcome = SignInOutcome.SIGNED_OUT
        if form.get("where") == "everywhere":
            outcome = SignInOutcome.SIGNED_OUT_EVERYWHERE
            await asyncio.to_thread(self._auth.users.end_all_sign_ins, account)
        await asyncio.to_thread(self._auth.sign_ins.end, authenticated.cookie)
        await self._auth.record(request, outcome, account.name)
        response = RedirectResponse(
            f"{SIGN_IN}?signed_out={authenticated.active_login.sign_in.way.value}", 303
        )
        remove_cookie(response, SIGN_IN_COOKIE, request=request, rule=self._auth.cookie_rule)
        return response

    async def _let_in_from_proxy(self, request: Request, identity: Identity, next_address: str) -> Response:
        account = await asyncio.to_thread(self._auth.external_accounts.get_or_create, identity)
        response = await self._auth.sign_in_account(request, account, AuthMethod.PROXY, next_address)
        await self._auth.record(request, SignInOutcome.SIGNED_IN, account.name)
        return response

    async def _renew_hash(self, account: Account, password: str) -> None:
        if account.password_hash and self._auth.passwords.is_outdated(account.password_hash):
            # A failure is harmless: the next sign-in renews the hash.
            with suppress(PasswordsBusyError, StoreError):
                new_hash = await self._auth.passwords.hash(password)
                await asyncio.to_thread(self._auth.users.replace_password_hash, account, new_hash)

    def _counts(self, request: Request, name: str, account: Account | None) -> list[tuple[RateLimit, str]]:
        """Return the limits and keys that count this try: a known device has its own."""
        device = self._auth.device(request, account)
        if device is not None:
            return [(self._auth.device_limit, device)]
        return [
            (self._auth.address_limit, address_key(client_address(request))),
            (self._auth.account_limit, name.casefold()),
        ]

    def _again(self, request: Request, form: dict[str, str], status_code: int, text: str) -> Response:
        return self._form(
            request,
            next_address=safe_next(form.get("next")),
            name=form.get("name", "")[:64],
            note=Note(text),
            status_code=status_code,
        )

    def _form(
        self,
        request: Request,
        *,
        next_address: str,
        note: Note | None,
        name: str = "",
        status_code: int = 200,
    ) -> Response:
        return self._auth.page(
            request,
            "sign-in.html" if self._auth.users.exist else "no-user.html",
            status_code,
            note=note,
            options=self._options(request),
            name=name,
            next_address=next_address,
            at_provider=_at_provider(next_address),
            # On a phone it is always the same person, at night, with small keys.
            remember_ticked="Mobi" in request.headers.get("user-agent", ""),
            passkey=self._auth.passkey_options(request, Purpose.SIGN_IN),
        )

    def _options(self, request: Request) -> SignInOptions:
        left_by = request.query_params.get("signed_out")
        identity = self._auth.authenticator.identity(request) if left_by else None
        return replace(
            self._auth.sign_in_options,
            proxy_user=identity.name[:64] if identity else "",
            leave_provider=left_by == AuthMethod.PROVIDER,
        )


def _at_provider(next_address: str) -> str:
    return "/sign-in/provider" + (f"?next={quote(next_address, safe='')}" if next_address != "/" else "")


def _wait_seconds(counts: list[tuple[RateLimit, str]]) -> int:
    return math.ceil(max(limit.wait_seconds(key) for limit, key in counts))


def refusal_words(_: Translate, why: Refusal, name: str) -> str:
    """Return why a user of a proxy or a provider is refused, and who can help."""
    words = {
        Refusal.NAME: _("Your user name there contains characters that are not accepted here."),
        Refusal.TAKEN: _("An account {name} already exists here and signs in another way."),
        Refusal.UNKNOWN: _("You are signed in there as {name}, but have no access to this page."),
        Refusal.DISABLED: _("The account {name} is disabled here."),
    }
    help_words = _("Ask an administrator of this page.")
    return f"{words[why].format(name=name[:64])} {help_words}"
