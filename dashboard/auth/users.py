"""Users of the page, as the store keeps them and as page scripts see them."""

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
from core.locks import ProcessLock
from core.models import Frozen
from core.store import Store

SUBJECT = "users"
USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
"""Also for names that come from outside: nothing in them means anything to HTML or to a spreadsheet."""


class Role(StrEnum):
    """What a user may do; each may do what those before it may."""

    VIEWER = "viewer"
    """Sees every session, but no code that links a phone."""
    OPERATOR = "operator"
    """Pairs, closes, logs out, pauses."""
    ADMINISTRATOR = "administrator"
    """Changes settings and users."""

    def covers(self, other: Role) -> bool:
        """Tell whether this role may do what the other may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class AuthMethod(StrEnum):
    """How a person proves who they are."""

    PASSWORD = "password"  # noqa: S105 - a word
    PROXY = "proxy"
    """A reverse proxy in front of the page has asked them."""
    PROVIDER = "provider"
    """An OpenID Connect provider has asked them."""


class User(Frozen):
    """The signed-in person, for page scripts."""

    name: str
    role: Role


class OpenLink(Frozen):
    """A one-time link with which a user sets a password; only its hash is kept."""

    token_hash: str = Field(repr=False)
    valid_until: AwareDatetime


class Account(Frozen):
    """A user as the store keeps them."""

    name: str
    role: Role
    password_hash: str | None = Field(default=None, repr=False)
    """None: nobody has set a password, or none is needed."""
    generation: int = 1
    """Goes up to end all sign-ins of this user: a sign-in of another generation is not accepted."""
    created_at: AwareDatetime
    way: AuthMethod = AuthMethod.PASSWORD
    subject: str | None = Field(default=None, repr=False)
    """Who they are to the provider; unlike a name or an e-mail address it is never given to somebody else."""
    disabled: bool = False
    link: OpenLink | None = None

    @property
    def key(self) -> str:
        """The name under which the account is stored: names that differ only in case are one user."""
        return self.name.casefold()

    @property
    def user(self) -> User:
        """The part that page scripts may see."""
        return User(name=self.name, role=self.role)

    @property
    def administers(self) -> bool:
        """Tell whether this is an administrator who can sign in."""
        can_sign_in = not self.disabled and (
            self.password_hash is not None or self.way is not AuthMethod.PASSWORD
        )
        return self.role is Role.ADMINISTRATOR and can_sign_in


class LastAdministratorError(Exception):
    """The change would leave nobody who can administer the page."""


class UnknownUserError(Exception):
    """There is no such user any more."""


Change = Callable[[Account], Account | None]
"""From an account to what becomes of it; None removes it."""


class Users:
    """All accounts, held in memory so that a check costs no disk; `refresh` takes over what others wrote.

    `lock` keeps other processes from changing users between a look at all of them and a write.
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
        """Is there anybody who could sign in?"""
        return bool(self._accounts)

    def all(self) -> list[Account]:
        """Return every account by its name, from memory."""
        return sorted(self._accounts.values(), key=lambda account: account.key)

    def find(self, name: str) -> Account | None:
        """Find an account by name, in any case, from memory."""
        return self._accounts.get(name.casefold())

    def of_subject(self, subject: str) -> Account | None:
        """Find the account of a provider's user, from memory."""
        return next((one for one in self._accounts.values() if one.subject == subject), None)

    def refresh(self) -> None:
        """Read the accounts again when somebody changed them."""
        with self._lock:
            revision = self._store.revision(SUBJECT)
            if revision == self._revision:
                return
            records = self._store.read_all(SUBJECT)
            self._accounts = {key: _account(key, record.value) for key, record in records.items()}
            self._revision = revision

    def create_first(self, name: str, password_hash: str) -> Account:
        """Store the first administrator; raises VersionConflictError when somebody was faster."""
        with self._others:
            self.refresh()
            if self._accounts:
                raise VersionConflictError(
                    "an administrator exists already", operation="create the first user"
                )
            return self._create(name, Role.ADMINISTRATOR, password_hash=password_hash)

    def create(self, name: str, role: Role, **more: Any) -> Account:
        """Store a new account; raises VersionConflictError when the name is taken."""
        with self._others:
            return self._create(name, role, **more)

    def change(self, name: str, change: Change, *, keep_an_administrator: bool = True) -> Account | None:
        """Change an account and return what became of it.

        Raises UnknownUserError, and LastAdministratorError when nobody would be left to administer.
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
        """Store the same password under newer hashing parameters, unless it was changed meanwhile."""

        def change(found: Account) -> Account:
            if found.password_hash != account.password_hash:
                return found
            return found.model_copy(update={"password_hash": password_hash})

        with suppress(UnknownUserError):
            self.change(account.name, change)

    def end_all_sign_ins(self, account: Account) -> None:
        """Raise the account's generation, so that none of its sign-ins is accepted any longer."""
        with suppress(UnknownUserError):
            self.change(account.name, signed_out_everywhere)

    def _create(self, name: str, role: Role, **more: Any) -> Account:
        account = Account(
            name=name,
            role=role,
            created_at=self._clock(),
            # Not 1: a cookie of an earlier account of that name, which was removed, must not fit.
            generation=secrets.randbelow(2**31) + 1,
            **more,
        )
        self._store.update(SUBJECT, account.key, account.model_dump(mode="json"), expected_version=0)
        self.refresh()
        return account

    def _is_last(self, account: Account) -> bool:
        self.refresh()
        return not any(one.administers for one in self._accounts.values() if one.key != account.key)


def open_users(store: Store, data_directory: Path) -> Users:
    """Return the users of a data directory, with the lock that all our processes share."""
    return Users(store, lock=ProcessLock(data_directory / "locks" / "users.lock"))


def signed_out_everywhere(account: Account) -> Account:
    """Return the account with all its sign-ins ended."""
    return account.model_copy(update={"generation": account.generation + 1})


def _account(key: str, value: Mapping[str, Any]) -> Account:
    try:
        return Account.model_validate(value)
    except ValidationError:
        # pydantic repeats the input in its message, and the input holds the password's hash.
        raise StoreError(f"the stored user {key!r} cannot be read", operation="read the users") from None
