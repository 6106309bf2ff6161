"""Texts of the page "Sync". Pure functions, without Streamlit."""

from __future__ import annotations

from core.messages import render
from core.models import HistoryEntry
from core.sync.change_requests import ChangeKind, ChangeRequest
from core.sync.plan import ContainerAction, ContainerChange, Plan
from dashboard.formatting import LocaleFormatter
from dashboard.text.sync_words import (
    DRIFTED,
    MENDED,
    OPERATIONS,
    OUTCOMES,
)


def title(formatter: LocaleFormatter, request: ChangeRequest) -> str:
    """Return the title of a change request."""
    _ = formatter.translate
    if request.kind is ChangeKind.RESTORE:
        return _("Go back to the backup {backup}").format(backup=request.backup)
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
        text = _(
            "{container} goes down for a moment and keeps the values that it has: a restart reads no file."
        )
        return [("warn", text.format(container=request.container))]
    files = ", ".join(f"{one.folder}/{one.file}" for one in plan.files)
    for one in request.generate:
        text = _("A new {kind} is made; the present one is of no use any more.")
        lines.append(("warn", text.format(kind=render(one.message, _))))
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
