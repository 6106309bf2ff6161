"""Sign-ins: a random id in the browser's cookie, with its hash and dates in memory and in the store."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, ValidationError

from core.clock import Now, now
from core.exceptions import StoreError
from core.models import Frozen
from core.store import Record, Store, modify
from dashboard.auth.users import Account, AuthMethod, User, Users

log = logging.getLogger(__name__)

SUBJECT = "sign_ins"
WRITE_SEEN_AFTER = timedelta(minutes=5)
"""How much activity a restart may forget: writing each click would cost an fsync each."""
MAX_PER_USER = 12
"""A further sign-in ends the least recently used one, which also keeps the stored file small."""
LOAD_WAIT_SECONDS = 0.5
"""How long `load` waits for another reader; once that was too short, it waits for none for a while."""
STORE_IS_SLOW_SECONDS = 5.0
UNKNOWN_SECONDS, MAX_UNKNOWN = 1.0, 1000
"""How long a cookie that is not stored is not looked for again, and how many such are remembered."""


class SignIn(Frozen):
    """A browser in which a user is signed in; only that browser knows the id itself."""

    account: str
    generation: int
    created_at: AwareDatetime
    seen_at: AwareDatetime
    """Time of the user's last activity; the refreshes of an open tab do not count."""
    confirmed_at: AwareDatetime | None = None
    """Time of the user's last authentication; None: stored by a release that did not record it."""
    way: AuthMethod = AuthMethod.PASSWORD
    remembered: bool = False
    """Whether it lasts for weeks, used or not: "remember this phone"."""
    device: str = ""
    address: str = ""
    """The client address at sign-in, for the user to recognise."""


@dataclass(frozen=True)
class Lifetimes:
    """The lifetimes of sign-ins."""

    idle: timedelta
    longest: timedelta
    remembered: timedelta = timedelta(days=30)
    confirmed: timedelta = timedelta(minutes=15)
    """How long after authenticating users may change keys, addresses, users and files."""

    def have_passed(self, sign_in: SignIn, moment: datetime) -> bool:
        """Return whether the sign-in has expired."""
        if sign_in.remembered:
            return moment - sign_in.created_at >= self.remembered
        return moment - sign_in.seen_at >= self.idle or moment - sign_in.created_at >= self.longest


@dataclass(frozen=True)
class ActiveLogin:
    """A valid sign-in, with its storage key and its account."""

    key: str
    sign_in: SignIn
    account: Account


