"""Accounts of users whom a reverse proxy or an OpenID Connect provider has authenticated."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.exceptions import VersionConflictError
from dashboard.auth.users import (
    USER_NAME,
    Account,
    AuthMethod,
    Role,
    UnknownUserError,
    Users,
    signed_out_everywhere,
)

log = logging.getLogger(__name__)


class Refusal(StrEnum):
    """Why an authenticated user is refused."""

    NAME = "name"
    """The name has characters or a length that are not accepted."""
    TAKEN = "taken"
    """An account of this name exists and signs in by another method."""
    UNKNOWN = "unknown"
    """No group gives a role, and no account was added for the user."""
    DISABLED = "disabled"


class RefusedError(Exception):
    """The user is refused; `why` is the reason, for the user and for the log."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Identity:
    """An identity as a proxy or a provider asserts it."""

    name: str
    method: AuthMethod
    groups: Collection[str] = ()
    subject: str | None = None
    """The provider's identifier, which is never reused."""
    verified_email: str | None = None


@dataclass(frozen=True)
class RoleRule:
    """Maps groups of external users to roles."""

    by_group: Mapping[str, Role] = field(default_factory=dict)
    otherwise: Role | None = None
    """The role of users in none of the groups; None: they are refused."""

    def of(self, groups: Collection[str]) -> Role | None:
        """Return the highest role of the groups, else the default."""
        found = {self.by_group[group] for group in groups if group in self.by_group}
        return next((role for role in reversed(Role) if role in found), self.otherwise)


class ExternalAccounts:
    """Find or create the accounts of external users."""

    def __init__(self, users: Users, rule: RoleRule) -> None:
        self._users = users
        self._rule = rule

    def get_or_create(self, identity: Identity) -> Account:
        """Return the account, created or updated as needed. Writes to the store; raises RefusedError."""
        if not USER_NAME.fullmatch(identity.name):
            raise RefusedError(Refusal.NAME)
        account = self._account(identity)
        if account is None:
            return self._create(identity)
        if account.disabled:
            raise RefusedError(Refusal.DISABLED)
        changes: dict[str, object] = {}
        if identity.subject and account.subject is None:
            changes["subject"] = identity.subject
        role = self.role_for(account, identity.groups)
        if role is None:
            raise RefusedError(Refusal.UNKNOWN)
        return self._adapted(account, role, changes)

    def role_for(self, account: Account, groups: Collection[str]) -> Role | None:
        """Return the present role of a known user; None: the user is refused.

        Where groups assign roles they decide each time, except for accounts with a password, whose role is
        set here. Reads memory only.
        """
        if not self.groups_decide or account.way is AuthMethod.PASSWORD:
            return account.role
        return self._rule.of(groups)

    @property
    def groups_decide(self) -> bool:
        """Whether groups assign roles, so that a role set by hand would not last."""
        return bool(self._rule.by_group)

    def _account(self, identity: Identity) -> Account | None:
        if identity.method is AuthMethod.PROXY:
            # A proxy that may name users is trusted for every name.
            account = self._users.find(identity.name)
            if account and account.way is AuthMethod.PROVIDER:
                raise RefusedError(Refusal.TAKEN)
            return account
        found = self._users.of_subject(identity.subject or "")
        if found is not None:
            return found
        # Names at a provider may be chosen freely or be reused. A name alone therefore opens no account,
        # except one that an administrator made for this verified e-mail address.
        account = self._users.find(identity.name)
        invited = self._users.find(identity.verified_email) if identity.verified_email else None
        if invited and invited.way is AuthMethod.PROVIDER and invited.subject is None:
            return invited
        if account is not None:
            raise RefusedError(Refusal.TAKEN)
        return None

    def _create(self, identity: Identity) -> Account:
        role = self._rule.of(identity.groups)
        if role is None:
            raise RefusedError(Refusal.UNKNOWN)
        try:
            return self._users.create(identity.name, role, way=identity.method, subject=identity.subject)
        except VersionConflictError:
            # Two concurrent first requests of the same user, or the name was taken meanwhile.
            self._users.refresh()
            account = self._account(identity)
            if account is None:
                raise RefusedError(Refusal.TAKEN) from None
            return account

    def _adapted(self, account: Account, role: Role, changes: dict[str, object]) -> Account:
        if role is account.role and not changes:
            return account
        is_lowered = not role.covers(account.role)

        def change(found: Account) -> Account:
            if found.subject and "subject" in changes:
                raise RefusedError(Refusal.TAKEN)
            changed = found.model_copy(update={**changes, "role": role})
            return signed_out_everywhere(changed) if is_lowered else changed

        try:
            # Groups decide who administers: another user of the group may sign in at any time.
            adapted = self._users.change(account.name, change, keep_an_administrator=False)
        except UnknownUserError:
            raise RefusedError(Refusal.UNKNOWN) from None
        log.info("outside_user_changed name=%s role=%s way=%s", account.name, role.value, account.way.value)
        return adapted or account
