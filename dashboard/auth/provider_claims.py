"""Identity of a user from the claims of an OpenID Connect provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashboard.auth.external_accounts import Identity
from dashboard.auth.users import AuthMethod

Claims = Mapping[str, Any]


class ProviderProblem(StrEnum):
    """Why signing in at the provider failed."""

    DOWN = "down"
    """No response, or not in time."""
    SETTINGS = "settings"
    """The provider's responses do not fit the settings: a wrong issuer, client or secret."""
    CANCELLED = "cancelled"
    """The provider refused the user, or the user cancelled."""
    STALE = "stale"
    """The flow was not begun in this browser, is too old, or was replaced by another tab's."""
    UNTRUSTED = "untrusted"
    """The response or the ID token failed the checks."""
    NO_NAME = "no_name"
    """The configured claim contains no name."""
    NOT_ALLOWED = "not_allowed"
    """The e-mail address is not allowed, or not verified."""
    BUSY = "busy"


class ProviderError(Exception):
    """Signing in at the provider failed; `detail` is for the log and contains no secret."""

    def __init__(self, why: ProviderProblem, detail: str = "") -> None:
        super().__init__(f"{why.value} {detail}".rstrip())
        self.why = why
        self.detail = detail


@dataclass(frozen=True)
class ClaimRule:
    """The settings that map claims to an identity."""

    issuer: str
    name_claim: str
    groups_claim: str
    allowed: Sequence[str]
    """E-mail addresses, and domains with a leading @, in lower case; empty: no restriction."""

    def identity(self, claims: Claims) -> Identity:
        """Return the identity that the claims describe. Raises ProviderError."""
        email = claims.get("email")
        email = email.strip() if isinstance(email, str) else ""
        # Only `true` counts: at some providers users may enter any address.
        verified = email if claims.get("email_verified") is True else None
        if self.allowed and not self._is_allowed(verified):
            raise ProviderError(ProviderProblem.NOT_ALLOWED)
        name = find(claims, self.name_claim) or email
        if not isinstance(name, str) or not name.strip():
            raise ProviderError(ProviderProblem.NO_NAME, f"claim={self.name_claim}")
        return Identity(
            name=name.strip(),
            method=AuthMethod.PROVIDER,
            groups=groups_of(find(claims, self.groups_claim)),
            # The subject is unique at its issuer only.
            subject=f"{self.issuer} {claims['sub']}",
            verified_email=verified,
        )

    def is_incomplete(self, claims: Claims) -> bool:
        """Return whether a needed claim is missing, so that the userinfo endpoint has to be requested."""
        wanted = [self.name_claim, self.groups_claim, *(["email", "email_verified"] if self.allowed else [])]
        return any(find(claims, claim) is None for claim in wanted)

    def _is_allowed(self, email: str | None) -> bool:
        if email is None:
            return False
        address = email.casefold()
        return address in self.allowed or f"@{address.rpartition('@')[2]}" in self.allowed


def find(claims: Claims, name: str) -> Any:
    """Return a claim by its name, or by a dotted path such as "realm_access.roles"; None if missing."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def groups_of(claim: object) -> frozenset[str]:
    """Return the groups of a claim, which is a list of strings or one string."""
    if isinstance(claim, str):
        return frozenset({claim})
    if isinstance(claim, list):
        return frozenset(group for group in claim if isinstance(group, str))
    return frozenset()
