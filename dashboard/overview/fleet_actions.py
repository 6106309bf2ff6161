"""Bulk actions on selected sessions. Each action reads the current state of every session first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from core.models import Pause
from core.operations.fleet import Action, Plan, Target, plan
from core.settings import pausing
from core.settings.pausing import Target as PauseTarget
from dashboard import formatting, session_state, state
from dashboard.alerting.actions import LONGEST
from dashboard.alerting.panel import gateway_silence, silence_of
from dashboard.auth.users import Role
from dashboard.dialogs.until_form import read_until
from dashboard.formatting import by_name
from dashboard.i18n import gettext as _
from dashboard.overview.selection import Fold, entries
from dashboard.session.actions import saved
from dashboard.session_state import Notice

PLACE, PAUSE_FORM, ACKNOWLEDGE_FORM = "fleet", "fleet-pause-form", "fleet-acknowledge-form"


def preview(action: Action) -> Plan:
    """Return what the action would do to each selected session in its current state."""
    selected = sorted(session_state.selected() or (), key=lambda one: tuple(map(by_name, one)))
    if action is Action.ACKNOWLEDGE:
        return _acknowledging(selected)
    return plan(action, selected, state.snapshot(), state.settings())


def preview_problems() -> Plan:
    """Return what acknowledging all problems would do to each of them; nothing without an Alertmanager."""
    if state.settings().alertmanager is None:
        return Plan(Action.ACKNOWLEDGE, (), ())
    sessions = [one for server in state.snapshot().servers for one in server.sessions]
    return _acknowledging([(one.server, one.session) for one in formatting.problems(sessions)])


def _acknowledging(targets: Sequence[Target]) -> Plan:
    """Plan an acknowledgement; the sessions of a gateway that does not answer are one target."""
    snapshot = state.snapshot()
    sessions = [one for target in targets if (one := snapshot.session(*target)) is not None]
    folded: list[Target] = []
    acknowledged: set[Target] = set()
    for entry in entries(sessions, snapshot.servers):
        if isinstance(entry, Fold):
            target, silence = (entry.gateway.server, ""), gateway_silence(entry.gateway)
        else:
            target, silence = (entry.server, entry.session), silence_of(entry)
        folded.append(target)
        if silence is not None:
            acknowledged.add(target)
    return plan(Action.ACKNOWLEDGE, folded, snapshot, state.settings(), acknowledged=acknowledged)


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


def acknowledge() -> None:
    """Acknowledge the selected problems, with the reason and the end entered in the form."""
    state.require(Role.OPERATOR)
    _acknowledge(preview(Action.ACKNOWLEDGE).will)
    session_state.select(None)


def acknowledge_problems() -> None:
    """Acknowledge all problems, with the reason and the end entered in the form."""
    state.require(Role.OPERATOR)
    _acknowledge(preview_problems().will)


def _acknowledge(targets: Sequence[Target]) -> None:
    settings, chosen = state.settings().alertmanager, read_until(ACKNOWLEDGE_FORM)
    if settings is None or not targets:
        return
    state.alerting().silence_all(
        settings,
        targets,
        author=state.user().name,
        comment=chosen.reason or _("Acknowledged"),
        until=chosen.until or datetime.now(UTC) + LONGEST,
    )


def dismiss_acknowledged() -> None:
    """Discard the result of a bulk acknowledgement."""
    state.require(Role.OPERATOR)
    state.alerting().dismiss_bulk()


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
