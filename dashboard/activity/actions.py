"""Actions of the filters of activity and incidents, and of the pagination."""

from __future__ import annotations

from dashboard import session_state, state
from dashboard.activity.lines import USUAL_PERIOD
from dashboard.auth.users import Role

PAGE = "activity"
NAMES = ("server", "session", "kind", "person", "period")
"""The parts of the filter, by their query parameters."""


def widget(page: str, name: str) -> str:
    """Return the widget key of a part of a page's filter."""
    return f"{page}-{name}"


def keep_filter(page: str) -> None:
    """Write the filter of a page to the URL and return to the newest entries."""
    state.require(Role.VIEWER)
    for name in NAMES:
        value = session_state.text_value(widget(page, name)).strip()
        usual = USUAL_PERIOD if name == "period" else ""
        session_state.set_query_param(name, [] if value == usual else [value])
    session_state.turn_page(1)


def show_all() -> None:
    """Clear the filter, including the period."""
    state.require(Role.VIEWER)
    for name in NAMES:
        session_state.set_value(widget(PAGE, name), "all" if name == "period" else "")
    keep_filter(PAGE)


def turn(page: int) -> None:
    """Go to a page of the activity, from 1 on."""
    state.require(Role.VIEWER)
    session_state.turn_page(page)
