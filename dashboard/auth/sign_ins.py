"""Sign-ins: a random id in the browser's cookie, its hash and dates here and in the store."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, ValidationError

from core.clock import Now, now
from core.exceptions import StoreError
from core.models import Frozen
from core.store import Store, modify
from dashboard.auth.users import Account, AuthMethod, User, Users

log = logging.getLogger(__name__)

SUBJECT = "sign_ins"
WRITE_SEEN_AFTER = timedelta(minutes=5)
"""How much of the idle time a restart may forget: writing each click would cost an fsync each."""
MOST_PER_USER = 12
"""The oldest ends when one more begins, which also keeps the stored file small."""


class SignIn(Frozen):
    """One browser in which a user is signed in; the id itself is known to that browser only."""

    account: str
    generation: int
    created_at: AwareDatetime
    seen_at: AwareDatetime
    """When its user last did something; an open tab that refreshes itself does not count."""
    confirmed_at: AwareDatetime | None = None
    """When its user last proved who they are; None: by a release that did not note it."""
    way: AuthMethod = AuthMethod.PASSWORD
    remembered: bool = False
    """Lasts for weeks, used or not: "remember this phone"."""
    device: str = ""
    address: str = ""
    """Where it was begun from, for its user to recognise."""


@dataclass(frozen=True)
class Lifetimes:
    """How long sign-ins last."""

    idle: timedelta
    longest: timedelta
    remembered: timedelta = timedelta(days=30)
    confirmed: timedelta = timedelta(minutes=15)
    """For how long after proving who they are people may change keys, addresses, users and files."""

    def have_passed(self, sign_in: SignIn, moment: datetime) -> bool:
        """Has the sign-in ended by itself?"""
        if sign_in.remembered:
            return moment - sign_in.created_at >= self.remembered
        return moment - sign_in.seen_at >= self.idle or moment - sign_in.created_at >= self.longest


@dataclass(frozen=True)
class ActiveLogin:
    """A sign-in that is valid right now, its stored key and its user."""

    key: str
    sign_in: SignIn
    account: Account


class SignIns:
    """All sign-ins. Looking one up is memory only; `begin`, `end` and `sweep` write to the store."""

    def __init__(self, store: Store, users: Users, lifetimes: Lifetimes, *, clock: Now = now) -> None:
        self._store = store
        self._users = users
        self.lifetimes = lifetimes
        self._clock = clock
        self._lock = threading.Lock()
        self._sign_ins = self._load()
        self._written_seen_at = {key: sign_in.seen_at for key, sign_in in self._sign_ins.items()}

    def user_of(self, cookie: str | None) -> User | None:
        """Tell who is signed in with this cookie value right now; memory only."""
        held = self.find(cookie)
        return held.account.user if held else None

    def refresh(self) -> None:
        """Take over what other processes changed of users; costs one stat. Raises StoreError."""
        self._users.refresh()

    def find(self, cookie: str | None) -> ActiveLogin | None:
        """Find the sign-in of a cookie value, if it is still valid; memory only."""
        if not cookie:
            return None
        key = _key(cookie)
        with self._lock:
            sign_in = self._sign_ins.get(key)
        account = self._valid_account(sign_in) if sign_in else None
        return ActiveLogin(key, sign_in, account) if sign_in and account else None

    def of(self, account: Account) -> list[ActiveLogin]:
        """Return the user's valid sign-ins, the latest used first."""
        with self._lock:
            own = [(key, one) for key, one in self._sign_ins.items() if one.account == account.key]
        own.sort(key=lambda pair: pair[1].seen_at, reverse=True)
        return [ActiveLogin(key, one, account) for key, one in own if self._valid_account(one)]

    def last_used(self, account: Account) -> datetime | None:
        """Tell when the user last did something in one of the present sign-ins."""
        return max((held.sign_in.seen_at for held in self.of(account)), default=None)

    def touch(self, cookie: str) -> None:
        """Note that the user did something, which starts the idle time anew."""
        key = _key(cookie)
        with self._lock:
            if key in self._sign_ins:
                self._sign_ins[key] = self._sign_ins[key].model_copy(update={"seen_at": self._clock()})

    def begin(
        self,
        account: Account,
        way: AuthMethod = AuthMethod.PASSWORD,
        *,
        remembered: bool = False,
        device: str = "",
        address: str = "",
    ) -> str:
        """Sign a user in and return the cookie value: always a new one, never one that a browser brought."""
        cookie = secrets.token_urlsafe(32)
        moment = self._clock()
        sign_in = SignIn(
            account=account.key,
            generation=account.generation,
            created_at=moment,
            seen_at=moment,
            confirmed_at=moment,
            way=way,
            remembered=remembered,
            device=device,
            address=address,
        )
        with self._lock:
            own = [key for key, other in self._sign_ins.items() if other.account == account.key]
            own.sort(key=lambda key: self._sign_ins[key].seen_at)
            surplus = own[: max(0, len(own) + 1 - MOST_PER_USER)]
            self._sign_ins[_key(cookie)] = sign_in
        for key in surplus:
            self._drop(key)
        self._write(_key(cookie), sign_in)
        return cookie

    def remember(self, cookie: str) -> None:
        """Let this browser stay signed in for weeks, counted from now."""
        key, moment = _key(cookie), self._clock()
        with self._lock:
            found = self._sign_ins.get(key)
            if found is None:
                return
            changes = {"remembered": True, "created_at": moment, "seen_at": moment}
            remembered = self._sign_ins[key] = found.model_copy(update=changes)
        self._write(key, remembered)

    def must_confirm(self, cookie: str | None) -> bool:
        """Return whether the user has to prove again who they are before changing what matters.

        Where a proxy signs people in, only the proxy can ask them, so it is not offered. Memory only.
        """
        held = self.find(cookie)
        if held is None:
            return True
        if held.sign_in.way is AuthMethod.PROXY:
            return False
        confirmed_at = held.sign_in.confirmed_at
        # A clock that was set back must not lengthen it.
        passed = abs(self._clock() - confirmed_at) if confirmed_at else None
        return passed is None or passed >= self.lifetimes.confirmed

    def confirm(self, cookie: str) -> None:
        """Note that the user has just proved again who they are."""
        key = _key(cookie)
        with self._lock:
            found = self._sign_ins.get(key)
            if found is None:
                return
            confirmed = self._sign_ins[key] = found.model_copy(update={"confirmed_at": self._clock()})
        self._write(key, confirmed)

    def end(self, cookie: str | None) -> None:
        """Sign a browser out; from this moment on `user_of` says None."""
        if cookie:
            self._drop(_key(cookie))

    def end_one(self, account: Account, key: str) -> bool:
        """Sign another browser of the same user out; tells whether there was one."""
        with self._lock:
            found = self._sign_ins.get(key)
        if found is None or found.account != account.key:
            return False
        self._drop(key)
        return True

    def sweep(self) -> None:
        """Take over changed users, drop what has expired or was revoked, write who was active."""
        try:
            self._users.refresh()
        except StoreError as error:
            log.warning("users_not_refreshed problem=%r", error.message)
        with self._lock:
            current = dict(self._sign_ins)
        for key, sign_in in current.items():
            if self._valid_account(sign_in) is None:
                self._drop(key)
            elif sign_in.seen_at - self._written_seen_at.get(key, sign_in.created_at) >= WRITE_SEEN_AFTER:
                self._write(key, sign_in)

    def _valid_account(self, sign_in: SignIn) -> Account | None:
        account = self._users.find(sign_in.account)
        if account is None or account.disabled or account.generation != sign_in.generation:
            return None
        return None if self.lifetimes.have_passed(sign_in, self._clock()) else account

    def _load(self) -> dict[str, SignIn]:
        found = {}
        for key, record in self._store.read_all(SUBJECT).items():
            try:
                found[key] = SignIn.model_validate(record.value)
            except ValidationError:
                log.warning("stored_sign_in_ignored reason=unreadable")
        return found

    def _write(self, key: str, sign_in: SignIn) -> None:
        value = sign_in.model_dump(mode="json")
        self._written_seen_at[key] = sign_in.seen_at

        def change(_value: dict[str, Any] | None) -> Mapping[str, Any] | None:
            # One that has ended meanwhile must not come back with the next restart.
            with self._lock:
                return value if key in self._sign_ins else None

        try:
            modify(self._store, SUBJECT, key, change)
        except StoreError as error:
            # The sign-in works from memory; only a restart would forget it. A full disk locks nobody out.
            log.warning("sign_in_not_stored problem=%r", error.message)

    def _drop(self, key: str) -> None:
        with self._lock:
            self._sign_ins.pop(key, None)
            self._written_seen_at.pop(key, None)
        try:
            modify(self._store, SUBJECT, key, lambda _value: None)
        except StoreError as error:
            log.warning("sign_in_not_removed_from_store problem=%r", error.message)


def _key(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
