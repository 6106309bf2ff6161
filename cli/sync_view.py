"""The output of the sync commands: plans, progress, results, backups; never a value."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from core.models import utc
from core.sync.backups import Backup
from core.sync.plan import Plan
from core.sync.progress import Done, StepEvent, StepState


def show_plan(plan: Plan, out: TextIO) -> None:
    """Print the state of every target, the changes, and the actions on containers."""
    for target in plan.targets:
        facts = ", ".join(map(str, target.facts))
        why = f": {target.why}" if target.why else ""
        print(f"{target.state.replace('_', ' '):14} {target.target} ({facts}){why}", file=out)
    for one in plan.containers:
        keys = f" for {', '.join(one.keys)}" if one.keys else ""
        action = one.action.replace("_", " ")
        print(f"{action:14} container {one.container}{keys}: {one.sentences()}", file=out)
    for file in plan.files:
        print(f"\n{file.diff}", file=out)


def show_step(event: StepEvent) -> None:
    """Print one step of the progress to standard error."""
    word = {StepState.RUNNING: "...", StepState.DONE: "done", StepState.FAILED: "FAILED"}[event.state]
    note = f": {event.note}" if event.note else ""
    sys.stderr.write(f"{event.message} {word}{note}\n")


def show_done(done: Done, out: TextIO, *, unseen: Sequence[str] = ()) -> None:
    """Print the result of a change; `unseen` are the listed containers that were not inspected."""
    print(done.message, file=out)
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
