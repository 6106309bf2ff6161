"""Authentication of requests: the only place that maps a sign-in cookie to a user."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import Scope

from dashboard.auth.cookies import SIGN_IN_COOKIE, CookieRule, read_cookie, with_sign_in
from dashboard.auth.external_accounts import Identity
from dashboard.auth.proxy import ProxyHeader
from dashboard.auth.sign_ins import ActiveLogin, SignIns
from dashboard.auth.users import AuthMethod

log = logging.getLogger(__name__)

SCOPE_KEY = "wppconnect_ops.authenticated"
ACCOUNT_HEADER = "x-wppconnect-account"
"""Identifies the account to Streamlit, which resumes a tab's session only for the account that opened it."""
GOOD_FOR_SECONDS = 150.0
"""Browsers run the timers of background tabs once a minute; two polls may fail."""

_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class AuthenticatedRequest:
    """The sign-in of an authenticated request."""

    cookie: str
    active_login: ActiveLogin

    def authenticated_scope(self, scope: Scope) -> Scope:
        """Return the scope for the app behind the gate; routes read the sign-in with `current_login`."""
        headers = MutableHeaders(raw=list(with_sign_in(scope, self.cookie)["headers"]))
        # Replaces a header that the browser may have sent. A hash, because names may contain any script.
        headers[ACCOUNT_HEADER] = hashlib.sha256(self.active_login.account.key.encode()).hexdigest()
        return {**scope, "headers": headers.raw, SCOPE_KEY: self}


class ProxyLiveness:
    """The time of the last confirmed request per sign-in with open tabs. In memory only.

    A proxy checks requests, not a websocket that is open already. Therefore every open page polls a small
    resource (`page.js`), and a tab whose requests no longer carry its user's name is signed out: a user who
    is removed at the proxy loses the open tabs as well.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard_at: dict[str, float] = {}
        self._tabs: Counter[str] = Counter()

    def note(self, cookie: str) -> None:
        """Record that the proxy has just confirmed a request of this sign-in."""
        if cookie in self._tabs:
            self._heard_at[cookie] = self._clock()

    @contextmanager
    def open_tab(self, cookie: str) -> Iterator[None]:
        """Require confirmation for the sign-in while this tab is open."""
        # In this order, because `lapsed` is called from another thread.
        self._heard_at[cookie] = self._clock()
        self._tabs[cookie] += 1
        try:
            yield
        finally:
            self._tabs[cookie] -= 1
            if not self._tabs[cookie]:
                del self._tabs[cookie]
                self._heard_at.pop(cookie, None)

    def lapsed(self) -> list[str]:
        """Return the sign-ins with open tabs that have not been confirmed for `GOOD_FOR_SECONDS`."""
        now = self._clock()
        return [
            cookie for cookie in list(self._tabs) if now - self._heard_at.get(cookie, now) > GOOD_FOR_SECONDS
        ]


@dataclass(frozen=True)
class Authenticator:
    """Find the sign-in of a request and check that it is valid for it."""

    sign_ins: SignIns
    cookie_rule: CookieRule
    proxy: ProxyHeader | None = None
    proxy_liveness: ProxyLiveness = field(default_factory=ProxyLiveness)

    def authenticate(self, connection: HTTPConnection) -> AuthenticatedRequest | None:
        """Return the sign-in of the connection, or None. Reads memory only.

        A sign-in by a proxy's header is valid only for requests that carry the header: the cookie alone, on a
        route around the proxy or after another user signed in at the proxy, authenticates nothing.
        """
        cookie = read_cookie(connection, SIGN_IN_COOKIE, rule=self.cookie_rule)
        active_login = self.sign_ins.find(cookie)
        if cookie is None or active_login is None:
            return None
        if active_login.sign_in.way is AuthMethod.PROXY:
            if not (self.proxy and self.proxy.confirms(connection, active_login.account)):
                return None
            self.proxy_liveness.note(cookie)
        return AuthenticatedRequest(cookie, active_login)

    def load(self, connection: HTTPConnection) -> bool:
        """Read the connection's sign-in from the store; return whether it has a cookie that can be one."""
        cookie = read_cookie(connection, SIGN_IN_COOKIE, rule=self.cookie_rule)
        if cookie is None or not _COOKIE.fullmatch(cookie):
            return False
        self.sign_ins.load(cookie)
        return True

    @contextmanager
    def open_tab(self, authenticated: AuthenticatedRequest) -> Iterator[None]:
        """Track an open tab, so that `sweep` can end its sign-in when the proxy no longer confirms it."""
        is_by_proxy = authenticated.active_login.sign_in.way is AuthMethod.PROXY
        with self.proxy_liveness.open_tab(authenticated.cookie) if is_by_proxy else nullcontext():
            yield

    def sweep(self) -> None:
        """End the sign-ins with open tabs that the proxy no longer confirms."""
        for cookie in self.proxy_liveness.lapsed():
            log.info("sign_in_ended reason=proxy_vouches_no_longer")
            self.sign_ins.end(cookie)

    def identity(self, connection: HTTPConnection) -> Identity | None:
        """Return the identity that a trusted proxy asserts for this request, or None."""
        return self.proxy.identity(connection) if self.proxy else None


def current_login(request: HTTPConnection) -> AuthenticatedRequest:
    """Return the sign-in of a request that has passed the gate."""
    authenticated: AuthenticatedRequest = request.scope[SCOPE_KEY]
    return authenticated
