"""Who looks at the page: the question that every page script and fragment asks first."""

from __future__ import annotations

from typing import Protocol

from dashboard.auth.cookies import SIGN_IN_COOKIE
from dashboard.auth.users import User


class KnowsSignIns(Protocol):
    """What `current_user` needs of `SignIns`."""

    def user_of(self, cookie: str | None) -> User | None:
        """Tell who is signed in with this cookie value right now."""


_known: list[KnowsSignIns] = []


def install(sign_ins: KnowsSignIns) -> None:
    """Set whom to ask; the server does it once at start, before any page runs."""
    _known[:] = [sign_ins]


def current_user() -> User | None:
    """Tell who is signed in in the browser for which this script runs; None: draw nothing and stop.

    Memory only. Ask at the top of every page **and every fragment**: a tab that is open when its user
    signs out is rerun once, and then cut off.
    """
    from streamlit import context  # here because the gate's tests need no Streamlit

    return _known[0].user_of(context.cookies.to_dict().get(SIGN_IN_COOKIE)) if _known else None
