"""Sign-in by a reverse proxy's header, which is trusted only from the proxy's own address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from core.addresses import Network, is_within
from dashboard.auth.external_accounts import ExternalAccounts, Identity
from dashboard.auth.peer import peer_address
from dashboard.auth.users import Account, AuthMethod

SEPARATORS = re.compile(r"[,|]")
"""oauth2-proxy and Authelia separate groups by commas, authentik by bars."""


@dataclass(frozen=True)
class ProxyHeader:
    """The headers that name the user and the groups, and the proxies that are trusted to send them."""

    header: str
    groups_header: str | None
    trusted: Sequence[Network]
    external_accounts: ExternalAccounts

    def identity(self, connection: HTTPConnection) -> Identity | None:
        """Return the identity that the proxy asserts; None if the request is not from a trusted proxy.

        The peer's address decides: X-Forwarded-For can be written by the client.
        """
        if not self._is_from_proxy(connection):
            return None
        names = connection.headers.getlist(self.header)
        # Sent twice: the proxy forwards the client's header besides its own.
        if len(names) != 1 or not names[0].strip():
            return None
        return Identity(name=_text(names[0]), method=AuthMethod.PROXY, groups=self._groups(connection))

    def confirms(self, connection: HTTPConnection, account: Account) -> bool:
        """Return whether this request names the account, with groups that still give its role."""
        identity = self.identity(connection)
        if identity is None or identity.name.casefold() != account.key:
            return False
        return self.external_accounts.role_for(account, identity.groups) is account.role

    def _groups(self, connection: HTTPConnection) -> frozenset[str]:
        if self.groups_header is None:
            return frozenset()
        lines = connection.headers.getlist(self.groups_header)
        if len(lines) != 1:
            return frozenset()
        return frozenset(part.strip() for part in SEPARATORS.split(_text(lines[0])) if part.strip())

    def _is_from_proxy(self, connection: HTTPConnection) -> bool:
        return is_within(peer_address(connection), self.trusted)


def _text(value: str) -> str:
    """Return a header decoded as UTF-8, which proxies send; Starlette decodes it as Latin-1."""
    try:
        return value.encode("latin-1").decode().strip()
    except UnicodeDecodeError:
        return value.strip()
