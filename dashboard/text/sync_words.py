"""Texts of the page "Sync": English here, translated where they are shown."""

from __future__ import annotations

from dataclasses import dataclass

from core.sync.change_requests import RequestState
from core.sync.plan import ContainerAction, State
from core.sync.targets import ReceivedKind
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

KINDS: dict[ReceivedKind, str] = {
    ReceivedKind.API_KEY: N_("API key"),
    ReceivedKind.TOKEN: N_("token of {name}"),
    ReceivedKind.SECRET_KEY: N_("secret key"),
}
SECRET_KEY_OF = N_("secret key of {name}")

STEPS: dict[str, str] = {
    "write": N_("Write {subject}"),
    "command": N_("Run the command {subject}"),
    "recreate": N_("Recreate {subject}"),
    "restart": N_("Restart {subject}"),
    "wait_healthy": N_("Wait until {subject} is up"),
    "wait_sessions": N_("Wait until {subject} is connected again"),
    "put_back": N_("Put back {subject}"),
}
PUT_ALL_BACK = N_("Put everything back")

REQUEST_STATES: dict[RequestState, str] = {
    RequestState.ASKED: N_("The sync agent is making the plan"),
    RequestState.APPROVED: N_("Approved, the sync agent is about to begin"),
    RequestState.RUNNING: N_("The sync agent is at work"),
    RequestState.FAILED: N_("It failed. What had been begun was taken back, unless it says otherwise."),
    RequestState.WITHDRAWN: N_("Withdrawn. Nothing was changed."),
}

RESULTS: dict[str, str] = {
    "nothing": N_("There was nothing to do: everything is in sync."),
    "applied": N_("Done. Everything is in sync."),
    "restored": N_("Done. The files and values of the backup are back."),
    "by_hand": N_("Done in the files. A container runs with other values until it is recreated by hand."),
    "restarted": N_("Done. The container was restarted; it keeps the values that it had."),
}

FILES_ONLY_RESULTS: dict[str, str] = {
    "nothing": N_("There was nothing to do: the files hold the values. No container was looked at."),
    "applied": N_("Done. The files hold the values; no container was looked at."),
}
"""Results if the agent manages files only."""

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
