"""The routes of the signed-in user's own account."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.exceptions import StoreError
from dashboard.auth.audit import SignInOutcome
from dashboard.auth.authenticator import current_login
from dashboard.auth.context import AuthContext
from dashboard.auth.pages import Note
from dashboard.auth.passkeys import MAX_PER_ACCOUNT, accepts
from dashboard.auth.passwords import PasswordsBusyError, password_problem
from dashboard.auth.sign_ins import ActiveLogin
from dashboard.auth.users import Account, AuthMethod, Passkey, UnknownUserError
from dashboard.auth.words import METHOD_LABELS, ROLES
from dashboard.formatting import duration
from dashboard.i18n import Translate
from dashboard.theme.theme import NAME

ACCOUNT = "/account"
MOMENT_SECONDS = 60
"""A device counts as in use until this long after its last activity."""


@dataclass(frozen=True)
class Device:
    """One sign-in or passkey of the user, formatted for the page."""

    key: str
    name: str
    lines: tuple[str, ...]
    is_this: bool


@dataclass(frozen=True)
class PasskeySection:
    """The user's passkeys, formatted for the page."""

    rows: list[Device]
    must_confirm: bool
    may_remove: bool
    options: str
    """What the browser creates the next one with; "" if none may be added now."""


class AccountRoutes:
    """Show the account, change the password, and end or remember single sign-ins."""

    def __init__(self, auth: AuthContext) -> None:
        self._auth = auth

    def routes(self) -> list[Route]:
        """Return the Starlette routes; all need a sign-in."""
        return [
            Route(ACCOUNT, self.show, methods=["GET"]),
            Route(f"{ACCOUNT}/password", self.change_password, methods=["POST"]),
            Route(f"{ACCOUNT}/sign-out", self.end_one, methods=["POST"]),
            Route(f"{ACCOUNT}/remember", self.remember, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the account."""
        _ = self._auth.translator(request)
        done = {
            "password": _("Your password was changed. All your other devices were signed out."),
            "signed-out": _("That device is signed out."),
            "remembered": _("This device is remembered."),
            "passkey-added": _("The passkey was added. You can sign in with it from now on."),
            "passkey-removed": _("The passkey was removed."),
        }.get(request.query_params.get("done", ""))
        return self._page(request, Note(done, is_good=True) if done else None)

    async def change_password(self, request: Request) -> Response:
        """Set a new password if the present one is right; all other sign-ins end."""
        form = await self._valid_form(request)
        if isinstance(form, Response):
            return form
        _ = self._auth.translator(request)
        account = current_login(request).active_login.account
        # Counted by sign-in: guesses of others at this account do not delay the signed-in user.
        key = current_login(request).active_login.key
        wait_seconds = math.ceil(self._auth.device_limit.wait_seconds(key))
        if wait_seconds:
            text = _("Too many attempts. Wait {seconds} seconds, then try again.")
            return self._page(request, Note(text.replace("{seconds}", str(wait_seconds))), 429)
        problem = password_problem(form.get("password", ""), form.get("repeated", ""), account.name, _)
        if problem:
            return self._page(request, Note(problem), 422)
        self._auth.device_limit.count(key)
        try:
            if not await self._auth.passwords.matches(form.get("current", ""), account.password_hash):
                return self._page(request, Note(_("The current password is wrong.")), 422)
            password_hash = await self._auth.passwords.hash(form["password"])
            changed = await asyncio.to_thread(self._store, account, password_hash)
        except PasswordsBusyError:
            return self._page(request, Note(_("The page is busy. Wait a moment, then try again.")), 503)
        except StoreError as error:
            return self._page(request, Note(error.message), 500)
        except UnknownUserError:
            return RedirectResponse("/", 303)
        self._auth.device_limit.clear(key)
        await self._auth.record(request, SignInOutcome.PASSWORD_CHANGED, account.name)
        sign_in = current_login(request).active_login.sign_in
        return await self._auth.sign_in_account(
            request, changed, sign_in.way, f"{ACCOUNT}?done=password", remembered=sign_in.remembered
        )

    async def end_one(self, request: Request) -> Response:
        """End the sign-in of another of the user's devices."""
        form = await self._valid_form(request)
        if isinstance(form, Response):
            return form
        account = current_login(request).active_login.account
        try:
            has_ended = await asyncio.to_thread(self._auth.sign_ins.end_one, account, form.get("device", ""))
        except StoreError as error:
            # It has ended here; another page may still let that device in.
            await self._auth.record(request, SignInOutcome.SIGNED_OUT, account.name)
            return self._page(request, Note(error.message), 500)
        if has_ended:
            await self._auth.record(request, SignInOutcome.SIGNED_OUT, account.name)
        return RedirectResponse(f"{ACCOUNT}?done=signed-out", 303)

    async def remember(self, request: Request) -> Response:
        """Extend this browser's sign-in to weeks."""
        form = await self._valid_form(request)
        if isinstance(form, Response):
            return form
        authenticated = current_login(request)
        if not self._remember_days(authenticated.active_login):
            return RedirectResponse(ACCOUNT, 303)
        await asyncio.to_thread(self._auth.sign_ins.remember, authenticated.cookie)
        response = RedirectResponse(f"{ACCOUNT}?done=remembered", 303)
        self._auth.set_sign_in_cookie(response, request, authenticated.cookie, remembered=True)
        return response

    async def _valid_form(self, request: Request) -> dict[str, str] | Response:
        _ = self._auth.translator(request)
        return await self._auth.read_form(
            request, lambda _sent: self._page(request, Note(_("The form had expired. Try again.")), 403)
        )

    def _store(self, account: Account, password_hash: str) -> Account:
        def change(found: Account) -> Account:
            if found.password_hash != account.password_hash:
                # Changed by another request while this one was checked.
                raise UnknownUserError
            changes = {"password_hash": password_hash, "link": None, "generation": found.generation + 1}
            return found.model_copy(update=changes)

        changed = self._auth.users.change(account.name, change)
        if changed is None:
            raise UnknownUserError
        return changed

    def _page(self, request: Request, note: Note | None, status_code: int = 200) -> Response:
        _ = self._auth.translator(request)
        active_login = current_login(request).active_login
        moment = self._auth.clock()
        return self._auth.page(
            request,
            "account.html",
            status_code,
            note=note,
            name=active_login.account.name,
            role=_(ROLES[active_login.account.role]),
            has_password=active_login.account.password_hash is not None,
            method_label=_(METHOD_LABELS[active_login.sign_in.way]),
            devices=[
                _device(one, active_login, moment, _) for one in self._auth.sign_ins.of(active_login.account)
            ],
            remember_days=self._remember_days(active_login),
            passkeys=self._passkeys(request, active_login.account, _),
        )

    def _passkeys(self, request: Request, account: Account, _: Translate) -> PasskeySection | None:
        site, passkeys = self._auth.passkeys.site(request), self._auth.passkeys
        if not accepts(account) or site is None:
            return None
        must_confirm = self._auth.sign_ins.must_confirm(current_login(request).cookie)
        has_room = len(account.passkeys) < MAX_PER_ACCOUNT
        return PasskeySection(
            rows=[_row(one, self._auth.clock(), _) for one in account.passkeys],
            must_confirm=must_confirm,
            may_remove=passkeys.may_remove(account),
            options=passkeys.creation_options(site, self._auth.binding(request), account, NAME)
            if has_room and not must_confirm
            else "",
        )

    def _remember_days(self, active_login: ActiveLogin) -> int:
        # A proxy decides itself how long its sign-ins last.
        if active_login.sign_in.remembered or active_login.sign_in.way is AuthMethod.PROXY:
            return 0
        return self._auth.sign_in_options.remember_days


def _row(one: Passkey, moment: datetime, _: Translate) -> Device:
    created = duration((moment - one.created_at).total_seconds())
    used = duration((moment - one.used_at).total_seconds()) if one.used_at else ""
    text = _("Last used {duration} ago, added {begun} ago") if used else _("Not used yet, added {begun} ago")
    lines = (text.format(duration=used, begun=created),)
    return Device(key=one.id, name=one.name or _("Unknown device"), lines=lines, is_this=False)


def _device(one: ActiveLogin, own: ActiveLogin, moment: datetime, _: Translate) -> Device:
    unused = (moment - one.sign_in.seen_at).total_seconds()
    begun = duration((moment - one.sign_in.created_at).total_seconds())
    text = (
        _("Last used {duration} ago, signed in {begun} ago")
        if unused >= MOMENT_SECONDS
        else _("In use, signed in {begun} ago")
    )
    lines = [
        text.format(duration=duration(unused), begun=begun),
        _("From {address}").format(address=one.sign_in.address) if one.sign_in.address else "",
        _("Remembered") if one.sign_in.remembered else "",
    ]
    return Device(
        key=one.key,
        name=one.sign_in.device or _("Unknown device"),
        lines=tuple(line for line in lines if line),
        is_this=one.key == own.key,
    )
