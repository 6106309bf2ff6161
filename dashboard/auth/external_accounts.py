"""People whom somebody else has asked who they are: a reverse proxy or an OpenID Connect provider."""

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
    """Why somebody who has proved who they are is not let in."""

    NAME = "name"
    """The name has characters, or a length, that are not accepted."""
    TAKEN = "taken"
    """An account of this name belongs to somebody who signs in another way."""
    UNKNOWN = "unknown"
    """No group gives a role, and nobody has added them."""
    DISABLED = "disabled"


class RefusedError(Exception):
    """Somebody is not let in; `why` tells the reason, for them and for the log."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Identity:
    """Who somebody is, as a proxy or a provider says."""

    name: str
    way: AuthMethod
    groups: Collection[str] = ()
    subject: str | None = None
    """The provider's own, never reused identifier."""
    verified_email: str | None = None


@dataclass(frozen=True)
class RoleRule:
    """Which role people from outside get."""

    by_group: Mapping[str, Role] = field(default_factory=dict)
    otherwise: Role | None = None
    """For those in none of these groups, and for everybody unknown when there are none; None: no entry."""

    def of(self, groups: Collection[str]) -> Role | None:
        """Return the highest role that one of the groups gives, or that of everybody else."""
        found = {self.by_group[group] for group in groups if group in self.by_group}
        return next((role for role in reversed(Role) if role in found), self.otherwise)


class ExternalAccounts:
    """Give people from outside their accounts: known ones, and new ones where a role is meant for them."""

    def __init__(self, users: Users, rule: RoleRule) -> None:
        self._users = users
        self._rule = rule

    def admit(self, identity: Identity) -> Account:
        """Return the account, made or changed as needed; raises RefusedError. Writes to the store."""
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
        """Return the role that a known person has now; None: they are not let in any more.

        Where groups give roles they decide each time anew, except for accounts with a password: their role
        is given here. Memory only.
        """
        if not self.groups_decide or account.way is AuthMethod.PASSWORD:
            return account.role
        return self._rule.of(groups)

    @property
    def groups_decide(self) -> bool:
        """Do groups give roles, so that giving them by hand would not last?"""
        return bool(self._rule.by_group)

    def _account(self, identity: Identity) -> Account | None:
        if identity.way is AuthMethod.PROXY:
            # Whoever may name a user to us is trusted for every name.
            account = self._users.find(identity.name)
            if account and account.way is AuthMethod.PROVIDER:
                raise RefusedError(Refusal.TAKEN)
            return account
        found = self._users.of_subject(identity.subject or "")
        if found is not None:
            return found
        # Names at a provider may be chosen freely or be given anew: a name alone opens no account but one
        # that an administrator made for this very, verified e-mail address.
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
            return self._users.create(identity.name, role, way=identity.way, subject=identity.subject)
        except VersionConflictError:
            # Two first requests of one person at once; or the name was given to somebody else meanwhile.
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
            # Who administers is decided elsewhere then: another of that group may come any time.
            adapted = self._users.change(account.name, change, keep_an_administrator=False)
        except UnknownUserError:
            raise RefusedError(Refusal.UNKNOWN) from None
        log.info("outside_user_changed name=%s role=%s way=%s", account.name, role.value, account.way.value)
        return adapted or account
