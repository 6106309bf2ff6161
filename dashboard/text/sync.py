"""Texts of the page "Sync". Pure functions, without Streamlit."""

from __future__ import annotations

from core.models import HistoryEntry
from core.sync.change_requests import ChangeKind, ChangeRequest
from core.sync.plan import ContainerAction, ContainerChange, Done, Plan, StepEvent
from core.sync.sync_file import parse_receives
from core.sync.targets import ReceivedKind, Receives
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import Translate
from dashboard.text.sync_words import (
    DRIFTED,
    FILES_ONLY_RESULTS,
    KINDS,
    MENDED,
    OPERATIONS,
    OUTCOMES,
    PUT_ALL_BACK,
    RESULTS,
    SECRET_KEY_OF,
    STEPS,
)


def kind(_: Translate, receives: Receives) -> str:
    """Return the name of a kind of secret."""
    if receives.kind is ReceivedKind.TOKEN:
        return _(KINDS[receives.kind]).format(name=receives.session)
    if receives.kind is ReceivedKind.SECRET_KEY and receives.server:
        return _(SECRET_KEY_OF).format(name=receives.server)
    return _(KINDS[receives.kind])


def kind_of_words(_: Translate, words: str) -> str:
    """Return the name of a kind of secret from its notation in the sync file; invalid notation unchanged."""
    try:
        return kind(_, parse_receives(words))
    except ValueError:
        return words


def title(formatter: LocaleFormatter, request: ChangeRequest) -> str:
    """Return the title of a change request."""
    _ = formatter.translate
    if request.kind is ChangeKind.RESTORE:
        return _("Go back to the backup {backup}").format(backup=request.backup)
    if request.kind is ChangeKind.RESTART:
        return _("Restart {container}").format(container=request.container)
    if request.generate:
        kinds = ", ".join(kind(_, one) for one in request.generate)
        return _("New {kinds}").format(kinds=kinds)
    return _("Bring everything back in sync")


def consequences(formatter: LocaleFormatter, request: ChangeRequest, plan: Plan) -> list[tuple[str, str]]:
    """Return the effects of approving a change request, each as tone and sentence."""
    _ = formatter.translate
    lines: list[tuple[str, str]] = []
    if request.kind is ChangeKind.RESTART:
        text = _(
            "{container} goes down for a moment and keeps the values that it has: a restart reads no file."
        )
        return [("warn", text.format(container=request.container))]
    files = ", ".join(f"{one.folder}/{one.file}" for one in plan.files)
    for one in request.generate:
        text = _("A new {kind} is made; the present one is of no use any more.")
        lines.append(("warn", text.format(kind=kind(_, one))))
    if plan.takes_back:
        text = _("Later changes are in the same files and are taken back, too: {backups}.")
        lines.append(("warn", text.format(backups=", ".join(plan.takes_back))))
    if files and request.kind is ChangeKind.RESTORE:
        lines.append(("warn", _("Get back what they held: {files}.").format(files=files)))
    elif files:
        lines.append(("warn", _("Are written: {files}.").format(files=files)))
    commands = [one.target.partition(":")[2] for one in plan.targets if one.state == "will_run"]
    lines += [("warn", _("The command {name} is run.").format(name=name)) for name in commands]
    lines += [container(formatter, one) for one in plan.containers]
    if not plan.containers:
        lines.append(("idle", _("No container is touched.")))
    return lines


def container(formatter: LocaleFormatter, one: ContainerChange) -> tuple[str, str]:
    """Return the effect on a container as tone and sentence."""
    _ = formatter.translate
    why = container_why(_, one)
    if one.action is not ContainerAction.RECREATE:
        tones = {ContainerAction.REFUSED: "bad", ContainerAction.BY_HAND: "warn"}
        tone = tones.get(one.action, "idle")
        return tone, f"{one.container}: {why}"
    down = _("{container} goes down for about {seconds} s.").format(
        container=one.container, seconds=round(one.down_seconds or 0)
    )
    if not one.sessions:
        return "warn", f"{down} {why}"
    names = [session.rpartition("/")[2] for session in one.sessions]
    sessions = _("Its sessions go down with it and are awaited: {sessions}.")
    return "warn", f"{down} {sessions.format(sessions=', '.join(names))} {why}"


def container_why(_: Translate, one: ContainerChange) -> str:
    """Return the reason of the effect on a container, and the command left to the operator, if any."""
    command = one.command if one.action is ContainerAction.BY_HAND else ""
    return f"{one.sentences(_)} {command}".strip()


def result(_: Translate, done: Done) -> str:
    """Return the result of a change request; "in sync" refers only to what was inspected."""
    known = RESULTS | (FILES_ONLY_RESULTS if done.is_files_only else {})
    return _(known.get(done.code, done.code))


def step(_: Translate, event: StepEvent) -> str:
    """Return the step in progress; an unknown one by its code."""
    if event.step == "put_back" and not event.subject:
        return _(PUT_ALL_BACK)
    known = STEPS.get(event.step)
    return _(known).format(subject=event.subject) if known else f"{event.step} {event.subject}"


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
