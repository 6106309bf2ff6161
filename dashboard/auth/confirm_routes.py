"""Step-up authentication, required before keys, addresses, users or files are changed."""

from __future__ import annotations

import asyncio
import math

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboard.auth.addresses import safe_next
from dashboard.auth.audit import SignInOutcome
from dashboard.auth.authenticator import current_login
from dashboard.auth.context import AuthContext
from dashboard.auth.pages import Note
from dashboard.auth.passkeys import Purpose
from dashboard.auth.passwords import PasswordsBusyError
from dashboard.auth.sign_ins import ActiveLogin
from dashboard.auth.users import AuthMethod

CONFIRM = "/confirm"
DONE = f"{CONFIRM}?done=yes"
LOCAL = frozenset({AuthMethod.PASSWORD, AuthMethod.PASSKEY})


async def confirmed_response(auth: AuthContext, request: Request, form: dict[str, str]) -> Response:
    """Record that the user has just re-authenticated, and lead back to where that was asked for."""
    authenticated = current_login(request)
    await asyncio.to_thread(auth.sign_ins.confirm, authenticated.cookie)
    await auth.record(request, SignInOutcome.CONFIRMED, authenticated.active_login.account.name)
    next_address = safe_next(form.get("next"))
    # Without one, what waits is in another tab.
    return RedirectResponse(DONE if next_address == "/" else next_address, 303)


class ConfirmRoutes:
    """Re-authenticate a user with the password, a passkey or at the provider."""

    def __init__(self, auth: AuthContext) -> None:
        self._auth = auth

    def routes(self) -> list[Route]:
        """Return the Starlette routes; all need a sign-in."""
        return [
            Route(CONFIRM, self.show, methods=["GET"]),
            Route(CONFIRM, self.confirm, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the form."""
        return self._page(request, None)

    async def confirm(self, request: Request) -> Response:
        """Check the signed-in user's password."""
        _ = self._auth.translator(request)
        sent = await self._auth.read_form(
            request, lambda _sent: self._page(request, Note(_("The form had expired. Try again.")), 403)
        )
        if isinstance(sent, Response):
            return sent
        authenticated = current_login(request)
        account, key = authenticated.active_login.account, authenticated.active_login.key
        if not self._may_use_password(authenticated.active_login):
            return RedirectResponse(CONFIRM, 303)
        # Counted by sign-in: guesses of others at this account do not delay the signed-in user.
        wait_seconds = math.ceil(self._auth.device_limit.wait_seconds(key))
        if wait_seconds:
            text = _("Too many attempts. Wait {seconds} seconds, then try again.")
            return self._page(request, Note(text.replace("{seconds}", str(wait_seconds))), 429)
        self._auth.device_limit.count(key)
        try:
            is_right = await self._auth.passwords.matches(sent.get("password", ""), account.password_hash)
        except PasswordsBusyError:
            return self._page(request, Note(_("The page is busy. Wait a moment, then try again.")), 503)
        if not is_right:
            await self._auth.record(request, SignInOutcome.FAILED, account.name)
            return self._page(request, Note(_("The password is wrong.")), 422)
        self._auth.device_limit.clear(key)
        return await confirmed_response(self._auth, request, sent)

    def _may_use_password(self, active_login: ActiveLogin) -> bool:
        # Where a passkey is required, the password alone confirms no more than it signs in.
        needs_passkey = self._auth.passkeys.required and active_login.account.passkeys
        return active_login.sign_in.way in LOCAL and not needs_passkey

    def _page(self, request: Request, note: Note | None, status_code: int = 200) -> Response:
        authenticated = current_login(request)
        account, method = authenticated.active_login.account, authenticated.active_login.sign_in.way
        must_confirm = self._auth.sign_ins.must_confirm(authenticated.cookie)
        minutes = round(self._auth.sign_ins.lifetimes.confirmed.total_seconds() / 60)
        if method is not AuthMethod.PROXY and not must_confirm:
            _ = self._auth.translator(request)
            text = _("Confirmed for {minutes} minutes. Go back to the other tab and try again.")
            note = Note(text.format(minutes=minutes), is_good=True)
        return self._auth.page(
            request,
            "confirm.html",
            status_code,
            note=note,
            name=account.name,
            next_address=safe_next(request.query_params.get("next")),
            method=method.name,
            may_use_password=self._may_use_password(authenticated.active_login),
            passkey=self._auth.passkey_options(request, Purpose.CONFIRM, account) if method in LOCAL else "",
            must_confirm=must_confirm,
            minutes=minutes,
            provider=self._auth.provider_name,
        )
