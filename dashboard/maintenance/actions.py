"""Actions on maintenance windows, one function per button, for `on_click`. Each requires its role first."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from core.settings import maintaining
from core.settings.source import SettingsSource
from dashboard import session_state, state
from dashboard.auth.users import Role
from dashboard.maintenance.form import read_form
from dashboard.session.actions import saved
from dashboard.session_state import Notice

PLACE = "maintenance"


def plan() -> None:
    """Save the window entered in the form."""
    user = state.require(Role.OPERATOR)
    chosen = read_form(secrets.token_hex(4), user.name)
    window, now = chosen.window, datetime.now(UTC)
    if window is None:
        session_state.set_notice(PLACE, Notice("bad", chosen.problem))
        return
    session_state.set_notice(PLACE, saved(lambda: maintaining.add(state.core().settings, window, now=now)))


def end(window: str) -> None:
    """End the open period of a window; nothing happens if it is not open any more."""
    user = state.require(Role.OPERATOR)
    now = datetime.now(UTC)
    _change(lambda source: maintaining.end(source, window, actor=user.name, now=now))


def delete(window: str) -> None:
    """Delete a window; nothing happens if it is gone already."""
    user = state.require(Role.OPERATOR)
    now = datetime.now(UTC)
    _change(lambda source: maintaining.delete(source, window, actor=user.name, now=now))


def _change(what: Callable[[SettingsSource], object]) -> None:
    session_state.set_notice(PLACE, saved(lambda: what(state.core().settings)))
