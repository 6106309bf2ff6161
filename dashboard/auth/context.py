"""The collaborators of the sign-in routes, and the responses they share, in the user's language."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from core.clock import Now, now
from dashboard.auth.addresses import client_address
from dashboard.auth.audit import Audit, SignInOutcome
from dashboard.auth.authenticator import Authenticator
from dashboard.auth.cookies import (
    DEVICE_COOKIE,
    FORM_COOKIE,
    SIGN_IN_COOKIE,
    CookieRule,
    read_cookie,
    set_cookie,
)
from dashboard.auth.devices import device_name
from dashboard.auth.external_accounts import ExternalAccounts
from dashboard.auth.forms import FormError, FormTokens, read_form
from dashboard.auth.known_devices import KNOWN_FOR, known_device, new_device
from dashboard.auth.links import SignInLinks
from dashboard.auth.pages import Note, render
from dashboard.auth.passkeys import Passkeys, Purpose
from dashboard.auth.passwords import Passwords
from dashboard.auth.rate_limit import RateLimit
from dashboard.auth.sign_ins import SignIns
from dashboard.auth.users import Account, AuthMethod, Role, Users
from dashboard.i18n import Translate, negotiate, translator
from dashboard.theme.theme import NAME


def _address_limit() -> RateLimit:
    return RateLimit(free_tries=5, first_wait_seconds=2.0, max_wait_seconds=900.0)


def _account_limit() -> RateLimit:
    # A shorter maximum: an attacker who keeps guessing could otherwise lock the administrator out of a new
    # device.
    return RateLimit(free_tries=10, first_wait_seconds=2.0, max_wait_seconds=60.0)


def _device_limit() -> RateLimit:
    return RateLimit(free_tries=10, first_wait_seconds=2.0, max_wait_seconds=900.0)


@dataclass(frozen=True)
class SignInOptions:
    """What the sign-in page offers besides name and password."""

    provider: str = ""
    """Display name of the provider; "" without one."""
    remember_days: int = 0
    proxy_user: str = ""
    """The user who has just signed out here, but is still signed in at the proxy in front of the page."""
    leave_provider: bool = False
    """Whether a user has just signed out here, but may still be signed in at the provider."""


@dataclass(frozen=True)
class AuthContext:
    """The services that sign users in and out, with their rate limits."""

    users: Users
    sign_ins: SignIns
    authenticator: Authenticator
    external_accounts: ExternalAccounts
    passkeys: Passkeys
    passwords: Passwords
    links: SignInLinks
    audit: Audit
    cookie_rule: CookieRule
    data_directory: Path
    forms: FormTokens
    page_key: bytes = field(repr=False)
    provider_name: str = ""
    """Display name of the OpenID Connect provider; "" without one."""
    clock: Now = now
    address_limit: RateLimit = field(default_factory=_address_limit)
    account_limit: RateLimit = field(default_factory=_account_limit)
    device_limit: RateLimit = field(default_factory=_device_limit)
    """Keyed by values that an attacker cannot invent: a known device, a sign-in."""

    @property
    def sign_in_options(self) -> SignInOptions:
        """Return the authentication methods that the sign-in page offers."""
        return SignInOptions(self.provider_name, self.sign_ins.lifetimes.remembered.days)

    def is_operator(self, name: str) -> bool:
        """Return whether the user may pair sessions. Reads memory only."""
        account = self.users.find(name)
        return account is not None and not account.disabled and account.role.covers(Role.OPERATOR)

    def translator(self, request: Request) -> Translate:
        """Return the function that translates into the user's language."""
        return translator(_locale(request))

    def page(
        self,
        request: Request,
        template: str,
        status_code: int = 200,
        *,
        note: Note | None = None,
        **values: object,
    ) -> Response:
        """Return a page, and set the cookie that its form token is bound to if the browser has none."""
        token = self.forms.token(self.binding(request))
        html = render(template, _locale(request), token=token, note=note, **values)
        response = HTMLResponse(html, status_code)
        if read_cookie(request, FORM_COOKIE, rule=self.cookie_rule) is None:
            set_cookie(response, FORM_COOKIE, self.binding(request), request=request, rule=self.cookie_rule)
        return response

    def form_error_response(self, request: Request, error: FormError) -> Response:
        """Return the response to a form that is too large, too slow or malformed."""
        _ = self.translator(request)
        text = _("The form could not be read. Try again.")
        return self.problem_page(request, text, error.status_code)

    def problem_page(
        self, request: Request, text: str, status_code: int, *, again: str = "/sign-in"
    ) -> Response:
        """Return a page that explains why signing in failed, with a link back."""
        _ = self.translator(request)
        return self.page(
            request,
            "message.html",
            status_code,
            note=Note(text),
            title=_("Sign in"),
            back=(again, _("Go to the sign-in")),
        )

    def passkey_options(self, request: Request, purpose: Purpose, account: Account | None = None) -> str:
        """Return what a script passes to the browser's authenticator, as JSON; "" if there is no passkey."""
        site = self.passkeys.site(request)
        owners = [account] if account else self.users.all()
        if site is None or not any(one.passkeys for one in owners):
            return ""
        return self.passkeys.request_options(site, purpose, self.binding(request), account)

    def second_factor_page(
        self,
        request: Request,
        account: Account,
        next_address: str,
        *,
        remembered: bool = False,
        note: Note | None = None,
    ) -> Response:
        """Return the page that asks for a passkey after the right password, or has the first one created."""
        site, binding = self.passkeys.site(request), self.binding(request)
        if site is None:
            _ = self.translator(request)
            return self.problem_page(request, _("Open this page at its published address to sign in."), 403)
        options = self.passkey_options(request, Purpose.SECOND, account)
        return self.page(
            request,
            "second-factor.html",
            403 if note else 200,
            note=note,
            is_new=not options,
            options=options or self.passkeys.creation_options(site, binding, account, NAME),
            pending=self.passkeys.pending(account, binding),
            next_address=next_address,
            remembered=remembered,
        )

    async def read_form(
        self, request: Request, refuse: Callable[[dict[str, str]], Response]
    ) -> dict[str, str] | Response:
        """Return the fields of a posted form, or the response to one that cannot be accepted.

        `refuse` makes it from the fields of a form that was not issued to this browser.
        """
        try:
            form = await read_form(request)
        except FormError as error:
            return self.form_error_response(request, error)
        is_valid = self.forms.is_valid(read_cookie(request, FORM_COOKIE, rule=self.cookie_rule), form)
        return form if is_valid else refuse(form)

    async def record(self, request: Request, outcome: SignInOutcome, actor: str | None) -> None:
        """Write an audit entry in a thread: the disk must not block the event loop."""
        await asyncio.to_thread(self.audit.record, outcome, actor=actor, address=client_address(request))

    async def sign_in_account(
        self,
        request: Request,
        account: Account,
        method: AuthMethod,
        next_address: str,
        *,
        remembered: bool = False,
    ) -> Response:
        """Sign the account in under a new id, and redirect to `next_address`."""
        remembered = remembered and self.sign_in_options.remember_days > 0
        former = read_cookie(request, SIGN_IN_COOKIE, rule=self.cookie_rule)
        cookie = await asyncio.to_thread(self._begin, former, request, account, method, remembered)
        response = RedirectResponse(next_address, 303)
        self.set_sign_in_cookie(response, request, cookie, remembered=remembered)
        if method in {AuthMethod.PASSWORD, AuthMethod.PASSKEY}:
            self._know_device(response, request, account)
        return response

    def device(self, request: Request, account: Account | None) -> str | None:
        """Return the rate limit key of a browser in which this account has signed in before, else None."""
        return known_device(read_cookie(request, DEVICE_COOKIE, rule=self.cookie_rule), account)

    def set_sign_in_cookie(
        self, response: Response, request: Request, cookie: str, *, remembered: bool
    ) -> None:
        """Set the sign-in cookie, with the longest lifetime that the sign-in can have."""
        lifetimes = self.sign_ins.lifetimes
        lifetime = lifetimes.remembered if remembered else lifetimes.longest
        set_cookie(
            response, SIGN_IN_COOKIE, cookie, request=request, rule=self.cookie_rule, lifetime=lifetime
        )

    def _know_device(self, response: Response, request: Request, account: Account) -> None:
        # Read it again: an outdated hash has just been replaced.
        account = self.users.find(account.name) or account
        if self.device(request, account) is None:
            set_cookie(
                response,
                DEVICE_COOKIE,
                new_device(account),
                request=request,
                rule=self.cookie_rule,
                lifetime=KNOWN_FOR,
                same_site="strict",
            )

    def _begin(
        self, former: str | None, request: Request, account: Account, method: AuthMethod, remembered: bool
    ) -> str:
        self.sign_ins.end(former)
        return self.sign_ins.begin(
            account,
            method,
            remembered=remembered,
            device=device_name(request.headers.get("user-agent", "")),
            address=client_address(request),
        )

    def binding(self, request: Request) -> str:
        """Return the value of the form cookie, which the browser may be about to get."""
        # The frame and the cookie are created at different times in one request: both need the same value.
        if not hasattr(request.state, "form_binding"):
            sent = read_cookie(request, FORM_COOKIE, rule=self.cookie_rule)
            request.state.form_binding = sent or self.forms.new_binding()
        return str(request.state.form_binding)


def _locale(request: Request) -> str:
    return negotiate(request.headers.get("accept-language", ""))
