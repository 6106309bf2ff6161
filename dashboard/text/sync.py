"""Texts of the page "Sync". Pure functions, without Streamlit."""

from __future__ import annotations

from dataclasses import dataclass

from core.messages import render
from core.models import HistoryEntry
from core.sync.change_requests import ChangeKind, ChangeRequest, RequestState
from core.sync.plan import ContainerAction, ContainerChange, Plan
from core.sync.targets import State
from dashboard.formatting import LocaleFormatter
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
    ContainerAction.ABSENT: Look(N_("Missing"), "question", "idle"),
    ContainerAction.REFUSED: Look(N_("Must not be recreated"), "cross", "bad"),
    ContainerAction.BY_HAND: Look(N_("Recreate manually"), "warning", "warn"),
    ContainerAction.NEXT_UP: Look(N_("Recreated by the next up"), "question", "idle"),
    ContainerAction.UNMANAGED: Look(N_("Not checked"), "question", "idle"),
}

REQUEST_STATES: dict[RequestState, str] = {
    RequestState.ASKED: N_("The sync agent is making the plan"),
    RequestState.APPROVED: N_("Approved, the sync agent is about to start"),
    RequestState.RUNNING: N_("The sync agent is working"),
    RequestState.FAILED: N_("It failed. Changes already made were undone, unless stated otherwise."),
    RequestState.WITHDRAWN: N_("Withdrawn. Nothing was changed."),
}

OPERATIONS: dict[str, str] = {
    "apply": N_("Keys distributed"),
    "restore": N_("Backup restored"),
    "restart": N_("Container restarted"),
    "recover": N_("Interrupted change repaired"),
}
OUTCOMES: dict[str, str] = {
    "failed": N_("failed"),
    "finished": N_("finished"),
    "undone": N_("undone"),
}
DRIFTED = N_("{target} is not in sync any more")
MENDED = N_("{target} is in sync again")


def title(formatter: LocaleFormatter, request: ChangeRequest) -> str:
    """Return the title of a change request."""
    _ = formatter.translate
    if request.kind is ChangeKind.RESTORE:
        return _("Restore the backup {backup}").format(backup=request.backup)
    if request.kind is ChangeKind.RESTART:
        return _("Restart {container}").format(container=request.container)
    if request.generate:
        kinds = ", ".join(render(one.message, _) for one in request.generate)
        return _("New {kinds}").format(kinds=kinds)
    return _("Bring everything back in sync")


def consequences(formatter: LocaleFormatter, request: ChangeRequest, plan: Plan) -> list[tuple[str, str]]:
    """Return the effects of approving a change request, each as tone and sentence."""
    _ = formatter.translate
    lines: list[tuple[str, str]] = []
    if request.kind is ChangeKind.RESTART:
        text = _("{container} is briefly down and keeps its values: a restart reads no file.")
        return [("warn", text.format(container=request.container))]
    files = ", ".join(f"{one.folder}/{one.file}" for one in plan.files)
    for one in request.generate:
        text = _("A new {kind} is created; the current one stops working.")
        lines.append(("warn", text.format(kind=render(one.message, _))))
    if plan.takes_back:
        text = _("Later changes in the same files are undone as well: {backups}.")
        lines.append(("warn", text.format(backups=", ".join(plan.takes_back))))
    if files and request.kind is ChangeKind.RESTORE:
        lines.append(("warn", _("Restored: {files}.").format(files=files)))
    elif files:
        lines.append(("warn", _("Written: {files}.").format(files=files)))
    commands = [one.target.partition(":")[2] for one in plan.targets if one.state is State.WILL_RUN]
    lines += [("warn", _("The command {name} is run.").format(name=name)) for name in commands]
    lines += [container(formatter, one) for one in plan.containers]
    if not plan.containers:
        lines.append(("idle", _("No container is changed.")))
    return lines


def container(formatter: LocaleFormatter, one: ContainerChange) -> tuple[str, str]:
    """Return the effect on a container as tone and sentences."""
    sentences = one.sentences(formatter.translate)
    if one.action is ContainerAction.RECREATE:
        return "warn", sentences
    tones = {ContainerAction.REFUSED: "bad", ContainerAction.BY_HAND: "warn"}
    return tones.get(one.action, "idle"), f"{one.container}: {sentences}"


def history_line(formatter: LocaleFormatter, entry: HistoryEntry) -> str:
    """Return the text of a history entry of kind "sync"."""
    _ = formatter.translate
    operation, outcome = str(entry.data.get("operation")), str(entry.data.get("outcome"))
    if operation == "drift":
        mended = outcome in ("in_sync", "follows", "nothing", "not_read", "removed")
        return _(MENDED if mended else DRIFTED).format(target=entry.data.get("target"))
    line = _(OPERATIONS[operation]) if operation in OPERATIONS else operation
    if outcome in OUTCOMES:
        ended = _(OUTCOMES[outcome])
        line = f"{line}: {ended}"
    where = ", ".join(str(entry.data.get(name)) for name in ("files", "containers") if entry.data.get(name))
    return f"{line} ({where})" if where else line
