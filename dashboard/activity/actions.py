"""Actions of the activity's filter and pagination."""

from __future__ import annotations

from dashboard import session_state, state
from dashboard.activity.lines import USUAL_PERIOD
from dashboard.auth.users import Role

NAMES = ("server", "session", "kind", "person", "period")
"""The parts of the filter, by their query parameters."""


def widget(name: str) -> str:
    """Return the widget key of a part of the filter."""
    return f"activity-{name}"


def keep_filter() -> None:
    """Write the filter to the URL and return to page 1, the newest entries."""
    state.require(Role.VIEWER)
    for name in NAMES:
        value = session_state.text_value(widget(name)).strip()
        usual = USUAL_PERIOD if name == "period" else ""
        session_state.set_query_param(name, [] if value == usual else [value])
    session_state.turn_page(1)


def show_all() -> None:
    """Clear the filter, including the period."""
    state.require(Role.VIEWER)
    for name in NAMES:
        session_state.set_value(widget(name), "all" if name == "period" else "")
    keep_filter()


def turn(page: int) -> None:
    """Go to a page of the activity, from 1 on."""
    state.require(Role.VIEWER)
    session_state.turn_page(page)
