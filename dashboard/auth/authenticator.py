"""Whose request is this: the one place where a cookie becomes a signed-in person."""

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
"""Whose request it is, for Streamlit: it resumes the session of a tab only for the account that opened it."""


@dataclass(frozen=True)
class Known:
    """A signed-in person's request."""

    cookie: str
    held: ActiveLogin

    def passed_on(self, scope: Scope) -> Scope:
        """Return the request for what stands behind the gate; our routes ask `known_to` whose it is."""
        headers = MutableHeaders(raw=list(with_sign_in(scope, self.cookie)["headers"]))
        # In place of what the browser may have sent; as a hash, because names may have letters of any script.
        headers[ACCOUNT_HEADER] = hashlib.sha256(self.held.account.key.encode()).hexdigest()
        return {**scope, "headers": headers.raw, KNOWN: self}


@dataclass(frozen=True)
class Authenticator:
    """What a sign-in needs to hold for a request."""

    sign_ins: SignIns
    cookie_rule: CookieRule
    proxy: ProxyHeader | None = None
    vouches: Vouches = field(default_factory=Vouches)

    def known(self, connection: HTTPConnection) -> Known | None:
        """Tell who is signed in; memory only.

        A sign-in by a proxy's header holds only for requests that carry it: the cookie alone, on a way
        around the proxy or after a change of the person at it, opens nothing.
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
        """Watch over a tab while it is open."""
        is_vouched_for = known.held.sign_in.way is AuthMethod.PROXY
        with self.vouches.open_tab(known.cookie) if is_vouched_for else nullcontext():
            yield

    def sweep(self) -> None:
        """End sign-ins with open tabs for which the proxy no longer vouches."""
        for cookie in self.vouches.lapsed():
            log.info("sign_in_ended reason=proxy_vouches_no_longer")
            self.sign_ins.end(cookie)

    def identity(self, connection: HTTPConnection) -> Identity | None:
        """Return whom a trusted proxy says this request comes from."""
        return self.proxy.identity(connection) if self.proxy else None


def known_to(request: HTTPConnection) -> Known:
    """Return whose request it is, in routes that stand behind the gate."""
    known: Known = request.scope[KNOWN]
    return known
