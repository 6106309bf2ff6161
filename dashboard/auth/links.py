"""One-time links with which the first administrator or an invited user sets a password."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer

from core.clock import Now, now
from dashboard.auth.users import Account, PasswordLink, UnknownUserError, Users

log = logging.getLogger(__name__)

PATH = "/sign-in/link"
FILE_NAME = "first-sign-in-link"
ADDRESS_FILE = "page-address"
VALID_FOR = timedelta(hours=24)
USER_LINK_VALID_FOR = timedelta(hours=72)
"""An invitation made on Friday evening is still valid on Monday."""
GRANT_VALID_FOR = timedelta(minutes=30)


def note_address(directory: Path, url: str) -> None:
    """Write the page's address to a file, for links that the command line makes."""
    fresh = directory / f"{ADDRESS_FILE}.tmp"
    try:
        fresh.write_text(f"{url}\n", encoding="utf-8")
        fresh.replace(directory / ADDRESS_FILE)
    except OSError as error:
        log.warning("page_address_not_noted problem=%r", error.strerror)


def noted_address(directory: Path) -> str | None:
    """Return the address that the page last started with on this data folder, or None."""
    try:
        return (directory / ADDRESS_FILE).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


class LinkInvalidError(Exception):
    """The link was used or replaced, or has expired."""


@dataclass(frozen=True)
class Grant:
    """The permission to set a password that a browser gets for a link's token."""

    account: str | None
    """The account whose password may be set; None: the first administrator may be created."""
    token_hash: str


def make_link(moment: datetime) -> tuple[str, PasswordLink]:
    """Return the token of a new link, which is not stored, and the link to store."""
    token = secrets.token_urlsafe(32)
    return token, PasswordLink(token_hash=_hash(token), valid_until=moment + USER_LINK_VALID_FOR)


class SignInLinks:
    """Tokens that a browser exchanges for a grant, and the grants with which it sets a password.

    Only hashes are kept. The first administrator's link is in memory: each start without users makes a new
    one and invalidates the older ones. The links of users are stored with their accounts, because the command
    line makes them as well. Setting the password uses a link up, opening the form does not. Grants are signed
    and need no memory.
    """

    def __init__(self, users: Users, key: bytes, *, clock: Now = now) -> None:
        self._users = users
        self._clock = clock
        self._first: PasswordLink | None = None
        self._grants = URLSafeSerializer(key, salt="grant", signer_kwargs={"digest_method": hashlib.sha256})

    def issue(self) -> str:
        """Return the token of a new link for the first administrator; earlier links become invalid."""
        token = secrets.token_urlsafe(32)
        self._first = PasswordLink(token_hash=_hash(token), valid_until=self._clock() + VALID_FOR)
        return token

    def exchange(self, token: str) -> str | None:
        """Return a grant for a valid link's token, else None. Reads memory only."""
        found = self._find(_hash(token))
        if found is None:
            return None
        valid_until = self._clock() + GRANT_VALID_FOR
        return str(self._grants.dumps([secrets.token_hex(8), found.token_hash, valid_until.timestamp()]))

    def of(self, grant: str | None) -> Grant | None:
        """Return the grant if it and its link are valid, else None."""
        try:
            _, token_hash, valid_until = self._grants.loads(grant or "")
        except (BadData, UnicodeError):
            return None
        return self._find(token_hash) if self._clock().timestamp() < valid_until else None

    def invalidate(self) -> None:
        """Invalidate the first link and its grants once the administrator exists."""
        self._first = None

    def set_password(self, grant: Grant, password_hash: str) -> Account:
        """Set the password of a link's user, remove the passkeys and end all earlier sign-ins.

        Of concurrent uses one succeeds.

        Raises LinkInvalidError.
        """

        def change(account: Account) -> Account:
            if not _is_open(account.link, grant.token_hash, self._clock()) or account.disabled:
                raise LinkInvalidError
            changes = {"password_hash": password_hash, "link": None, "generation": account.generation + 1}
            # The way back for someone who has lost them, and where one is required the only one.
            return account.model_copy(update=changes | {"passkeys": ()})

        try:
            changed = self._users.change(grant.account or "", change)
        except UnknownUserError:
            raise LinkInvalidError from None
        if changed is None:
            raise LinkInvalidError
        return changed

    def _find(self, token_hash: str) -> Grant | None:
        moment = self._clock()
        if _is_open(self._first, token_hash, moment):
            return Grant(None, token_hash)
        for account in self._users.all():
            if not account.disabled and _is_open(account.link, token_hash, moment):
                return Grant(account.key, token_hash)
        return None


def deliver(address: str, *, to_terminal: bool, directory: Path) -> None:
    """Print the first link on stdout, or else write it to a file that only this process's user can read."""
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
    # The file's name only: a reader of the log must not be able to become administrator.
    log.info("first_sign_in_link_written file=%s valid_hours=24", path)


def withdraw(directory: Path) -> None:
    """Remove the link's file, if there is one."""
    (directory / FILE_NAME).unlink(missing_ok=True)


def _is_open(link: PasswordLink | None, token_hash: str, moment: datetime) -> bool:
    return link is not None and hmac.compare_digest(link.token_hash, token_hash) and moment < link.valid_until


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
