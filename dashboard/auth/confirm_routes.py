"""Step-up authentication, required before keys, addresses, users or files are changed."""

from __future__ import annotations

import asyncio
import math

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboard.auth.audit import SignInOutcome
from dashboard.auth.authenticator import current_login
from dashboard.auth.context import AuthContext
from dashboard.auth.elements import (
    Note,
    button,
    form,
    link,
    link_button,
    note_box,
    page,
    paragraph,
    text_field,
    unseen,
)
from dashboard.auth.forms import FormError, read_form
from dashboard.auth.pages import USER_NAME_RULES
from dashboard.auth.passwords import MAX_LENGTH, PasswordsBusyError
from dashboard.auth.users import AuthMethod

CONFIRM = "/confirm"
DONE = f"{CONFIRM}?done=yes"
AT_PROVIDER = "/sign-in/provider?confirm=yes"


class ConfirmRoutes:
    """Re-authenticate a user with the password or at the provider."""

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
        try:
            sent = await read_form(request)
        except FormError as error:
            return self._auth.form_error_response(request, error)
        _ = self._auth.frame(request).translate
        if not self._auth.is_valid_form(request, sent):
            return self._page(request, Note(_("The form was out of date. Please try again.")), 403)
        authenticated = current_login(request)
        account, key = authenticated.active_login.account, authenticated.active_login.key
        if authenticated.active_login.sign_in.way is not AuthMethod.PASSWORD:
            return RedirectResponse(CONFIRM, 303)
        # Counted by sign-in: guesses of others at this account do not delay the signed-in user.
        wait_seconds = math.ceil(self._auth.device_limit.wait_seconds(key))
        if wait_seconds:
            text = _("Too many tries. Wait {seconds} seconds, then try again.")
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
        await asyncio.to_thread(self._auth.sign_ins.confirm, authenticated.cookie)
        await self._auth.record(request, SignInOutcome.CONFIRMED, account.name)
        return RedirectResponse(DONE, 303)

    def _page(self, request: Request, note: Note | None, status_code: int = 200) -> Response:
        frame, authenticated = self._auth.frame(request), current_login(request)
        _ = frame.translate
        title, back = _("Confirm that it is you"), link("/", _("Back to the sessions"))
        minutes = round(self._auth.sign_ins.lifetimes.confirmed.total_seconds() / 60)
        if authenticated.active_login.sign_in.way is AuthMethod.PROXY:
            text = _("A reverse proxy signs you in. Only it could ask you again, so nothing is asked here.")
            return self._auth.page(request, page(frame.locale, title, [paragraph(text), back]), status_code)
        if not self._auth.sign_ins.must_confirm(authenticated.cookie):
            text = _("Confirmed for {minutes} minutes. Go back to the other tab and press again.")
            done = Note(text.format(minutes=minutes), is_good=True)
            return self._auth.page(request, page(frame.locale, title, [note_box(done), back]), status_code)
        why = _(
            "Keys, addresses, users and files can be changed only within {minutes} minutes of signing in."
        )
        body = [note_box(note), paragraph(why.format(minutes=minutes))]
        if authenticated.active_login.sign_in.way is AuthMethod.PROVIDER:
            words = _("Confirm with {provider}").format(provider=self._auth.provider_name)
            body.append(link_button(AT_PROVIDER, words))
        else:
            rules = f'autocomplete="current-password" maxlength="{MAX_LENGTH}" autofocus'
            body.append(
                form(
                    CONFIRM,
                    frame.form_token,
                    unseen(
                        text_field(
                            "name",
                            _("Name"),
                            rules=USER_NAME_RULES,
                            value=authenticated.active_login.account.name,
                        )
                    ),
                    text_field("password", _("Password"), rules=rules, kind="password"),
                    button(_("Confirm")),
                )
            )
        return self._auth.page(request, page(frame.locale, title, [*body, back]), status_code)
