"""Users of the page, as the store keeps them and as page scripts see them."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field, ValidationError

from core.clock import Now, now
from core.exceptions import StoreError, VersionConflictError
from core.models import Frozen
from core.store import Store, modify

SUBJECT = "users"
USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


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


class User(Frozen):
    """The signed-in person, for page scripts."""

    name: str
    role: Role


class Account(Frozen):
    """A user as the store keeps them."""

    name: str
    role: Role
    password_hash: str = Field(repr=False)
    generation: int = 1
    """Goes up to end all sign-ins of this user: a sign-in of another generation is not accepted."""
    created_at: AwareDatetime

    @property
    def key(self) -> str:
        """The name under which the account is stored: names that differ only in case are one user."""
        return self.name.casefold()

    @property
    def user(self) -> User:
        """The part that page scripts may see."""
        return User(name=self.name, role=self.role)


class Users:
    """All accounts, held in memory so that a check costs no disk; `refresh` takes over what others wrote."""

    def __init__(self, store: Store, *, clock: Now = now) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._revision: str | None = None
        self._accounts: Mapping[str, Account] = {}
        self.refresh()

    @property
    def exist(self) -> bool:
        """Is there anybody who could sign in?"""
        return bool(self._accounts)

    def find(self, name: str) -> Account | None:
        """Find an account by name, in any case, from memory."""
        return self._accounts.get(name.casefold())

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
        account = Account(
            name=name,
            role=Role.ADMINISTRATOR,
            password_hash=password_hash,
            created_at=self._clock(),
            # Not 1: a cookie of an earlier account of that name, whose file was deleted, must not fit.
            generation=secrets.randbelow(2**31) + 1,
        )
        self.refresh()
        with self._lock:
            if self._accounts:
                raise VersionConflictError(
                    "an administrator exists already", operation="create the first user"
                )
            self._store.update(SUBJECT, account.key, account.model_dump(mode="json"), expected_version=0)
            self._accounts = {account.key: account}
            self._revision = None
        return account

    def replace_password_hash(self, account: Account, password_hash: str) -> None:
        """Store the same password under newer hashing parameters, unless it was changed meanwhile."""

        def change(value: dict[str, Any] | None) -> Mapping[str, Any] | None:
            if value is None or value.get("password_hash") != account.password_hash:
                return value
            return value | {"password_hash": password_hash}

        modify(self._store, SUBJECT, account.key, change)
        self.refresh()

    def end_all_sign_ins(self, account: Account) -> None:
        """Raise the account's generation, so that none of its sign-ins is accepted any longer."""

        def change(value: dict[str, Any] | None) -> Mapping[str, Any] | None:
            return value and value | {"generation": int(value["generation"]) + 1}

        modify(self._store, SUBJECT, account.key, change)
        self.refresh()


def _account(key: str, value: Mapping[str, Any]) -> Account:
    try:
        return Account.model_validate(value)
    except ValidationError:
        # pydantic repeats the input in its message, and the input holds the password's hash.
        raise StoreError(f"the stored user {key!r} cannot be read", operation="read the users") from None
