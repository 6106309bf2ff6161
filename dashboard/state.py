"""The process-wide services of the page, and what the current user may see of them."""

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
from core.messages import Message
from core.models import Snapshot
from core.operation_status import OperationStatus
from core.operations.fleet import FleetStart
from core.runtime import Core
from core.settings.values import Settings
from core.uptime.incidents import ResponseLog
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
from dashboard.cache.probe_durations import ProbeDurations
from dashboard.cache.sync_view import SyncView, read_view
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import current_locale
from dashboard.i18n import gettext as _
from dashboard.text.phone import region_of
from dashboard.theme.theme import signed_out

log = logging.getLogger(__name__)

NOTICES_MAX_AGE_SECONDS = 10
WATCH_SECONDS = 30.0


@dataclass(frozen=True)
class _Installed:
    core: Core
    background: Background
    examinations: Examinations
    attempts: Attempts
    track_records: TrackRecords
    responses: ResponseLog
    alerting: Alerting
    acknowledgements: AcknowledgementWatch
    fleet: FleetStart
    probe_durations: ProbeDurations


_installed: list[_Installed] = []


def install(core: Core) -> None:
    """Install the core for pages and start the background services. Called once, before any page runs."""
    uninstall()
    history = core.history
    acknowledgements = AcknowledgementWatch(
        core.store,
        history.append,
        read_snapshot=core.monitor.snapshot,
        read_settings=lambda: core.settings.current().alertmanager,
    )
    acknowledgements.start()
    durations = ProbeDurations(core.monitor.snapshot)
    durations.start()
    _installed.append(
        _Installed(
            core,
            Background(),
            Examinations(),
            Attempts(),
            TrackRecords(history),
            ResponseLog(history),
            Alerting(history.append, end_when_over=partial(note_acknowledgement, core.store)),
            acknowledgements,
            FleetStart(core.operations),
            durations,
        )
    )


def uninstall() -> None:
    """Stop the background services and drop the core."""
    for one in _installed:
        one.background.stop()
        one.examinations.stop()
        one.alerting.stop()
        one.acknowledgements.stop()
        one.fleet.stop()
        one.probe_durations.stop()
    _installed.clear()


def core() -> Core:
    """Return the core of this process."""
    return _installed[0].core


def background() -> Background:
    """Return the runner of background jobs."""
    return _installed[0].background


def examinations() -> Examinations:
    """Return the doctor's examinations."""
    return _installed[0].examinations


def track_keeper() -> TrackRecords:
    """Return the uptime records; not thread-safe, for one background thread at a time."""
    return _installed[0].track_records


def response_log() -> ResponseLog:
    """Return the log of responses to outages; not thread-safe, for one background thread at a time."""
    return _installed[0].responses


def alerting() -> Alerting:
    """Return the background client of Alertmanager."""
    return _installed[0].alerting


def acknowledgement_ended(server: str, session: str, since: datetime) -> bool:
    """Return whether an acknowledgement has ended since a time because the session was connected."""
    try:
        known = read_acknowledgement(core().store, (server, session))
    except StoreError:
        return False
    return known is not None and known.ended_at is not None and known.ended_at >= since


def has_ended(server: str, session: str, silence: str) -> bool:
    """Return whether a silence of a session or gateway has ended because its outage is over."""
    try:
        known = read_acknowledgement(core().store, (server, session))
    except StoreError:
        return False
    return known is not None and known.silence == silence and known.ended_at is not None


def ends_when_over(server: str, session: str, silence: str) -> bool:
    """Return whether a silence of a session or gateway ends once its outage is over."""
    try:
        known = read_acknowledgement(core().store, (server, session))
    except StoreError:
        return False
    return known is not None and known.silence == silence and known.ended_at is None


def fleet() -> FleetStart:
    """Return the service that starts several sessions."""
    return _installed[0].fleet


def probe_durations() -> ProbeDurations:
    """Return how long the probes of each gateway took."""
    return _installed[0].probe_durations


def attempts() -> Attempts:
    """Return the counter of requested codes."""
    return _installed[0].attempts


def attempts_key(server: str, session: str) -> Hashable:
    """Return the counter's key: the user, and the session's present outage."""
    seen = snapshot().session(server, session)
    return user().name, server, session, seen.lost_at if seen else None


def user() -> User:
    """Return the current user; if signed out, show the link to the sign-in and stop the run."""
    found = identity.current_user()
    if found is None:
        st.html(signed_out(_("You are signed out."), _("Sign in again")))
        st.stop()
    return found


def may(role: Role) -> bool:
    """Return whether the user has at least this role: for drawing only; actions call `require`."""
    return user().role.covers(role)


def require(role: Role) -> User:
    """Return the user of an action if the role suffices; otherwise stop the run.

    The first line of every action: the browser may send a click that its page never offered. Users are
    reloaded, so that a user who was just removed or demoted, even by the command line, cannot act.
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
    """Return whether the user has to re-authenticate before a sensitive change."""
    return identity.must_confirm()


def administration() -> Administration:
    """Return the services of the users page; stop the run unless the user is an administrator."""
    require(Role.ADMINISTRATOR)
    return identity.administration()


def user_admin() -> UserAdmin:
    """Return the administration of users."""
    return administration().user_admin


def formatter(now: datetime) -> LocaleFormatter:
    """Return a formatter for the user's locale and time zone; `now` is when the shown values were read."""
    return LocaleFormatter(now=now, zone=_zone(), locale=current_locale())


def snapshot() -> Snapshot:
    """Return the snapshot, redacted for the user's role. Reads memory only."""
    found = core().monitor.snapshot()
    return found if may(Role.OPERATOR) else redaction.without_codes(found)


def settings() -> Settings:
    """Return the settings in force. Reads memory only."""
    return core().settings.current()


def operation(server: str, session: str) -> OperationStatus | None:
    """Return the latest operation on a session, redacted for the user's role; None if none can be read."""
    try:
        found = core().operations.status(server, session)
    except StoreError:
        return None
    return found if found is None or may(Role.OPERATOR) else redaction.without_code(found)


def is_phone() -> bool:
    """Return whether the user's browser is that of a phone."""
    return "Mobi" in st.context.headers.get("user-agent", "")


def region() -> str | None:
    """Return the country in the browser's locale, or None."""
    return region_of(st.context.locale)


def watch(server: str, session: str) -> None:
    """Request probing every second while the session is on screen."""
    core().monitor.watch(server, session, WATCH_SECONDS)


def sync() -> SyncView:
    """Return the state of keys, files and containers, and the latest change request. Administrators only."""
    require(Role.ADMINISTRATOR)
    return read_view(core())


def troubles() -> tuple[Message, ...]:
    """Return the problems of settings and stored files, () if none; files are checked in the background."""
    store = core().store
    found = background().fresh("notices", lambda: store.notices, max_age_seconds=NOTICES_MAX_AGE_SECONDS)
    return (*core().settings.problems, *cast("tuple[Message, ...]", found or ()))


def zone_name() -> str:
    """Return the time zone that the browser reports, else "UTC"."""
    return st.context.timezone or "UTC"


def _zone() -> tzinfo:
    try:
        return ZoneInfo(zone_name())
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
