"""The routes of passkeys: sign in, confirm, add and remove."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.addresses import address_key
from core.exceptions import StoreError
from dashboard.auth.account_routes import ACCOUNT
from dashboard.auth.addresses import client_address, safe_next
from dashboard.auth.audit import SignInOutcome
from dashboard.auth.authenticator import current_login
from dashboard.auth.confirm_routes import CONFIRM, confirmed_response
from dashboard.auth.context import AuthContext
from dashboard.auth.devices import device_name
from dashboard.auth.pages import Note
from dashboard.auth.passkeys import PasskeyRefusedError, Purpose, Site
from dashboard.auth.users import Account, AuthMethod

SIGN_IN_PASSKEY = "/sign-in/passkey"
ANSWER = "credential"


class PasskeyRoutes:
    """Take the answers of authenticators, which a page's script puts into its form."""

    def __init__(self, auth: AuthContext) -> None:
        self._auth = auth

    def open_routes(self) -> list[Route]:
        """Return the route that needs no sign-in."""
        return [Route(SIGN_IN_PASSKEY, self.sign_in, methods=["POST"])]

    def routes(self) -> list[Route]:
        """Return the routes that need a sign-in."""
        return [
            Route(f"{CONFIRM}/passkey", self.confirm, methods=["POST"]),
            Route(f"{ACCOUNT}/passkeys", self.add, methods=["POST"]),
            Route(f"{ACCOUNT}/passkeys/remove", self.remove, methods=["POST"]),
        ]

    async def sign_in(self, request: Request) -> Response:
        """Sign in by a passkey alone, or by the one that is required after the password.

        No limit counts here: nobody guesses a signature, and no stranger can name a passkey.
        """
        site, form = self._auth.passkeys.site(request), await self._form(request)
        if isinstance(form, Response):
            return form
        if site is None:
            return RedirectResponse("/sign-in", 303)
        next_address, remembered = safe_next(form.get("next")), form.get("remember") == "yes"
        half: Account | None = None
        try:
            if "pending" in form:
                half = self._auth.passkeys.account_of(form["pending"], self._auth.binding(request))
            account = await asyncio.to_thread(self._account, request, site, form, half)
        except PasskeyRefusedError:
            return await self._refused(request, half, next_address, remembered=remembered)
        except StoreError as error:
            return self._auth.problem_page(request, error.message, 500)
        if half and not half.passkeys:
            await self._auth.record(request, SignInOutcome.PASSKEY_ADDED, account.name)
        response = await self._auth.sign_in_account(
            request, account, AuthMethod.PASSKEY, next_address, remembered=remembered
        )
        await self._auth.record(request, SignInOutcome.SIGNED_IN, account.name)
        return response

    async def confirm(self, request: Request) -> Response:
        """Re-authenticate the signed-in user by a passkey."""
        site, form = self._auth.passkeys.site(request), await self._form(request)
        if isinstance(form, Response):
            return form
        if site is None:
            return RedirectResponse(CONFIRM, 303)
        account = current_login(request).active_login.account
        try:
            await asyncio.to_thread(
                self._auth.passkeys.verify,
                site,
                Purpose.CONFIRM,
                self._auth.binding(request),
                form.get(ANSWER, ""),
                account,
            )
        except PasskeyRefusedError:
            await self._auth.record(request, SignInOutcome.FAILED, account.name)
            return self._auth.problem_page(request, self._refusal(request), 403, again=CONFIRM)
        return await confirmed_response(self._auth, request, form)

    async def add(self, request: Request) -> Response:
        """Store a new passkey of the signed-in user, who has authenticated a moment ago."""
        site, form = self._auth.passkeys.site(request), await self._form(request)
        if isinstance(form, Response):
            return form
        if site is None or self._must_confirm(request):
            return RedirectResponse(ACCOUNT, 303)
        account = current_login(request).active_login.account
        name = device_name(request.headers.get("user-agent", ""))
        binding, answer = self._auth.binding(request), form.get(ANSWER, "")
        try:
            await asyncio.to_thread(self._auth.passkeys.add, site, binding, account, answer, name)
        except PasskeyRefusedError:
            return self._auth.problem_page(request, self._refusal(request), 403, again=ACCOUNT)
        except StoreError as error:
            return self._auth.problem_page(request, error.message, 500, again=ACCOUNT)
        await self._auth.record(request, SignInOutcome.PASSKEY_ADDED, account.name)
        return RedirectResponse(f"{ACCOUNT}?done=passkey-added", 303)

    async def remove(self, request: Request) -> Response:
        """Remove a passkey of the signed-in user, who has authenticated a moment ago."""
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        if self._must_confirm(request):
            return RedirectResponse(ACCOUNT, 303)
        account = current_login(request).active_login.account
        try:
            removed = await asyncio.to_thread(self._auth.passkeys.remove, account, form.get("passkey", ""))
        except (StoreError, PasskeyRefusedError):
            return RedirectResponse(ACCOUNT, 303)
        if removed:
            await self._auth.record(request, SignInOutcome.PASSKEY_REMOVED, account.name)
        return RedirectResponse(f"{ACCOUNT}?done=passkey-removed", 303)

    def _account(self, request: Request, site: Site, form: dict[str, str], half: Account | None) -> Account:
        binding, answer = self._auth.binding(request), form.get(ANSWER, "")
        if half is None:
            return self._auth.passkeys.verify(site, Purpose.SIGN_IN, binding, answer)
        if half.passkeys:
            return self._auth.passkeys.verify(site, Purpose.SECOND, binding, answer, half)
        name = device_name(request.headers.get("user-agent", ""))
        return self._auth.passkeys.add(site, binding, half, answer, name)

    async def _refused(
        self, request: Request, half: Account | None, next_address: str, *, remembered: bool
    ) -> Response:
        text = self._refusal(request)
        if half is None:
            # As with links: only failures count, and a good passkey is never refused for others' failures.
            key = address_key(client_address(request))
            if not self._auth.address_limit.wait_seconds(key):
                self._auth.address_limit.count(key)
                await self._auth.record(request, SignInOutcome.FAILED, None)
            return self._auth.problem_page(request, text, 403)
        await self._auth.record(request, SignInOutcome.FAILED, half.name)
        return self._auth.second_factor_page(
            request, half, next_address, remembered=remembered, note=Note(text)
        )

    async def _form(self, request: Request) -> dict[str, str] | Response:
        _ = self._auth.translator(request)
        return await self._auth.read_form(
            request,
            lambda _sent: self._auth.problem_page(request, _("The form had expired. Try again."), 403),
        )

    def _must_confirm(self, request: Request) -> bool:
        return self._auth.sign_ins.must_confirm(current_login(request).cookie)

    def _refusal(self, request: Request) -> str:
        _ = self._auth.translator(request)
        return _("The passkey was not accepted: it is unknown here, or the request had expired. Try again.")
