"""Bulk actions on selected sessions. Each action reads the current state of every session first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from core.models import Pause
from core.operations.fleet import Action, Plan, Target, plan
from core.settings import pausing
from core.settings.pausing import Target as PauseTarget
from dashboard import session_state, state
from dashboard.auth.users import Role
from dashboard.dialogs.until_form import read_until
from dashboard.formatting import by_name
from dashboard.i18n import gettext as _
from dashboard.session.actions import saved
from dashboard.session_state import Notice

PLACE, PAUSE_FORM = "fleet", "fleet-pause-form"


def preview(action: Action) -> Plan:
    """Return what the action would do to each selected session in its current state."""
    selected = sorted(session_state.selected() or (), key=lambda one: tuple(map(by_name, one)))
    return plan(action, selected, state.snapshot(), state.settings())


def begin_picking() -> None:
    """Start selecting sessions. A second click keeps the present selection."""
    state.require(Role.OPERATOR)
    if session_state.selected() is None:
        session_state.select(frozenset())
        session_state.set_notice(PLACE, None)


def end_picking() -> None:
    """End selecting sessions and clear the selection."""
    state.require(Role.OPERATOR)
    session_state.select(None)


def box_key(server: str, session: str, *, ticked: bool) -> str:
    """Return the widget key of a session's checkbox.

    It differs by the value that the checkbox is drawn with, because Streamlit keeps a widget's value when the
    selection changes by other means.
    """
    return f"pick-{int(ticked)}-{server}-{session}"


def keep_box(server: str, session: str, *, ticked: bool) -> None:
    """Add a session to the selection or remove it, by the change of its checkbox.

    A browser reports removed checkboxes until it has redrawn, and Streamlit, which has dropped their state,
    treats that as a change. So only a value that differs from the drawn one counts.
    """
    state.require(Role.OPERATOR)
    selected = session_state.selected()
    if selected is not None and session_state.value(box_key(server, session, ticked=ticked)) != ticked:
        target = frozenset({(server, session)})
        session_state.select(selected - target if ticked else selected | target)


def pick_all(targets: Sequence[Target]) -> None:
    """Add all sessions that match the filter to the selection."""
    state.require(Role.OPERATOR)
    session_state.select((session_state.selected() or frozenset()) | frozenset(targets))


def start() -> None:
    """Start the selected sessions that a start can connect."""
    user = state.require(Role.OPERATOR)
    will = preview(Action.START).will
    if not will:
        return
    if state.fleet().begin(will, actor=user.name):
        session_state.select(None)
        session_state.set_notice(PLACE, None)
    else:
        session_state.set_notice(
            PLACE, Notice("warn", _("A bulk start is already running. Wait for it or stop it."))
        )


def pause() -> None:
    """Pause the selected sessions that are not paused, with the reason and the end entered in the form."""
    user = state.require(Role.OPERATOR)
    chosen = read_until(PAUSE_FORM)
    told = Pause(by=user.name, since=datetime.now(UTC), reason=chosen.reason, until=chosen.until)
    targets: list[PauseTarget] = list(preview(Action.PAUSE).will)
    if targets:
        _done(saved(lambda: pausing.pause(state.core().settings, targets, told)))


def resume() -> None:
    """Resume the selected sessions that are paused."""
    user = state.require(Role.OPERATOR)
    targets: list[PauseTarget] = list(preview(Action.RESUME).will)
    now = datetime.now(UTC)
    if targets:
        _done(saved(lambda: pausing.resume(state.core().settings, targets, actor=user.name, now=now)))


def stop() -> None:
    """Stop a bulk start after the sessions in progress."""
    state.require(Role.OPERATOR)
    state.fleet().stop()


def dismiss() -> None:
    """Discard the result of a finished bulk start."""
    state.require(Role.OPERATOR)
    state.fleet().dismiss()


def _done(failed: Notice | None) -> None:
    if failed is None:
        session_state.select(None)
    session_state.set_notice(PLACE, failed)
