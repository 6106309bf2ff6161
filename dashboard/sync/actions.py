"""What the buttons of the page "Sync" do; each asks for the role first. None of them touches a file."""

from __future__ import annotations

from collections.abc import Callable

from core.exceptions import WppconnectError
from core.sync.change_requests import ChangeKind, ChangeRequest, ChangeRequests, RequestTakenError
from core.sync.targets import Receives
from dashboard import navigation, session_state, state, step_up
from dashboard.auth.users import Role
from dashboard.i18n import gettext as _
from dashboard.session_state import Notice

PLACE = "sync"
LEAVE_OUT = "sync-leave-"
FORCE = "sync-force-"


def generate(words: str) -> None:
    """Ask for a plan with a new key of this kind."""
    user = state.require(Role.ADMINISTRATOR)
    kind = Receives.parse(words)
    _do(lambda requests: requests.place(ChangeKind.APPLY, actor=user.name, generate=(kind,)))


def bring_in_sync() -> None:
    """Ask for a plan that brings the values in force everywhere."""
    user = state.require(Role.ADMINISTRATOR)
    _do(lambda requests: requests.place(ChangeKind.APPLY, actor=user.name))


def restore(backup: str) -> None:
    """Ask for a plan that goes back to a backup."""
    user = state.require(Role.ADMINISTRATOR)
    force = session_state.has_value(FORCE + backup) and bool(session_state.value(FORCE + backup))
    _do(lambda requests: requests.place(ChangeKind.RESTORE, actor=user.name, backup=backup, force=force))


def restart(container: str) -> None:
    """Ask for a plain restart of one container."""
    user = state.require(Role.ADMINISTRATOR)
    _do(lambda requests: requests.place(ChangeKind.RESTART, actor=user.name, container=container))


def approve(request: str, digest: str) -> None:
    """Approve exactly the plan that was shown."""
    user = state.require(Role.ADMINISTRATOR)
    _do(lambda requests: requests.approve(request, digest, actor=user.name))


def withdraw(request: str) -> None:
    """Withdraw a change request that has not begun."""
    user = state.require(Role.ADMINISTRATOR)
    _do(lambda requests: requests.withdraw(request, actor=user.name))


def plan_again(request: str) -> None:
    """Request the same again, without what was ticked."""
    user = state.require(Role.ADMINISTRATOR)
    seen = state.sync().request
    if seen is None or seen.id != request or seen.plan is None:
        return
    names = [one.target for one in seen.plan.targets] + [one.container for one in seen.plan.containers]
    ticked = [
        name
        for name in names
        if session_state.has_value(LEAVE_OUT + name) and session_state.value(LEAVE_OUT + name)
    ]

    def place(requests: ChangeRequests) -> ChangeRequest:
        requests.withdraw(request, actor=user.name)
        return requests.place(
            seen.kind,
            actor=user.name,
            generate=seen.generate,
            leave_out=tuple(dict.fromkeys((*seen.leave_out, *ticked))),
        )

    _do(place)


def open_session(server: str, session: str) -> None:
    """Go to a session that has to be paired again."""
    state.require(Role.ADMINISTRATOR)
    session_state.request_page(navigation.SESSION.script, {"server": server, "session": session})


def _do(what: Callable[[ChangeRequests], ChangeRequest]) -> None:
    session_state.set_notice(PLACE, None)
    if step_up.requires_confirmation(PLACE):
        return
    try:
        what(ChangeRequests(state.core().store))
    except RequestTakenError:
        text = _("Another change was started first. It is shown below; your change was not started.")
        session_state.set_notice(PLACE, Notice("warn", text))
    except WppconnectError:
        text = _("This could not be saved. Check the disk of the data directory, then try again.")
        session_state.set_notice(PLACE, Notice("bad", text))
