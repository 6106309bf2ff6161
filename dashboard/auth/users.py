"""The users of the page: stored accounts, roles, and the view of a user for page scripts."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, Field, ValidationError

from core.clock import Now, now
from core.exceptions import StoreError, VersionConflictError
from core.locks import FileLocks, Locks
from core.models import Frozen
from core.store import Store

SUBJECT = "users"
USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
"""Applies to names from a proxy or a provider, too: no character is special in HTML or in a spreadsheet."""


class Role(StrEnum):
    """Roles in ascending order; each includes the permissions of those before it."""

    VIEWER = "viewer"
    """May see every session, but no code that links a phone."""
    OPERATOR = "operator"
    """May pair, close, log out and pause sessions."""
    ADMINISTRATOR = "administrator"
    """May change settings and users."""

    def covers(self, other: Role) -> bool:
        """Return whether this role includes the permissions of the other."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class AuthMethod(StrEnum):
    """How a user authenticates."""

    PASSWORD = "password"  # noqa: S105 - a word
    PASSKEY = "passkey"
    """By a passkey of an account that has a password."""
    PROXY = "proxy"
    """By a reverse proxy in front of the page."""
    PROVIDER = "provider"
    """By an OpenID Connect provider."""


class User(Frozen):
    """The signed-in user, as page scripts see it."""

    name: str
    role: Role


class PasswordLink(Frozen):
    """A one-time link for setting a password; only the hash of its token is stored."""

    token_hash: str = Field(repr=False)
    valid_until: AwareDatetime


class Passkey(Frozen):
    """A passkey of an account: its public part, so nothing here signs anybody in."""

    id: str = Field(repr=False)
    """The credential id, in base64url."""
    public_key: str = Field(repr=False)
    """The COSE key, in base64url."""
    sign_count: int = 0
    transports: tuple[str, ...] = ()
    name: str
    """The device in which it was created."""
    created_at: AwareDatetime
    used_at: AwareDatetime | None = None


class Account(Frozen):
    """A stored user."""

    name: str
    role: Role
    password_hash: str | None = Field(default=None, repr=False)
    """None: no password has been set, or none is needed."""
    generation: int = 1
    """Incremented to end all sign-ins of the user: a sign-in of another generation is invalid."""
    created_at: AwareDatetime
    way: AuthMethod = AuthMethod.PASSWORD
    subject: str | None = Field(default=None, repr=False)
    """The provider's identifier of the user; unlike a name or an e-mail address it is never reused."""
    disabled: bool = False
    link: PasswordLink | None = None
    passkeys: tuple[Passkey, ...] = ()

    @property
    def key(self) -> str:
        """The storage key: names that differ only in case are the same user."""
        return self.name.casefold()

    @property
    def user(self) -> User:
        """The part that page scripts may see."""
        return User(name=self.name, role=self.role)

    @property
    def administers(self) -> bool:
        """Return whether this is an administrator who can sign in."""
        can_sign_in = not self.disabled and (
            self.password_hash is not None or self.way is not AuthMethod.PASSWORD
        )
        return self.role is Role.ADMINISTRATOR and can_sign_in


class LastAdministratorError(Exception):
    """The change would leave the page without an administrator."""


class UnknownUserError(Exception):
    """The user does not exist, or no longer."""


Change = Callable[[Account], Account | None]
"""Maps an account to its new state; None removes it."""


