"""State of one tab: its `session_state` keys, the values of its widgets, its address.

Nothing that an operator waits for is stored here: a reload or a second tab shows the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

import streamlit as st

from core.clock import monotonic
from core.operations.fleet import Target
from dashboard.auth.user_admin import NewLink

Field = str | bool | float
"""The value of a form's widget."""

ALERT_LINK_SECONDS = 900.0
"""How long a tab that has not been visible yet may still act on an alert's link."""

_REQUESTED_PAGE = "ops-requested-page"
_NOTICES = "ops-notices"
_PHONES = "ops-phones"
_OPENED = "ops-opened"
_LINK = "ops-link"
_ALERT_LINK = "ops-alert-link"
_CONFIRMATION = "ops-confirmation"
_SELECTED = "ops-selected"
_ACTIVITY_PAGE = "ops-activity-page"


@dataclass(frozen=True)
class Notice:
    """The result of a click, shown where it was clicked until the next one."""

    tone: str
    text: str
    asks_to_confirm: bool = False
    """Whether a link to re-authenticate follows the text."""


@dataclass(frozen=True)
class Opened:
    """The state of a form when it was first shown in this tab."""

    values: Mapping[str, Field]
    """The values of its widgets."""
    compared: Mapping[str, object]
    """The values of its fields in the settings in force."""


def show_link(place: str, name: str, link: NewLink | None) -> None:
    """Keep a user's one-time link, to be shown at a place in this tab; None removes it."""
    st.session_state[_LINK] = (place, name, link) if link else None


def shown_link(place: str) -> tuple[str, NewLink] | None:
    """Return the user's name and the one-time link made at a place in this tab, or None."""
    found: tuple[str, str, NewLink] | None = st.session_state.get(_LINK)
    return (found[1], found[2]) if found is not None and found[0] == place else None


def set_alert_link(server: str, session: str) -> None:
    """Record that this tab was opened by an alert's link that requests pairing."""
    st.session_state[_ALERT_LINK] = (server, session, monotonic())


def clear_alert_link() -> None:
    """Forget the alert's link, once its pairing has begun or is not wanted."""
    st.session_state.pop(_ALERT_LINK, None)


def has_alert_link(server: str, session: str) -> bool:
    """Return whether an alert's link for this session opened this tab within `ALERT_LINK_SECONDS`."""
    found: tuple[str, str, float] | None = st.session_state.get(_ALERT_LINK)
    return (
        found is not None and found[:2] == (server, session) and monotonic() - found[2] < ALERT_LINK_SECONDS
    )


def page_number() -> int:
    """Return the current page of the activity, from 1 on."""
    return int(st.session_state.get(_ACTIVITY_PAGE, 1))


def turn_page(page: int) -> None:
    """Go to a page of the activity, from 1 on."""
    st.session_state[_ACTIVITY_PAGE] = max(1, page)


def request_page(page: str, params: Mapping[str, str] | None = None) -> None:
    """Request another page from a callback, which cannot switch; `switch_to_requested_page` does."""
    st.session_state[_REQUESTED_PAGE] = (page, dict(params or {}))


def switch_to_requested_page() -> None:
    """Switch to the page that a callback has requested, if any."""
    if _REQUESTED_PAGE in st.session_state:
        page, params = st.session_state.pop(_REQUESTED_PAGE)
        st.switch_page(page, query_params=params)


def set_confirmation(confirmation: tuple[str, ...]) -> None:
    """Store the confirmation to show at the next full run of the page."""
    st.session_state[_CONFIRMATION] = confirmation


def pop_confirmation() -> tuple[str, ...] | None:
    """Return and remove the confirmation to show, or None."""
    found: tuple[str, ...] | None = st.session_state.pop(_CONFIRMATION, None)
    return found


def selected() -> frozenset[Target] | None:
    """Return the sessions selected in this tab; None outside selection mode."""
    found: frozenset[Target] | None = st.session_state.get(_SELECTED)
    return found


def select(targets: frozenset[Target] | None) -> None:
    """Select these sessions in this tab; None ends selection mode."""
    st.session_state[_SELECTED] = targets


def set_notice(place: str, notice: Notice | None) -> None:
    """Store the notice to show at a place; None removes it."""
    st.session_state.setdefault(_NOTICES, {})[place] = notice


def notice(place: str) -> Notice | None:
    """Return the notice of the latest click at this place, or None."""
    found: Notice | None = st.session_state.get(_NOTICES, {}).get(place)
    return found


def remember_phone(server: str, session: str, phone: str) -> None:
    """Keep a phone number in this tab for a confirmation that may follow; it is never stored."""
    st.session_state[_PHONES] = {**st.session_state.get(_PHONES, {}), (server, session): phone}


def remembered_phone(server: str, session: str) -> str | None:
    """Return the phone number that was entered in this tab for this session, or None."""
    found: str | None = st.session_state.get(_PHONES, {}).get((server, session))
    return found


def opened(form: str) -> Opened | None:
    """Return the state of a form when it was opened in this tab, or None."""
    found: Opened | None = st.session_state.get(_OPENED, {}).get(form)
    return found


def remember_opened(form: str, values: Opened | None) -> None:
    """Store the state of a form at opening; None makes the next opening start afresh."""
    st.session_state[_OPENED] = {**st.session_state.get(_OPENED, {}), form: values}


def text_value(key: str) -> str:
    """Return the text in the field of this key, or ""."""
    return str(st.session_state.get(key) or "")


def has_value(key: str) -> bool:
    """Return whether the widget of this key has a value; widgets of a page that was left have none."""
    return key in st.session_state


def value(key: str) -> Field:
    """Return the value of the widget of this key."""
    value: Field = st.session_state[key]
    return value


def selected_values(key: str) -> list[str]:
    """Return the values chosen in the multiple-choice widget of this key."""
    return [str(one) for one in st.session_state.get(key) or []]


def time_value(key: str) -> time | None:
    """Return the time of day in the widget of this key, or None."""
    value: time | None = st.session_state.get(key)
    return value


def datetime_value(key: str) -> datetime | None:
    """Return the local date and time in the widget of this key, or None."""
    value: datetime | None = st.session_state.get(key)
    return value


def set_value(key: str, value: Field | list[str]) -> None:
    """Set the value of the widget of this key. Call it before the widget is drawn."""
    st.session_state[key] = value


def set_query_param(name: str, values: Sequence[str]) -> None:
    """Set a query parameter in the page's address; no values remove it."""
    if values:
        st.query_params[name] = list(values)
    else:
        st.query_params.pop(name, None)
