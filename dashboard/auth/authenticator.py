"""Authentication of requests: the only place that maps a sign-in cookie to a user."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import Scope

from dashboard.auth.cookies import SIGN_IN_COOKIE, CookieRule, read_cookie, with_sign_in
from dashboard.auth.external_accounts import Identity
from dashboard.auth.proxy import ProxyHeader
from dashboard.auth.proxy_liveness import Vouches
from dashboard.auth.sign_ins import ActiveLogin, SignIns
from dashboard.auth.users import AuthMethod

log = logging.getLogger(__name__)

KNOWN = "wppconnect_ops.known"
ACCOUNT_HEADER = "x-wppconnect-account"
"""Identifies the account to Streamlit, which resumes a tab's session only for the account that opened it."""


@dataclass(frozen=True)
class Known:
    """The sign-in of an authenticated request."""

    cookie: str
    held: ActiveLogin

    def passed_on(self, scope: Scope) -> Scope:
        """Return the scope for the app behind the gate; routes read the sign-in with `known_to`."""
        headers = MutableHeaders(raw=list(with_sign_in(scope, self.cookie)["headers"]))
        # Replaces a header that the browser may have sent. A hash, because names may contain any script.
        headers[ACCOUNT_HEADER] = hashlib.sha256(self.held.account.key.encode()).hexdigest()
        return {**scope, "headers": headers.raw, KNOWN: self}


@dataclass(frozen=True)
class Authenticator:
    """Find the sign-in of a request and check that it is valid for it."""

    sign_ins: SignIns
    cookie_rule: CookieRule
    proxy: ProxyHeader | None = None
    vouches: Vouches = field(default_factory=Vouches)

    def known(self, connection: HTTPConnection) -> Known | None:
        """Return the sign-in of the connection, or None. Reads memory only.

        A sign-in by a proxy's header is valid only for requests that carry the header: the cookie alone, on a
        route around the proxy or after another user signed in at the proxy, authenticates nothing.
        """
        cookie = read_cookie(connection, SIGN_IN_COOKIE, rule=self.cookie_rule)
        held = self.sign_ins.find(cookie)
        if cookie is None or held is None:
            return None
        if held.sign_in.way is AuthMethod.PROXY:
            if not (self.proxy and self.proxy.vouches_for(connection, held.account)):
                return None
            self.vouches.note(cookie)
        return Known(cookie, held)

    @contextmanager
    def open_tab(self, known: Known) -> Iterator[None]:
        """Track an open tab, so that `sweep` can end its sign-in when the proxy no longer confirms it."""
        is_vouched_for = known.held.sign_in.way is AuthMethod.PROXY
        with self.vouches.open_tab(known.cookie) if is_vouched_for else nullcontext():
            yield

    def sweep(self) -> None:
        """End the sign-ins with open tabs that the proxy no longer confirms."""
        for cookie in self.vouches.lapsed():
            log.info("sign_in_ended reason=proxy_vouches_no_longer")
            self.sign_ins.end(cookie)

    def identity(self, connection: HTTPConnection) -> Identity | None:
        """Return the identity that a trusted proxy asserts for this request, or None."""
        return self.proxy.identity(connection) if self.proxy else None


def known_to(request: HTTPConnection) -> Known:
    """Return the sign-in of a request that has passed the gate."""
    known: Known = request.scope[KNOWN]
    return known
