"""The current user, for page scripts and fragments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dashboard.auth.cookies import SIGN_IN_COOKIE
from dashboard.auth.user_admin import UserAdmin
from dashboard.auth.users import Account, AuthMethod, User


class SignInLookup(Protocol):
    """The part of `SignIns` that page scripts use."""

    def user_of(self, cookie: str | None) -> User | None:
        """Return the user who is signed in with this cookie value, or None."""

    def must_confirm(self, cookie: str | None) -> bool:
        """Return whether the user has to re-authenticate before a sensitive change."""

    def refresh(self) -> None:
        """Reload users that other processes have changed. Raises StoreError."""


@dataclass(frozen=True)
class Administration:
    """The services and settings of the users page."""

    user_admin: UserAdmin
    last_used: Callable[[Account], datetime | None]
    methods: tuple[AuthMethod, ...]
    """The authentication methods available to new users."""
    groups_decide: bool
    """Whether groups of the proxy or the provider assign roles, except to accounts with a password."""
    external_url: str | None


_sign_ins: list[SignInLookup] = []
_administration: list[Administration] = []


def install(sign_ins: SignInLookup, administration: Administration | None = None) -> None:
    """Install the services that the functions below use. Called once at start, before any page runs."""
    _sign_ins[:] = [sign_ins]
    _administration[:] = [administration] if administration else []


def administration() -> Administration:
    """Return the services of the users page; the caller has checked the role."""
    return _administration[0]


def user_of(cookie: str | None) -> User | None:
    """Return the user who is signed in with this cookie value, or None; for routes outside Streamlit."""
    return _sign_ins[0].user_of(cookie) if _sign_ins else None


def refresh() -> None:
    """Reload users that other processes have changed; call it before an action. Raises StoreError."""
    for one in _sign_ins:
        one.refresh()


def current_user() -> User | None:
    """Return the user of the browser that this script runs for. If None, draw nothing and stop.

    Reads memory only. Call it at the top of every page **and every fragment**: an open tab whose user signs
    out is rerun once, and then disconnected.
    """
    return _sign_ins[0].user_of(_cookie()) if _sign_ins else None


def user_reader() -> Callable[[], User | None]:
    """Return a function that reads the present user anew, for jobs in the background. It raises StoreError.

    It returns None once the sign-in has ended or the account is gone or disabled.
    """
    cookie = _cookie()

    def read() -> User | None:
        refresh()
        return user_of(cookie)

    return read


def must_confirm() -> bool:
    """Return whether the user has to re-authenticate before a sensitive change. Reads memory only."""
    return not _sign_ins or _sign_ins[0].must_confirm(_cookie())


def _cookie() -> str | None:
    from streamlit import context  # imported here because the gate's tests need no Streamlit

    return context.cookies.to_dict().get(SIGN_IN_COOKIE)