class Users:
    """All accounts, cached in memory so that a check needs no disk; `refresh` loads other processes' changes.

    `lock` keeps other processes from changing users between reading all of them and a write.
    """

    def __init__(
        self, store: Store, *, lock: AbstractContextManager[object] | None = None, clock: Now = now
    ) -> None:
        self._store = store
        self._clock = clock
        self._others = lock or nullcontext()
        self._lock = threading.Lock()
        self._revision: str | None = None
        self._accounts: Mapping[str, Account] = {}
        self.refresh()

    @property
    def exist(self) -> bool:
        """Whether there are any accounts."""
        return bool(self._accounts)

    def all(self) -> list[Account]:
        """Return all accounts, sorted by name. Reads memory only."""
        return sorted(self._accounts.values(), key=lambda account: account.key)

    def find(self, name: str) -> Account | None:
        """Return the account of this name, ignoring case, or None. Reads memory only."""
        return self._accounts.get(name.casefold())

    def of_subject(self, subject: str) -> Account | None:
        """Return the account of a provider's user, or None. Reads memory only."""
        return next((one for one in self._accounts.values() if one.subject == subject), None)

    def refresh(self) -> None:
        """Reload the accounts if they have changed. Raises StoreError."""
        with self._lock:
            revision = self._store.revision(SUBJECT)
            if revision == self._revision:
                return
            records = self._store.read_all(SUBJECT)
            self._accounts = {key: _account(key, record.value) for key, record in records.items()}
            self._revision = revision

    def create_first(self, name: str, password_hash: str) -> Account:
        """Store the first administrator. Raises VersionConflictError if there is a user already."""
        with self._others:
            self.refresh()
            if self._accounts:
                raise VersionConflictError(
                    "an administrator exists already", operation="create the first user"
                )
            return self._create(name, Role.ADMINISTRATOR, password_hash=password_hash)

    def create(self, name: str, role: Role, **more: Any) -> Account:
        """Store a new account. Raises VersionConflictError if the name is taken."""
        with self._others:
            return self._create(name, role, **more)

    def change(self, name: str, change: Change, *, keep_an_administrator: bool = True) -> Account | None:
        """Change an account and return its new state, or None if it was removed.

        Raises UnknownUserError, and LastAdministratorError if no administrator would be left.
        """
        with self._others:
            key = name.casefold()
            record = self._store.read(SUBJECT, key)
            if record is None:
                self.refresh()
                raise UnknownUserError(name)
            before = _account(key, record.value)
            after = change(before)
            if after == before:
                return after
            is_lost = before.administers and not (after and after.administers)
            if is_lost and keep_an_administrator and self._is_last(before):
                raise LastAdministratorError
            value = after.model_dump(mode="json") if after else None
            self._store.update(SUBJECT, key, value, expected_version=record.version)
            self.refresh()
            return after

    def replace_password_hash(self, account: Account, password_hash: str) -> None:
        """Store a rehash of the same password, unless the password was changed meanwhile."""

        def change(found: Account) -> Account:
            if found.password_hash != account.password_hash:
                return found
            return found.model_copy(update={"password_hash": password_hash})

        with suppress(UnknownUserError):
            self.change(account.name, change)

    def end_all_sign_ins(self, account: Account) -> None:
        """Increment the account's generation, which ends all its sign-ins."""
        with suppress(UnknownUserError):
            self.change(account.name, signed_out_everywhere)

    def _create(self, name: str, role: Role, **more: Any) -> Account:
        account = Account(
            name=name,
            role=role,
            created_at=self._clock(),
            # Not 1: the cookie of a removed account of the same name must not be valid.
            generation=secrets.randbelow(2**31) + 1,
            **more,
        )
        self._store.update(SUBJECT, account.key, account.model_dump(mode="json"), expected_version=0)
        self.refresh()
        return account

    def _is_last(self, account: Account) -> bool:
        self.refresh()
        return not any(one.administers for one in self._accounts.values() if one.key != account.key)


def open_users(store: Store, data_directory: Path, locks: Locks | None = None) -> Users:
    """Return the users of a store, with a lock shared by all processes; by default those of this machine."""
    return Users(store, lock=(locks or FileLocks(data_directory / "locks")).lock("users"))


def signed_out_everywhere(account: Account) -> Account:
    """Return the account with all its sign-ins ended."""
    return account.model_copy(update={"generation": account.generation + 1})


def _account(key: str, value: Mapping[str, Any]) -> Account:
    try:
        return Account.model_validate(value)
    except ValidationError:
        # pydantic's message repeats the input, which contains the password hash.
        raise StoreError(f"the stored user {key!r} cannot be read", operation="read the users") from None
