"""A reverse proxy that signs people in: its header is believed from its own address only."""

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
"""oauth2-proxy and Authelia write groups with commas, authentik with bars."""


@dataclass(frozen=True)
class ProxyHeader:
    """Which header names the user, and whose header counts."""

    header: str
    groups_header: str | None
    trusted: Sequence[Network]
    external_accounts: ExternalAccounts

    def identity(self, connection: HTTPConnection) -> Identity | None:
        """Return whom the proxy has signed in; None for a header of anybody else's.

        The connection's own address decides: X-Forwarded-For is what a client may have written.
        """
        if not self._is_from_proxy(connection):
            return None
        names = connection.headers.getlist(self.header)
        # Twice means that the proxy passes on what a visitor sent beside its own.
        if len(names) != 1 or not names[0].strip():
            return None
        return Identity(name=_text(names[0]), way=AuthMethod.PROXY, groups=self._groups(connection))

    def vouches_for(self, connection: HTTPConnection, account: Account) -> bool:
        """Does this very request come from that user, with the role that the account has?"""
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
    """Read a header's bytes as UTF-8, which proxies send, although Starlette reads them as Latin-1."""
    try:
        return value.encode("latin-1").decode().strip()
    except UnicodeDecodeError:
        return value.strip()