class SignIns:
    """All sign-ins. Lookups read memory only; `begin`, `remember`, `confirm`, `end` and `sweep` write.

    Other pages of the installation write them as well: `refresh` and `load` read those.
    """

    def __init__(
        self,
        store: Store,
        users: Users,
        lifetimes: Lifetimes,
        *,
        clock: Now = now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._users = users
        self.lifetimes = lifetimes
        self._clock, self._monotonic = clock, monotonic
        self._lock, self._refreshing = threading.Lock(), threading.Lock()
        self._revision = ""
        self._sign_ins: dict[str, SignIn] = {}
        self._written_seen_at: dict[str, datetime] = {}
        """Of those that are in the store, the last activity that it knows."""
        self._ended: set[str] = set()
        """Those that ended here and may still be in the store."""
        self._unremoved: set[str] = set()
        """Of those, the ones that could not be removed yet: another page, or a restart, still takes them."""
        self._unknown: dict[str, float] = {}
        """Until when a key is not looked for again, the oldest first."""
        self._slow_until = 0.0
        self._reload()

    def user_of(self, cookie: str | None) -> User | None:
        """Return the user who is signed in with this cookie value, or None. Reads memory only."""
        active_login = self.find(cookie)
        return active_login.account.user if active_login else None

    def refresh(self) -> None:
        """Reload users and sign-ins that other processes have changed. Raises StoreError."""
        self._users.refresh()
        self._reload()

    def load(self, cookie: str) -> None:
        """Read a sign-in that is not in memory: it may have begun at another page just now.

        Anybody can ask with an invented cookie. So one request at a time reads, and while the store is slow
        the others go on with what is known instead of filling the threads.
        """
        key = _key(cookie)
        with self._lock:
            if self._is_settled(key):
                return
            wait_seconds = 0.0 if self._monotonic() < self._slow_until else LOAD_WAIT_SECONDS
        if not self._refreshing.acquire(timeout=wait_seconds):
            if wait_seconds:
                self._slow_until = self._monotonic() + STORE_IS_SLOW_SECONDS
            return
        try:  # what ends here meanwhile stays known as ended
            self._load(key)
        except StoreError as error:
            log.warning("sign_in_not_read problem=%r", error.message)
        finally:
            self._refreshing.release()

    def find(self, cookie: str | None) -> ActiveLogin | None:
        """Return the valid sign-in of a cookie value, or None. Reads memory only."""
        if not cookie:
            return None
        key = _key(cookie)
        with self._lock:
            sign_in = self._sign_ins.get(key)
        account = self._valid_account(sign_in) if sign_in else None
        return ActiveLogin(key, sign_in, account) if sign_in and account else None

    def of(self, account: Account) -> list[ActiveLogin]:
        """Return the user's valid sign-ins, the most recently used first."""
        with self._lock:
            own = [(key, one) for key, one in self._sign_ins.items() if one.account == account.key]
        own.sort(key=lambda pair: pair[1].seen_at, reverse=True)
        return [ActiveLogin(key, one, account) for key, one in own if self._valid_account(one)]

    def last_used(self, account: Account) -> datetime | None:
        """Return the user's last activity in the present sign-ins, or None."""
        return max((active_login.sign_in.seen_at for active_login in self.of(account)), default=None)

    def touch(self, cookie: str) -> None:
        """Record user activity, which restarts the idle time."""
        key = _key(cookie)
        with self._lock:
            if key in self._sign_ins:
                self._sign_ins[key] = self._sign_ins[key].model_copy(update={"seen_at": self._clock()})

    def begin(
        self,
        account: Account,
        method: AuthMethod = AuthMethod.PASSWORD,
        *,
        remembered: bool = False,
        device: str = "",
        address: str = "",
    ) -> str:
        """Sign a user in and return the cookie value, which is always new (no session fixation)."""
        cookie = secrets.token_urlsafe(32)
        moment = self._clock()
        sign_in = SignIn(
            account=account.key,
            generation=account.generation,
            created_at=moment,
            seen_at=moment,
            confirmed_at=moment,
            way=method,
            remembered=remembered,
            device=device,
            address=address,
        )
        with self._lock:
            own = [key for key, other in self._sign_ins.items() if other.account == account.key]
            own.sort(key=lambda key: self._sign_ins[key].seen_at)
            surplus = own[: max(0, len(own) + 1 - MAX_PER_USER)]
            self._sign_ins[_key(cookie)] = sign_in
        for key in surplus:
            self._drop(key)
        self._write(_key(cookie), sign_in)
        return cookie

    def remember(self, cookie: str) -> None:
        """Extend the sign-in to `Lifetimes.remembered`, counted from now."""
        key, moment = _key(cookie), self._clock()
        with self._lock:
            found = self._sign_ins.get(key)
            if found is None:
                return
            changes = {"remembered": True, "created_at": moment, "seen_at": moment}
            remembered = self._sign_ins[key] = found.model_copy(update=changes)
        self._write(key, remembered)

    def must_confirm(self, cookie: str | None) -> bool:
        """Return whether the user has to re-authenticate before a sensitive change. Reads memory only.

        False for sign-ins by a proxy, because only the proxy could ask the user.
        """
        active_login = self.find(cookie)
        if active_login is None:
            return True
        if active_login.sign_in.way is AuthMethod.PROXY:
            return False
        confirmed_at = active_login.sign_in.confirmed_at
        # abs(): a clock that was set back must not extend the time.
        passed = abs(self._clock() - confirmed_at) if confirmed_at else None
        return passed is None or passed >= self.lifetimes.confirmed

    def confirm(self, cookie: str) -> None:
        """Record that the user has just re-authenticated."""
        key = _key(cookie)
        with self._lock:
            found = self._sign_ins.get(key)
            if found is None:
                return
            confirmed = self._sign_ins[key] = found.model_copy(update={"confirmed_at": self._clock()})
        self._write(key, confirmed)

    def end(self, cookie: str | None) -> None:
        """End a browser's sign-in; `user_of` returns None at once, and `sweep` repeats what is not stored."""
        if cookie:
            self._drop(_key(cookie))

    def end_one(self, account: Account, key: str) -> bool:
        """End another sign-in of the same user, and return whether there was one.

        Raises StoreError if it has ended at this page only, until `sweep` can store it.
        """
        with self._lock:
            found = self._sign_ins.get(key)
        if found is None or found.account != account.key:
            return False
        self._end(key)
        return True

    def sweep(self) -> None:
        """Reload changed users, drop expired and revoked sign-ins, and store activity and past ends."""
        try:
            self.refresh()
        except StoreError as error:
            log.warning("users_not_refreshed problem=%r", error.message)
        else:
            self._remove_again()
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

    def _is_settled(self, key: str) -> bool:
        is_known = key in self._sign_ins or key in self._ended
        return is_known or self._monotonic() < self._unknown.get(key, 0.0)

    def _load(self, key: str) -> None:
        with self._lock:
            if self._is_settled(key):  # read by the request that this one waited for
                return
        self._users.refresh()
        record = self._store.read(SUBJECT, key)
        if record is not None:
            self._merge({key: record})
            return
        with self._lock:
            self._unknown.pop(key, None)
            if len(self._unknown) >= MAX_UNKNOWN:
                del self._unknown[next(iter(self._unknown))]
            self._unknown[key] = self._monotonic() + UNKNOWN_SECONDS

    def _reload(self) -> None:
        with self._refreshing:
            revision = self._store.revision(SUBJECT)
            if revision == self._revision:
                return
            with self._lock:
                # Those that are written from now on may be missing in what is read.
                stored = set(self._written_seen_at)
            records = self._store.read_all(SUBJECT)
            self._merge(records)
            with self._lock:
                for key in stored - records.keys():
                    self._sign_ins.pop(key, None)
                    self._written_seen_at.pop(key, None)
                self._ended &= records.keys() | self._unremoved
            self._revision = revision

    def _merge(self, records: Mapping[str, Record]) -> None:
        for key, record in records.items():
            try:
                found = SignIn.model_validate(record.value)
            except ValidationError:
                log.warning("stored_sign_in_ignored reason=unreadable")
                continue
            with self._lock:
                if key in self._ended:
                    continue
                known = self._sign_ins.get(key)
                self._written_seen_at[key] = found.seen_at
                if known is not None:
                    found = found.model_copy(update={"seen_at": max(known.seen_at, found.seen_at)})
                self._sign_ins[key] = found

    def _write(self, key: str, sign_in: SignIn) -> None:
        value = sign_in.model_dump(mode="json")
        with self._lock:
            was_stored = key in self._written_seen_at

        def change(present: dict[str, Any] | None) -> Mapping[str, Any] | None:
            # A sign-in that has ended meanwhile, here or at another page, must not return.
            with self._lock:
                return value if key in self._sign_ins and (present or not was_stored) else None

        try:
            if modify(self._store, SUBJECT, key, change) is not None:
                with self._lock:
                    self._written_seen_at[key] = sign_in.seen_at
        except StoreError as error:
            # The sign-in works from memory until a restart: a full disk locks no user out.
            log.warning("sign_in_not_stored problem=%r", error.message)

    def _drop(self, key: str) -> None:
        try:
            self._end(key)
        except StoreError as error:
            log.warning("sign_in_not_removed_from_store problem=%r", error.message)

    def _end(self, key: str) -> None:
        with self._lock:
            self._sign_ins.pop(key, None)
            self._written_seen_at.pop(key, None)
            self._ended.add(key)
            self._unremoved.add(key)
        self._remove([key])

    def _remove_again(self) -> None:
        with self._lock:
            unremoved = list(self._unremoved)
        if not unremoved:
            return
        try:
            self._remove(unremoved)
        except StoreError as error:
            # Logged as a warning when it ended; this comes again every second.
            log.debug("sign_ins_not_removed_from_store problem=%r", error.message)
        else:
            log.info("sign_ins_removed_from_store count=%d", len(unremoved))

    def _remove(self, keys: Collection[str]) -> None:
        # Not `modify`, which takes what was read before the database went away for what is stored.
        self._store.remove(SUBJECT, keys)
        with self._lock:
            self._unremoved.difference_update(keys)


def _key(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
