"""The one-time link with which the first administrator sets a password."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import sys
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import Now, now

log = logging.getLogger(__name__)

PATH = "/sign-in/first"
FILE_NAME = "first-sign-in-link"
VALID_FOR = timedelta(hours=24)
GRANT_VALID_FOR = timedelta(minutes=30)


class FirstSignInLink:
    """A token that a browser exchanges for a grant, and the grant with which it sets the password.

    Only the hashes are kept, in memory: each start without users makes a new link and the older ones are
    worthless. The link is used up when the administrator exists, not when somebody has looked at the form.
    """

    def __init__(self, *, clock: Now = now) -> None:
        self._clock = clock
        self._token_hash: bytes | None = None
        self._valid_until: datetime | None = None
        self._grants: dict[bytes, datetime] = {}

    def issue(self) -> str:
        """Make the token of a new link."""
        token = secrets.token_urlsafe(32)
        self._token_hash = _hash(token)
        self._valid_until = self._clock() + VALID_FOR
        self._grants.clear()
        return token

    def exchange(self, token: str) -> str | None:
        """Return a grant for the right token while it is valid, else None."""
        if self._token_hash is None or self._valid_until is None or self._clock() >= self._valid_until:
            return None
        if not hmac.compare_digest(_hash(token), self._token_hash):
            return None
        grant = secrets.token_urlsafe(32)
        self._grants[_hash(grant)] = self._clock() + GRANT_VALID_FOR
        return grant

    def accepts_grant(self, grant: str | None) -> bool:
        """May the browser that holds this grant set the first password?"""
        valid_until = self._grants.get(_hash(grant)) if grant else None
        return valid_until is not None and self._clock() < valid_until

    def use_up(self) -> None:
        """Make token and grants worthless: the administrator exists."""
        self._token_hash = None
        self._grants.clear()


def deliver(address: str, *, to_terminal: bool, directory: Path) -> None:
    """Hand the link to the operator: on stdout, or else in a file that only our user can read."""
    withdraw(directory)
    if to_terminal:
        sys.stdout.write(
            f"First sign-in, to set the administrator's password (works once, valid 24 hours):\n  {address}\n"
        )
        sys.stdout.flush()
        return
    path = directory / FILE_NAME
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(address + "\n")
    # The file's name only: who reads the log shall not be able to become administrator.
    log.info("first_sign_in_link_written file=%s valid_hours=24", path)


def withdraw(directory: Path) -> None:
    """Remove the link's file, if there is one."""
    (directory / FILE_NAME).unlink(missing_ok=True)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
