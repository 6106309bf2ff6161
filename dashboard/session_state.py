"""What one tab of the page holds: its few `session_state` keys, the values of its widgets, its address.

Nothing that an operator waits for lives here: a reload or a second tab shows the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time

import streamlit as st

from core.clock import monotonic
from core.operations.fleet import Target
from dashboard.auth.user_admin import NewLink

Field = str | bool | float
"""What a widget of a form holds."""

ARRIVAL_SECONDS = 900.0
"""For how long a tab that nobody has looked at yet may still do what the alert's link asks for."""

_DESTINATION = "ops-destination"
_NOTICES = "ops-notices"
_PHONES = "ops-phones"
_OPENED = "ops-opened"
_LINK = "ops-link"
_ARRIVAL = "ops-arrival"
_QUESTION = "ops-question"
_PICKED = "ops-picked"
_ACTIVITY_PAGE = "ops-activity-page"


@dataclass(frozen=True)
class Notice:
    """What came of a click, shown where it was clicked until the next one."""

    tone: str
    text: str
    asks_to_confirm: bool = False
    """Whether the way to confirming who one is stands behind it."""


@dataclass(frozen=True)
class Opened:
    """A form as it was when it was first shown in this tab."""

    values: Mapping[str, Field]
    """What stood in its widgets."""
    compared: Mapping[str, object]
    """What the settings in force had for its fields."""


def show_link(place: str, name: str, link: NewLink | None) -> None:
    """Keep a user's one-time link for this tab to show at a place; None: put it away."""
    st.session_state[_LINK] = (place, name, link) if link else None


def shown_link(place: str) -> tuple[str, NewLink] | None:
    """Return the one-time link that was made at a place in this tab, and for whom."""
    found: tuple[str, str, NewLink] | None = st.session_state.get(_LINK)
    return (found[1], found[2]) if found is not None and found[0] == place else None


def arrive(server: str, session: str) -> None:
    """Remember that this tab was opened by an alert's link, which asks for pairing."""
    st.session_state[_ARRIVAL] = (server, session, monotonic())


def forget_arrival() -> None:
    """What the alert's link asked for has begun, or is not wanted any more."""
    st.session_state.pop(_ARRIVAL, None)


def has_arrived(server: str, session: str) -> bool:
    """Tell whether an alert's link for this session was opened in this tab lately."""
    found: tuple[str, str, float] | None = st.session_state.get(_ARRIVAL)
    return found is not None and found[:2] == (server, session) and monotonic() - found[2] < ARRIVAL_SECONDS


def page_number() -> int:
    """Return the page of the activity that the reader is at, from 1 on."""
    return int(st.session_state.get(_ACTIVITY_PAGE, 1))


def turn_page(page: int) -> None:
    """Go to a page of the activity, from 1 on."""
    st.session_state[_ACTIVITY_PAGE] = max(1, page)


def go(page: str, params: Mapping[str, str] | None = None) -> None:
    """Ask for another page from a callback; `follow` does it, because callbacks cannot."""
    st.session_state[_DESTINATION] = (page, dict(params or {}))


def follow() -> None:
    """Switch to the page that a callback asked for, if one did."""
    if _DESTINATION in st.session_state:
        page, params = st.session_state.pop(_DESTINATION)
        st.switch_page(page, query_params=params)


def note_question(question: tuple[str, ...]) -> None:
    """Note what is to be asked when the whole page is drawn next."""
    st.session_state[_QUESTION] = question


def noted_question() -> tuple[str, ...] | None:
    """Return what is to be asked, and forget it."""
    found: tuple[str, ...] | None = st.session_state.pop(_QUESTION, None)
    return found


def picked() -> frozenset[Target] | None:
    """Return the sessions that are selected in this tab; None while nobody selects."""
    found: frozenset[Target] | None = st.session_state.get(_PICKED)
    return found


def pick(targets: frozenset[Target] | None) -> None:
    """Select these sessions in this tab; None: selecting is over."""
    st.session_state[_PICKED] = targets


def tell(place: str, notice: Notice | None) -> None:
    """Leave what came of a click for the place where it is shown."""
    st.session_state.setdefault(_NOTICES, {})[place] = notice


def notice(place: str) -> Notice | None:
    """Return what the latest click at this place came to."""
    found: Notice | None = st.session_state.get(_NOTICES, {}).get(place)
    return found


def remember_phone(server: str, session: str, phone: str) -> None:
    """Keep the number for a confirmation that may be asked next; in this tab only, never stored."""
    st.session_state[_PHONES] = {**st.session_state.get(_PHONES, {}), (server, session): phone}


def remembered_phone(server: str, session: str) -> str | None:
    """Return the number that was typed in this tab for this session."""
    found: str | None = st.session_state.get(_PHONES, {}).get((server, session))
    return found


def opened(form: str) -> Opened | None:
    """Return how a form stood when it was opened in this tab."""
    found: Opened | None = st.session_state.get(_OPENED, {}).get(form)
    return found


def remember_opened(form: str, values: Opened | None) -> None:
    """Remember how a form stands as it is opened; None: it will be opened anew."""
    st.session_state[_OPENED] = {**st.session_state.get(_OPENED, {}), form: values}


def typed(key: str) -> str:
    """Return what stands in the text field of this key."""
    return str(st.session_state.get(key) or "")


def holds(key: str) -> bool:
    """Tell whether the widget of this key has a value; those of a page that was left have none."""
    return key in st.session_state


def held(key: str) -> Field:
    """Return the value of the widget of this key."""
    value: Field = st.session_state[key]
    return value


def chosen(key: str) -> list[str]:
    """Return what is chosen in the widget of this key, of which several can be."""
    return [str(one) for one in st.session_state.get(key) or []]


def held_time(key: str) -> time | None:
    """Return the time of day in the widget of this key; None when it shows none."""
    value: time | None = st.session_state.get(key)
    return value


def put(key: str, value: Field | list[str]) -> None:
    """Set the value of the widget of this key, before it is drawn."""
    st.session_state[key] = value


def put_in_address(name: str, values: Sequence[str]) -> None:
    """Write a parameter into the page's address; none, and it is taken out."""
    if values:
        st.query_params[name] = list(values)
    else:
        st.query_params.pop(name, None)
