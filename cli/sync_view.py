"""The output of the sync commands: plans, progress, results, backups; never a value."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from core.models import utc
from core.sync.backups import Backup
from core.sync.plan import ContainerAction, ContainerChange, Done, Plan, StepEvent, StepState, TargetPlan

WORDS = {
    "applied": "Done: everything is in sync.",
    "restored": "Done: the files and values of the backup are back.",
    "by_hand": "Done in the files. What is named here runs with other values until it is recreated by hand.",
    "nothing": "Nothing to do: everything is in sync.",
}
FILES_ONLY = {
    "applied": "The files hold the values now.",
    "restored": WORDS["restored"],
    "nothing": "Nothing to do: the files hold the values.",
}
NOT_INSPECTED = "No container was looked at."


def show_plan(plan: Plan, out: TextIO) -> None:
    """Print the state of every target, the changes, and the actions on containers."""
    for target in plan.targets:
        print(_target(target), file=out)
    for container in plan.containers:
        print(_container(container), file=out)
    for file in plan.files:
        print(f"\n{file.diff}", file=out)


def show_step(event: StepEvent) -> None:
    """Print one step of the progress to standard error."""
    word = {StepState.RUNNING: "...", StepState.DONE: "done", StepState.FAILED: "FAILED"}[event.state]
    note = f": {event.note}" if event.note else ""
    subject = f" {event.subject}" if event.subject else ""
    sys.stderr.write(f"{event.step}{subject} {word}{note}\n")


def show_done(done: Done, out: TextIO, *, unseen: Sequence[str] = ()) -> None:
    """Print the result of a change; `unseen` are the listed containers that were not inspected."""
    words = (FILES_ONLY if done.is_files_only else WORDS).get(done.code, done.code)
    print(f"{words} {NOT_INSPECTED}" if done.is_files_only else words, file=out)
    for label, names in (("written", done.files), ("recreated", done.recreated)):
        for name in names:
            print(f"  {label}: {name}", file=out)
    for text in done.notes:
        print(f"  {text}", file=out)
    for session in done.lost_sessions:
        print(f"  not connected again: {session} (wppconnect-ops pair re-pairs it)", file=out)
    if unseen:
        listed = ", ".join(unseen)
        print(
            f"  not looked at: {listed}; recreate them yourself, for a restart keeps the old values", file=out
        )
    if done.backup:
        print(f"  to take it back: wppconnect-ops sync restore {done.backup}", file=out)


def show_backups(backups: Sequence[Backup], out: TextIO) -> None:
    """Print the backups, newest first."""
    if not backups:
        print("There is no backup yet: one is made before each change.", file=out)
    for backup in backups:
        files = ", ".join(f"{one.folder}/{one.file}" for one in backup.files) or "no file"
        print(f"{backup.id}  {utc(backup.at)}  before {backup.kind} by {backup.actor}: {files}", file=out)


def _target(target: TargetPlan) -> str:
    reached = f" [{', '.join(target.services)}]" if target.services else ""
    why = f": {target.why}" if target.why else ""
    mark = f" (fingerprint {target.fingerprint})" if target.fingerprint else ""
    return f"{target.state.replace('_', ' '):14} {target.target}{reached} <- {target.receives}{mark}{why}"


def _container(container: ContainerChange) -> str:
    parts = [f"{container.action.replace('_', ' '):14} container {container.container}"]
    if container.keys:
        parts.append(f"for {', '.join(container.keys)}")
    if container.down_seconds is not None:
        parts.append(f"down for about {container.down_seconds:.0f} s")
    if container.sessions:
        parts.append(f"sessions: {', '.join(container.sessions)}")
    why = container.sentences()
    command = f"\n{'':14} {container.command}" if container.action is ContainerAction.BY_HAND else ""
    return ", ".join(parts) + (f": {why}" if why else "") + command
