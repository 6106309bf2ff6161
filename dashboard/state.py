"""What the page holds: the core of this process, and what the reader may see of it."""

from __future__ import annotations

import logging
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from core.exceptions import StoreError
from core.models import Snapshot
from core.operation_status import OperationStatus
from core.operations.fleet import FleetStart
from core.runtime import Core
from core.settings.values import Settings
from core.uptime.records import TrackRecords
from dashboard.auth import identity
from dashboard.auth.identity import Administration
from dashboard.auth.user_admin import UserAdmin
from dashboard.auth.users import Role, User
from dashboard.cache import redaction
from dashboard.cache.acknowledgements import (
    AcknowledgementWatch,
    note_acknowledgement,
    read_acknowledgement,
)
from dashboard.cache.alerting import Alerting
from dashboard.cache.attempts import Attempts
from dashboard.cache.background import Background
from dashboard.cache.examinations import Examinations
from dashboard.cache.sync_view import SyncView, read_view
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import current_locale
from dashboard.i18n import gettext as _
from dashboard.text.phone import region_of
from dashboard.theme.theme import signed_out

log = logging.getLogger(__name__)

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


@dataclass(frozen=True)
class _Installed:
    core: Core
    background: Background
    examinations: Examinations
    rounds: Attempts
    track_records: TrackRecords
    alerting: Alerting
    acknowledgements: AcknowledgementWatch
    fleet: FleetStart


_installed: list[_Installed] = []


def install(core: Core) -> None:
    """Give the pages their core; the server does it once, before any page runs."""
    uninstall()
    history = core.history
    acknowledgements = AcknowledgementWatch(
        core.store,
        history.append,
        read_snapshot=core.monitor.snapshot,
        read_settings=lambda: core.settings.current().alertmanager,
    )
    acknowledgements.start()
    _installed.append(
        _Installed(
            core,
            Background(),
            Examinations(),
            Attempts(),
            TrackRecords(history),
            Alerting(history.append, end_when_connected=partial(note_acknowledgement, core.store)),
            acknowledgements,
            FleetStart(core.operations),
        )
    )


def uninstall() -> None:
    """Let go of the core and end the background threads."""
    for one in _installed:
        one.background.stop()
        one.examinations.stop()
        one.alerting.stop()
        one.acknowledgements.stop()
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


def acknowledgement_ended(server: str, session: str, since: datetime) -> bool:
    """Return whether an acknowledgement has ended since a moment because the session was connected."""
    try:
        known = read_acknowledgement(core().store, (server, session))
    except StoreError:
        return False
    return known is not None and known.ended_at is not None and known.ended_at >= since


def ends_when_connected(server: str, session: str, silence: str) -> bool:
    """Return whether a silence ends once its session is connected again."""
    try:
        known = read_acknowledgement(core().store, (server, session))
    except StoreError:
        return False
    return known is not None and known.silence == silence and known.ended_at is None


def fleet() -> FleetStart:
    """Return what starts several sessions."""
    return _installed[0].fleet


def rounds() -> Attempts:
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

    The first line of every action: the browser may send a click that its page never offered. Users are read
    anew, so that who was removed or demoted a moment ago, also by the command line, does not act any more.
    """
    try:
        identity.refresh()
    except StoreError as error:
        log.warning("action_refused reason=users_unreadable problem=%r", error.message)
        st.stop()
    found = user()
    if not found.role.covers(role):
        st.stop()
    return found


def must_confirm() -> bool:
    """Return whether the reader has to prove again who they are before changing what matters."""
    return identity.must_confirm()


def administration() -> Administration:
    """Return what the users page works with."""
    require(Role.ADMINISTRATOR)
    return identity.administration()


def people() -> UserAdmin:
    """Return what users are changed with."""
    return administration().people


def voice(now: datetime) -> LocaleFormatter:
    """Return the reader's language and time zone, with the moment at which the shown values were taken."""
    return LocaleFormatter(now=now, zone=_zone(), locale=current_locale())


def snapshot() -> Snapshot:
    """Return everything that the reader may know now; memory only."""
    found = core().monitor.snapshot()
    return found if may(Role.OPERATOR) else redaction.without_codes(found)


def settings() -> Settings:
    """Return the settings in force; memory only."""
    return core().settings.current()


def operation(server: str, session: str) -> OperationStatus | None:
    """Return what is being done, or was last done, with a session, as far as the reader may know it."""
    found = core().operations.status(server, session)
    return found if found is None or may(Role.OPERATOR) else redaction.without_code(found)


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


def zone_name() -> str:
    """Name the reader's time zone, as the browser tells it."""
    return st.context.timezone or "UTC"


def _zone() -> tzinfo:
    try:
        return ZoneInfo(zone_name())
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
