"""Who looks at the page: the question that every page script and fragment asks first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dashboard.auth.cookies import SIGN_IN_COOKIE
from dashboard.auth.user_admin import UserAdmin
from dashboard.auth.users import Account, AuthMethod, User


class KnowsSignIns(Protocol):
    """What `current_user` needs of `SignIns`."""

    def user_of(self, cookie: str | None) -> User | None:
        """Tell who is signed in with this cookie value right now."""

    def must_confirm(self, cookie: str | None) -> bool:
        """Return whether who is signed in has to prove it again before changing what matters."""

    def refresh(self) -> None:
        """Take over what other processes changed of users. Raises StoreError."""


@dataclass(frozen=True)
class Administration:
    """What the users page works with."""

    people: UserAdmin
    last_used: Callable[[Account], datetime | None]
    ways: tuple[AuthMethod, ...]
    """How new users can sign in."""
    groups_decide: bool
    """Do groups of the proxy or the provider give roles, except to accounts with a password?"""
    external_url: str | None


_known: list[KnowsSignIns] = []
_administration: list[Administration] = []


def install(sign_ins: KnowsSignIns, administration: Administration | None = None) -> None:
    """Set whom to ask; the server does it once at start, before any page runs."""
    _known[:] = [sign_ins]
    _administration[:] = [administration] if administration else []


def administration() -> Administration:
    """Return what administrators work with; the caller has asked for the role."""
    return _administration[0]


def user_of(cookie: str | None) -> User | None:
    """Tell who is signed in with this cookie value right now, for routes that are not Streamlit's."""
    return _known[0].user_of(cookie) if _known else None


def refresh() -> None:
    """Take over what other processes changed of users, before somebody acts. Raises StoreError."""
    for one in _known:
        one.refresh()


def current_user() -> User | None:
    """Tell who is signed in in the browser for which this script runs; None: draw nothing and stop.

    Memory only. Ask at the top of every page **and every fragment**: a tab that is open when its user
    signs out is rerun once, and then cut off.
    """
    return _known[0].user_of(_cookie()) if _known else None


def must_confirm() -> bool:
    """Return whether the reader has to prove again who they are before changing what matters; memory only."""
    return not _known or _known[0].must_confirm(_cookie())


def _cookie() -> str | None:
    from streamlit import context  # here because the gate's tests need no Streamlit

    return context.cookies.to_dict().get(SIGN_IN_COOKIE)
