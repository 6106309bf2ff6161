"""The routes for signing in at the provider."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.addresses import address_key
from core.exceptions import StoreError
from dashboard.auth.addresses import client_address, safe_next, sign_in_address
from dashboard.auth.audit import SignInOutcome
from dashboard.auth.confirm_routes import CONFIRM
from dashboard.auth.context import AuthContext
from dashboard.auth.cookies import PROVIDER_COOKIE, read_cookie, remove_cookie, set_cookie
from dashboard.auth.external_accounts import Identity, RefusedError
from dashboard.auth.provider import Provider
from dashboard.auth.provider_claims import ProviderError, ProviderProblem
from dashboard.auth.provider_flow import VALID_FOR, Flows
from dashboard.auth.rate_limit import RateLimit
from dashboard.auth.routes import refusal_words
from dashboard.auth.users import AuthMethod
from dashboard.i18n import Translate

log = logging.getLogger(__name__)

BEGIN = "/sign-in/provider"
CALLBACK = "/sign-in/provider/callback"
SIGN_OUT = "/sign-in/provider/sign-out"


class ProviderRoutes:
    """Redirect users to the provider, and sign them in at the callback."""

    def __init__(self, auth: AuthContext, provider: Provider, *, flows: Flows, sign_in_url: str) -> None:
        self._auth = auth
        self._provider = provider
        self._flows = flows
        self._sign_in_url = sign_in_url
        # Each callback costs the provider a request: a user needs one, a flood gets few.
        self._limit = RateLimit(free_tries=20, first_wait_seconds=2.0, max_wait_seconds=300.0)

    def routes(self) -> list[Route]:
        """Return the Starlette routes; none needs a sign-in."""
        return [
            Route(BEGIN, self.begin, methods=["GET"]),
            Route(CALLBACK, self.come_back, methods=["GET"]),
            Route(SIGN_OUT, self.leave, methods=["GET"]),
        ]

    async def begin(self, request: Request) -> Response:
        """Redirect to the provider, with the flow in a cookie."""
        confirms = "confirm" in request.query_params
        next_address = CONFIRM if confirms else safe_next(request.query_params.get("next"))
        session = {"next": next_address, "confirms": confirms}
        try:
            response = await self._provider.redirect(_with_session(request, session), confirms=confirms)
        except ProviderError as error:
            return self._told(request, error, next_address)
        set_cookie(
            response,
            PROVIDER_COOKIE,
            self._flows.seal(session),
            request=request,
            rule=self._auth.cookie_rule,
            lifetime=VALID_FOR,
        )
        return response

    async def come_back(self, request: Request) -> Response:
        """Handle the callback: sign in the user whom the provider has authenticated, under a new id."""
        session = self._flows.open(read_cookie(request, PROVIDER_COOKIE, rule=self._auth.cookie_rule))
        next_address = session["next"] if session else "/"
        try:
            if session is None:
                raise ProviderError(ProviderProblem.STALE, "no such flow in this browser")
            self._count(request)
            asked_after = session["begun_at"] if session["confirms"] else None
            identity = await self._provider.identify(_with_session(request, session), asked_after=asked_after)
            enter = self._confirm if session["confirms"] else self._sign_in
            response = await enter(request, identity, next_address)
        except ProviderError as error:
            response = self._told(request, error, next_address)
        remove_cookie(response, PROVIDER_COOKIE, request=request, rule=self._auth.cookie_rule)
        return response

    async def leave(self, request: Request) -> Response:
        """Redirect to the provider's sign-out after signing out here."""
        try:
            url = await self._provider.sign_out_url(self._sign_in_url)
        except ProviderError as error:
            return self._told(request, error, "/")
        if url is not None:
            return RedirectResponse(url, 303)
        _ = self._auth.translator(request)
        text = _("{provider} has no address for signing out. Sign out on its own page.")
        return self._problem(request, text.format(provider=self._auth.provider_name), "/", 404)

    async def _sign_in(self, request: Request, identity: Identity, next_address: str) -> Response:
        _ = self._auth.translator(request)
        try:
            account = await asyncio.to_thread(self._auth.external_accounts.get_or_create, identity)
        except RefusedError as error:
            log.info("provider_user_refused why=%s", error.why.value)
            await self._auth.record(request, SignInOutcome.REFUSED, None)
            return self._problem(request, refusal_words(_, error.why, identity.name), next_address, 403)
        except StoreError as error:
            return self._problem(request, error.message, next_address, 500)
        response = await self._auth.sign_in_account(
            request, account, AuthMethod.PROVIDER, safe_next(next_address)
        )
        await self._auth.record(request, SignInOutcome.SIGNED_IN, account.name)
        return response

    async def _confirm(self, request: Request, identity: Identity, next_address: str) -> Response:
        """Record that the signed-in user has re-authenticated. Raises ProviderError for another user."""
        authenticated = self._auth.authenticator.authenticate(request)
        account = self._auth.users.of_subject(identity.subject or "")
        if authenticated is None or account is None or authenticated.active_login.account.key != account.key:
            raise ProviderError(
                ProviderProblem.UNTRUSTED, "the one who confirmed is not the one who is signed in"
            )
        await asyncio.to_thread(self._auth.sign_ins.confirm, authenticated.cookie)
        await self._auth.record(request, SignInOutcome.CONFIRMED, account.name)
        return RedirectResponse(next_address, 303)

    def _count(self, request: Request) -> None:
        key = address_key(client_address(request))
        if self._limit.wait_seconds(key):
            raise ProviderError(ProviderProblem.BUSY, "too many from one address")
        self._limit.count(key)

    def _told(self, request: Request, error: ProviderError, next_address: str) -> Response:
        log.warning("provider_sign_in_failed why=%s detail=%r", error.why.value, error.detail)
        _ = self._auth.translator(request)
        words, status_code = _words(_, error.why)
        text = words.format(provider=self._auth.provider_name)
        return self._problem(request, text, next_address, status_code)

    def _problem(self, request: Request, text: str, next_address: str, status_code: int) -> Response:
        return self._auth.problem_page(request, text, status_code, again=sign_in_address(next_address))


def _with_session(request: Request, session: dict[str, Any]) -> Request:
    # A copy, because the scope belongs to Streamlit's session middleware, which keeps another cookie.
    return Request({**request.scope, "session": session})


def _words(_: Translate, why: ProviderProblem) -> tuple[str, int]:
    words = {
        ProviderProblem.DOWN: (_("{provider} does not answer. Try again, or sign in with a password."), 502),
        ProviderProblem.SETTINGS: (
            _(
                "{provider} and this dashboard are not set up for each other. The dashboard's log has the "
                "details."
            ),
            502,
        ),
        ProviderProblem.CANCELLED: (_("{provider} did not sign you in, or you cancelled. Try again."), 403),
        ProviderProblem.STALE: (
            _("This sign-in was started elsewhere or too long ago. Start again."),
            400,
        ),
        ProviderProblem.UNTRUSTED: (
            _("The answer from {provider} failed the checks, so you were not signed in. Start again."),
            400,
        ),
        ProviderProblem.NO_NAME: (
            _("{provider} does not send your user name. The dashboard's log says which claim is missing."),
            403,
        ),
        ProviderProblem.NOT_ALLOWED: (
            _("Your e-mail address at {provider} is not allowed here, or not verified there."),
            403,
        ),
        ProviderProblem.BUSY: (
            _("Too many people are signing in now. Wait a moment, then try again."),
            503,
        ),
    }
    return words[why]
