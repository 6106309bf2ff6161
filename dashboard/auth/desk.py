"""What the sign-in routes work with, and how they answer: the pages in the reader's language."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dashboard.auth.addresses import client_address
from dashboard.auth.audit import Audit, SignInOutcome
from dashboard.auth.cookies import FORM_COOKIE, SIGN_IN_COOKIE, CookieRule, set_cookie
from dashboard.auth.forms import FormTokens
from dashboard.auth.links import FirstSignInLink
from dashboard.auth.pages import Frame
from dashboard.auth.passwords import Passwords
from dashboard.auth.rate_limit import RateLimit
from dashboard.auth.sign_ins import SignIns
from dashboard.auth.users import Account, Users
from dashboard.i18n import negotiate, translator


def _address_limit() -> RateLimit:
    return RateLimit(free_tries=5, first_wait_seconds=2.0, longest_wait_seconds=900.0)


def _account_limit() -> RateLimit:
    # Shorter at most: otherwise anybody could keep the administrator out by guessing on.
    return RateLimit(free_tries=10, first_wait_seconds=2.0, longest_wait_seconds=60.0)


@dataclass(frozen=True)
class Desk:
    """Everything that signs people in and out."""

    users: Users
    sign_ins: SignIns
    passwords: Passwords
    link: FirstSignInLink
    audit: Audit
    cookie_rule: CookieRule
    data_directory: Path
    forms: FormTokens = field(default_factory=FormTokens)
    address_limit: RateLimit = field(default_factory=_address_limit)
    account_limit: RateLimit = field(default_factory=_account_limit)

    def frame(self, request: Request) -> Frame:
        """Return what a page needs to know of its reader."""
        locale = negotiate(request.headers.get("accept-language", ""))
        return Frame(locale, translator(locale), self.forms.token(self._binding(request)))

    def page(self, request: Request, html: str, status_code: int = 200) -> Response:
        """Answer with a page of ours, together with the cookie to which its form belongs."""
        response = HTMLResponse(html, status_code)
        if FORM_COOKIE not in request.cookies:
            set_cookie(response, FORM_COOKIE, self._binding(request), request=request, rule=self.cookie_rule)
        return response

    async def record(self, request: Request, outcome: SignInOutcome, actor: str | None) -> None:
        """Write to the history without making the event loop wait for the disk."""
        await asyncio.to_thread(self.audit.record, outcome, actor=actor, address=client_address(request))

    async def let_in(self, request: Request, account: Account, next_address: str) -> Response:
        """Sign the account in in this browser, under a new id, and lead on."""
        await asyncio.to_thread(self.sign_ins.end, request.cookies.get(SIGN_IN_COOKIE))
        cookie = await asyncio.to_thread(self.sign_ins.begin, account)
        response = RedirectResponse(next_address, 303)
        set_cookie(
            response,
            SIGN_IN_COOKIE,
            cookie,
            request=request,
            rule=self.cookie_rule,
            lifetime=timedelta(seconds=self.sign_ins.longest.total_seconds()),
        )
        return response

    def _binding(self, request: Request) -> str:
        # Frame and cookie are made at different places for one request: both must see the same value.
        if not hasattr(request.state, "form_binding"):
            request.state.form_binding = self.forms.binding(request)
        return str(request.state.form_binding)
