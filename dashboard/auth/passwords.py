"""Hashing and checking of passwords with argon2id, in a few threads off the event loop."""

from __future__ import annotations

import asyncio
import base64
import random
import secrets
import unicodedata
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.clock import monotonic
from dashboard.i18n import Translate

MIN_LENGTH = 12
MAX_LENGTH = 256
AT_ONCE = 2
"""One check takes 64 MB and about 105 ms of four threads."""
MAX_WAITING = 12
"""For known names and new passwords; the rate limit per account keeps the queue short."""
REMEMBERED_TIMES = 32
TYPICAL_SECONDS = 0.1
"""The assumed duration of a check until the first one is timed."""

Result = TypeVar("Result")


class PasswordsBusyError(Exception):
    """Too many passwords are waiting to be checked; retry in a moment."""


class Passwords:
    """Hash and check passwords in a thread pool, at most `AT_ONCE` at a time."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
        self._nobody = _hash_of_nothing(self._hasher)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        self._waiting = 0
        self._is_feigning = False
        self._times: deque[float] = deque([TYPICAL_SECONDS], maxlen=REMEMBERED_TIMES)

    async def hash(self, password: str) -> str:
        """Return the hash of a new password. Raises PasswordsBusyError."""
        return await self._run(partial(self._hasher.hash, _normalise(password)))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Return whether a password matches; without a stored hash (no such user) fail in the same time.

        A flood of invented names would fill every queue. One check for them at a time really runs; the others
        only sleep as long as checks take at present, and leave the threads free. Raises PasswordsBusyError.
        """
        if stored is None:
            await self._feign(password)
            return False
        began = monotonic()
        is_right = await self._run(partial(self._verify, stored, password))
        self._times.append(monotonic() - began)
        return is_right

    async def _feign(self, password: str) -> None:
        if self._is_feigning or self._waiting >= AT_ONCE:
            await asyncio.sleep(random.choice(self._times))  # noqa: S311 - imitates, protects nothing
            return
        self._is_feigning = True
        try:
            await self._run(partial(self._verify, self._nobody, password))
        finally:
            self._is_feigning = False

    def is_outdated(self, stored: str) -> bool:
        """Return whether the hash has other parameters than the present ones."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Shut down the thread pool."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _normalise(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: partial[Result]) -> Result:
        if self._waiting >= MAX_WAITING:
            raise PasswordsBusyError
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1


def password_problem(password: str, repeated: str, name: str, _: Translate) -> str | None:
    """Return why a new password is not acceptable, or None if it is."""
    plain = password.casefold()
    if len(password) < MIN_LENGTH:
        return _("Use at least 12 characters for the password.")
    if len(password) > MAX_LENGTH:
        return _("Use at most 256 characters for the password.")
    if len(set(plain)) < 5 or plain in "0123456789" * 3 or plain in "abcdefghijklmnopqrstuvwxyz":
        return _("This password is too easy to guess: use several words or more different characters.")
    if plain.replace(name.casefold(), "", 1).strip("0123456789 !.-_") in ("", "password", "wppconnect"):
        return _("This password is too easy to guess: use several words or more different characters.")
    if password != repeated:
        return _("The passwords do not match. Type the same one twice.")
    return None


def _normalise(password: str) -> str:
    # Letters may arrive composed or decomposed, depending on keyboard and system.
    return unicodedata.normalize("NFKC", password)


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """Return a well-formed hash with the hasher's parameters that matches no known password."""

    def encode(size: int) -> str:
        return base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")

    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${encode(hasher.salt_len)}${encode(hasher.hash_len)}"
