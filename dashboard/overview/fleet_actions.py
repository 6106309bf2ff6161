"""Selecting several sessions, and what the buttons do to them; each session is looked at anew."""

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
from dashboard.i18n import gettext as _
from dashboard.session.actions import saved
from dashboard.session_state import Notice

PLACE, PAUSE_FORM = "fleet", "fleet-pause-form"


def preview(action: Action) -> Plan:
    """Tell what would happen to which of the selected sessions, as they are now."""
    return plan(action, sorted(session_state.picked() or ()), state.snapshot(), state.settings())


def begin_picking() -> None:
    """Begin to select sessions; who taps twice keeps what they have selected."""
    state.require(Role.OPERATOR)
    if session_state.picked() is None:
        session_state.pick(frozenset())
        session_state.tell(PLACE, None)


def end_picking() -> None:
    """Select nothing any more."""
    state.require(Role.OPERATOR)
    session_state.pick(None)


def box_key(server: str, session: str, *, ticked: bool) -> str:
    """Name the box of a session; another one once the selection was changed elsewhere: a box remembers."""
    return f"pick-{int(ticked)}-{server}-{session}"


def keep_box(server: str, session: str, *, ticked: bool) -> None:
    """Select a session whose box was drawn empty, or no longer one whose box was drawn ticked.

    A browser tells of boxes that are gone until it has taken them away, and Streamlit, which has forgotten
    them, takes that for a change: only a box that shows something else than it was drawn with says anything.
    """
    state.require(Role.OPERATOR)
    picked = session_state.picked()
    if picked is not None and session_state.held(box_key(server, session, ticked=ticked)) != ticked:
        target = frozenset({(server, session)})
        session_state.pick(picked - target if ticked else picked | target)


def pick_all(targets: Sequence[Target]) -> None:
    """Select everything that was found."""
    state.require(Role.OPERATOR)
    session_state.pick((session_state.picked() or frozenset()) | frozenset(targets))


def start() -> None:
    """Start those of the selected sessions that a start can help."""
    user = state.require(Role.OPERATOR)
    will = preview(Action.START).will
    if not will:
        return
    if state.fleet().begin(will, actor=user.name):
        session_state.pick(None)
        session_state.tell(PLACE, None)
    else:
        session_state.tell(
            PLACE, Notice("warn", _("Several sessions are being started already. Wait or stop it."))
        )


def pause() -> None:
    """Pause those of the selected sessions that are checked, why and until when stand in the form."""
    user = state.require(Role.OPERATOR)
    chosen = read_until(PAUSE_FORM)
    told = Pause(by=user.name, since=datetime.now(UTC), reason=chosen.reason, until=chosen.until)
    targets: list[PauseTarget] = list(preview(Action.PAUSE).will)
    if targets:
        _done(saved(lambda: pausing.pause(state.core().settings, targets, told)))


def resume() -> None:
    """Have those of the selected sessions that are paused checked again."""
    user = state.require(Role.OPERATOR)
    targets: list[PauseTarget] = list(preview(Action.RESUME).will)
    now = datetime.now(UTC)
    if targets:
        _done(saved(lambda: pausing.resume(state.core().settings, targets, actor=user.name, now=now)))


def stop() -> None:
    """Start no further session."""
    state.require(Role.OPERATOR)
    state.fleet().stop()


def dismiss() -> None:
    """Take away what came of a start that is over."""
    state.require(Role.OPERATOR)
    state.fleet().dismiss()


def _done(failed: Notice | None) -> None:
    if failed is None:
        session_state.pick(None)
    session_state.tell(PLACE, failed)
