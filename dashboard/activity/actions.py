"""What the activity's filter and pages do when they are changed."""

from __future__ import annotations

from dashboard import session_state, state
from dashboard.activity.lines import USUAL_PERIOD
from dashboard.auth.users import Role

NAMES = ("server", "session", "kind", "person", "period")
"""The parts of the filter, as they are named in the page's address."""


def widget(name: str) -> str:
    """Name the widget of a part of the filter."""
    return f"activity-{name}"


def keep_filter() -> None:
    """Write the filter into the address and begin with the newest lines."""
    state.require(Role.VIEWER)
    for name in NAMES:
        value = session_state.typed(widget(name)).strip()
        usual = USUAL_PERIOD if name == "period" else ""
        session_state.put_in_address(name, [] if value == usual else [value])
    session_state.turn_page(1)


def show_all() -> None:
    """Look for nothing in particular."""
    state.require(Role.VIEWER)
    for name in NAMES:
        session_state.put(widget(name), "all" if name == "period" else "")
    keep_filter()


def turn(page: int) -> None:
    """Go to older or newer lines."""
    state.require(Role.VIEWER)
    session_state.turn_page(page)
