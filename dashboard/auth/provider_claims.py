"""Who somebody is, from the claims of an OpenID Connect provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashboard.auth.external_accounts import Identity
from dashboard.auth.users import AuthMethod

Claims = Mapping[str, Any]


class Trouble(StrEnum):
    """Why signing in at the provider did not work."""

    DOWN = "down"
    """No answer, or not in time."""
    SETTINGS = "settings"
    """It answers, but not as configured: a wrong issuer, client or secret."""
    CANCELLED = "cancelled"
    """It did not let the person in, or they turned back."""
    STALE = "stale"
    """Not begun in this browser, or too long ago, or in two tabs at once."""
    UNTRUSTED = "untrusted"
    """What it says of the person does not stand the checks."""
    NO_NAME = "no_name"
    """It names nobody in the configured claim."""
    NOT_ALLOWED = "not_allowed"
    """The e-mail address is not among those allowed, or not verified."""
    BUSY = "busy"


class ProviderError(Exception):
    """Signing in at the provider did not work; `detail` is for the log and holds nothing secret."""

    def __init__(self, why: Trouble, detail: str = "") -> None:
        super().__init__(f"{why.value} {detail}".rstrip())
        self.why = why
        self.detail = detail


@dataclass(frozen=True)
class ClaimRule:
    """Which claims count."""

    issuer: str
    name_claim: str
    groups_claim: str
    allowed: Sequence[str]
    """E-mail addresses, and domains with a leading @, in small letters; empty: everybody."""

    def identity(self, claims: Claims) -> Identity:
        """Return who it is; raises ProviderError."""
        email = claims.get("email")
        email = email.strip() if isinstance(email, str) else ""
        # Only the very word counts: at some providers people type in any address they like.
        verified = email if claims.get("email_verified") is True else None
        if self.allowed and not self._is_allowed(verified):
            raise ProviderError(Trouble.NOT_ALLOWED)
        name = find(claims, self.name_claim) or email
        if not isinstance(name, str) or not name.strip():
            raise ProviderError(Trouble.NO_NAME, f"claim={self.name_claim}")
        return Identity(
            name=name.strip(),
            way=AuthMethod.PROVIDER,
            groups=groups_of(find(claims, self.groups_claim)),
            # The subject is unique at its issuer only.
            subject=f"{self.issuer} {claims['sub']}",
            verified_email=verified,
        )

    def lacks(self, claims: Claims) -> bool:
        """Tell whether something that counts is missing, so that it is worth asking for more."""
        wanted = [self.name_claim, self.groups_claim, *(["email", "email_verified"] if self.allowed else [])]
        return any(find(claims, claim) is None for claim in wanted)

    def _is_allowed(self, email: str | None) -> bool:
        if email is None:
            return False
        address = email.casefold()
        return address in self.allowed or f"@{address.rpartition('@')[2]}" in self.allowed


def find(claims: Claims, name: str) -> Any:
    """Find a claim by its name, or by a path with dots, as "realm_access.roles"."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def groups_of(claim: object) -> frozenset[str]:
    """Read a claim of groups: a list of words, or one word."""
    if isinstance(claim, str):
        return frozenset({claim})
    if isinstance(claim, list):
        return frozenset(group for group in claim if isinstance(group, str))
    return frozenset()
