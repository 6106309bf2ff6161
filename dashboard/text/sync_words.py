"""Texts of the page "Sync": English here, translated where they are shown."""

from __future__ import annotations

from dataclasses import dataclass

from core.sync.change_requests import RequestState
from core.sync.plan import ContainerAction, State
from dashboard.i18n import N_


@dataclass(frozen=True)
class Look:
    """The presentation of a state: label, shape and tone (colour)."""

    label: str
    shape: str
    tone: str


STATES: dict[State, Look] = {
    State.IN_SYNC: Look(N_("In sync"), "check", "good"),
    State.FOLLOWS: Look(N_("In sync, through another name"), "check", "good"),
    State.WILL_CHANGE: Look(N_("Holds another value"), "warning", "warn"),
    State.WILL_RUN: Look(N_("Has not had this value yet"), "warning", "warn"),
    State.LEFT_OUT: Look(N_("Left out"), "pause", "idle"),
    State.KEY_MISSING: Look(N_("Key missing"), "cross", "bad"),
    State.FILE_MISSING: Look(N_("File missing"), "cross", "bad"),
    State.NOT_HERE: Look(N_("Not here"), "pause", "idle"),
    State.UNREADABLE: Look(N_("Not readable"), "lock", "bad"),
    State.UNWRITABLE: Look(N_("Not writable"), "lock", "bad"),
    State.NOT_PARSEABLE: Look(N_("Not understood"), "question", "bad"),
    State.REFUSED: Look(N_("Cannot be written safely"), "cross", "bad"),
    State.NO_VALUE: Look(N_("Nothing to write yet"), "question", "idle"),
}

ACTIONS: dict[ContainerAction, Look] = {
    ContainerAction.NOTHING: Look(N_("Runs with these values"), "check", "good"),
    ContainerAction.NOT_READ: Look(N_("Does not read them"), "check", "good"),
    ContainerAction.RECREATE: Look(N_("Runs with other values"), "warning", "warn"),
    ContainerAction.ABSENT: Look(N_("Not there"), "question", "idle"),
    ContainerAction.REFUSED: Look(N_("Must not be recreated"), "cross", "bad"),
    ContainerAction.BY_HAND: Look(N_("Recreate it by hand"), "warning", "warn"),
    ContainerAction.NEXT_UP: Look(N_("Recreated by the next up"), "question", "idle"),
    ContainerAction.UNMANAGED: Look(N_("Not looked at"), "question", "idle"),
}

REQUEST_STATES: dict[RequestState, str] = {
    RequestState.ASKED: N_("The sync agent is making the plan"),
    RequestState.APPROVED: N_("Approved, the sync agent is about to begin"),
    RequestState.RUNNING: N_("The sync agent is at work"),
    RequestState.FAILED: N_("It failed. What had been begun was taken back, unless it says otherwise."),
    RequestState.WITHDRAWN: N_("Withdrawn. Nothing was changed."),
}

OPERATIONS: dict[str, str] = {
    "apply": N_("Keys brought where they belong"),
    "restore": N_("Went back to a backup"),
    "restart": N_("Container restarted"),
    "recover": N_("Interrupted change mended"),
}
OUTCOMES: dict[str, str] = {
    "failed": N_("failed"),
    "finished": N_("finished"),
    "undone": N_("taken back"),
}
DRIFTED = N_("{target} is not in sync any more")
MENDED = N_("{target} is in sync again")
