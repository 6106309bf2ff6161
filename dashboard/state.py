"""What the page holds: the core of this process, and for each tab its few `session_state` keys.

Nothing that an operator waits for lives in `session_state`: a reload or a second tab shows the same.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from core.clock import monotonic
from core.models import Snapshot
from core.operation_status import OperationStatus
from core.operations.fleet import FleetStart, Target
from core.runtime import Core
from core.settings.values import Settings
from core.track_record.records import TrackRecords
from dashboard import withheld
from dashboard.alerting import Alerting
from dashboard.auth import identity
from dashboard.auth.identity import Administration
from dashboard.auth.people import NewLink, People
from dashboard.auth.users import Role, User
from dashboard.background import Background
from dashboard.examinations import Examinations
from dashboard.formatting import Voice
from dashboard.i18n import current_locale
from dashboard.i18n import gettext as _
from dashboard.phone import region_of
from dashboard.rounds import Rounds
from dashboard.settings_fields import Field
from dashboard.sync_view import SyncView, read_view
from dashboard.theme import signed_out

# Not in a folder named `pages`: Streamlit would show its scripts by themselves, without the frame around
# them, to whoever comes by a deep link after a restart, until somebody has opened the start page.
SESSIONS_PAGE = "screens/sessions.py"
SESSION_PAGE = "screens/session.py"
SETTINGS_PAGE = "screens/settings.py"
USERS_PAGE = "screens/users.py"
SYNC_PAGE = "screens/sync.py"
ACTIVITY_PAGE = "screens/activity.py"

NOTICES_MAX_AGE_SECONDS = 10
WATCH_SECONDS = 30.0
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


@dataclass(frozen=True)
class Opened:
    """A form as it was when it was first shown in this tab."""

    values: Mapping[str, Field]
    """What stood in its widgets."""
    compared: Mapping[str, object]
    """What the settings in force had for its fields."""


@dataclass(frozen=True)
class _Installed:
    core: Core
    background: Background
    examinations: Examinations
    rounds: Rounds
    track_records: TrackRecords
    alerting: Alerting
    fleet: FleetStart


_installed: list[_Installed] = []


def install(core: Core) -> None:
    """Give the pages their core; the server does it once, before any page runs."""
    uninstall()
    history = core.history
    _installed.append(
        _Installed(
            core,
            Background(),
            Examinations(),
            Rounds(),
            TrackRecords(history),
            Alerting(history.append),
            FleetStart(core.operations),
        )
    )


def uninstall() -> None:
    """Let go of the core and end the background threads."""
    for one in _installed:
        one.background.stop()
        one.examinations.stop()
        one.alerting.stop()
        one.fleet.stop()
    _installed.clear()


def core() -> Core:
    """Return the core of this process."""
    return _installed[0].core


def background() -> Background:
    """Return the threads for work that pages must not wait for."""
    return _installed[0].background


def examinations() -> Examinations:
    """Return what the doctor finds out."""
    return _installed[0].examinations


def track_keeper() -> TrackRecords:
    """Return what keeps the sessions' track records; for one background thread at a time."""
    return _installed[0].track_records


def alerting() -> Alerting:
    """Return what is asked of Alertmanager."""
    return _installed[0].alerting


def fleet() -> FleetStart:
    """Return what starts several sessions."""
    return _installed[0].fleet


def rounds() -> Rounds:
    """Return how often codes were asked for."""
    return _installed[0].rounds


def rounds_of(server: str, session: str) -> Hashable:
    """Name whose rounds are counted: the reader's, for a session's present outage."""
    seen = snapshot().session(server, session)
    return user().name, server, session, seen.lost_at if seen else None


def user() -> User:
    """Return who looks at the page; when nobody is signed in any more, the run ends with the way back in."""
    found = identity.current_user()
    if found is None:
        st.html(signed_out(_("You are signed out."), _("Sign in again")))
        st.stop()
    return found


def may(role: Role) -> bool:
    """Tell whether the reader has at least this role: for what is offered, never for what is done."""
    return user().role.covers(role)


def require(role: Role) -> User:
    """Return the user of an action, which needs at least this role; ends the run otherwise.

    The first line of every action: the browser may send a click that its page never offered.
    """
    found = user()
    if not found.role.covers(role):
        st.stop()
    return found


def administration() -> Administration:
    """Return what the users page works with."""
    require(Role.ADMINISTRATOR)
    return identity.administration()


def people() -> People:
    """Return what users are changed with."""
    return administration().people


def show_link(place: str, name: str, link: NewLink | None) -> None:
    """Keep a user's one-time link for this tab to show at a place; None: put it away."""
    st.session_state[_LINK] = (place, name, link) if link else None


def shown_link(place: str) -> tuple[str, NewLink] | None:
    """Return the one-time link that was made at a place in this tab, and for whom."""
    found: tuple[str, str, NewLink] | None = st.session_state.get(_LINK)
    return (found[1], found[2]) if found is not None and found[0] == place else None


def voice(now: datetime) -> Voice:
    """Return the reader's language and time zone, with the moment at which the shown values were taken."""
    return Voice(now=now, zone=_zone(), locale=current_locale())


def snapshot() -> Snapshot:
    """Return everything that the reader may know now; memory only."""
    found = core().monitor.snapshot()
    return found if may(Role.OPERATOR) else withheld.without_codes(found)


def settings() -> Settings:
    """Return the settings in force; memory only."""
    return core().settings.current()


def operation(server: str, session: str) -> OperationStatus | None:
    """Return what is being done, or was last done, with a session, as far as the reader may know it."""
    found = core().operations.status(server, session)
    return found if found is None or may(Role.OPERATOR) else withheld.without_code(found)


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


def region() -> str | None:
    """Return the country of the reader's browser, if it names one."""
    return region_of(st.context.locale)


def watch(server: str, session: str) -> None:
    """Ask for a look at this session every second while somebody has it on the screen."""
    core().monitor.watch(server, session, WATCH_SECONDS)


def sync() -> SyncView:
    """Return how keys, files and containers stand, and the order that is under way."""
    require(Role.ADMINISTRATOR)
    return read_view(core())


def troubles() -> tuple[str, ...]:
    """Say what of ours could not be read and is not in force; the files are looked at in the background."""
    store = core().store
    found = background().fresh("notices", lambda: store.notices, max_age_seconds=NOTICES_MAX_AGE_SECONDS)
    return (*core().settings.problems, *cast("tuple[str, ...]", found or ()))


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


def zone_name() -> str:
    """Name the reader's time zone, as the browser tells it."""
    return st.context.timezone or "UTC"


def _zone() -> tzinfo:
    try:
        return ZoneInfo(zone_name())
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
