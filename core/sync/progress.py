"""The steps of carrying out a plan, and what came of it; stored and shown, so neither holds a secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field

from core.clock import now
from core.exceptions import WppconnectError
from core.messages import Message
from core.models import Frozen


def from_text(value: object) -> object:
    """Read a message that an earlier release stored as English."""
    return (Message.plain(value) if value else None) if isinstance(value, str) else value


StoredMessage = Annotated[Message, BeforeValidator(from_text)]
StoredNote = Annotated[Message | None, BeforeValidator(from_text)]


class StepState(StrEnum):
    """How far a step is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class StepEvent(Frozen):
    """One piece of progress, for the page and the terminal."""

    step: str
    """A stable word, such as "write", "recreate", "wait_healthy", "wait_sessions", "put_back"."""
    subject: str = ""
    """The file, container or session."""
    state: StepState = StepState.RUNNING
    note: StoredNote = None
    """What went wrong, safe to show."""

    @property
    def message(self) -> Message:
        """What is done; an unknown step by its word."""
        if self.step == "put_back" and not self.subject:
            return Message.of("changes.step_put_all_back")
        known = STEPS.get(self.step)
        return Message(known, {"subject": self.subject}) if known else Message.plain(self.step)


STEPS = {
    "write": "changes.step_write",
    "command": "changes.step_command",
    "recreate": "changes.step_recreate",
    "restart": "changes.step_restart",
    "wait_healthy": "changes.step_wait_healthy",
    "wait_sessions": "changes.step_wait_sessions",
    "put_back": "changes.step_put_back",
}

Report = Callable[[StepEvent], None]


@contextmanager
def reported(report: Report, step: str, subject: str) -> Iterator[None]:
    """Report the beginning of a step, and how it ended."""
    event = StepEvent(step=step, subject=subject)
    report(event)
    try:
        yield
    except WppconnectError as error:
        report(event.model_copy(update={"state": StepState.FAILED, "note": error.explanation}))
        raise
    report(event.model_copy(update={"state": StepState.DONE}))


class Done(Frozen):
    """What came of a change; failures that nothing could be done about are raised instead."""

    code: str = ""
    """nothing | applied | restored | by_hand | restarted | finished | undone | failed.

    by_hand: the files are as wanted, a container is not; finished and undone: after a crash.
    """
    at: AwareDatetime = Field(default_factory=now)
    backup: str = ""
    files: tuple[str, ...] = ()
    recreated: tuple[str, ...] = ()
    notes: tuple[StoredMessage, ...] = ()
    """More to know, for example that the next `up -d` recreates it once more."""
    lost_sessions: tuple[str, ...] = ()
    """Sessions, as "server/session", that were connected before and are not again."""
    by_hand: tuple[str, ...] = ()
    """Containers that still run with other values until their owner recreates them."""
    is_files_only: bool = False
    """No container was inspected, so nothing is known of what runs."""

    @property
    def message(self) -> Message:
        """The result; "in sync" is said only of what was inspected."""
        known = RESULTS | (RESULTS_IN_FILES if self.is_files_only else {})
        return Message(known[self.code]) if self.code in known else Message.plain(self.code)


RESULTS = {
    "nothing": "changes.result_nothing",
    "applied": "changes.result_applied",
    "restored": "changes.result_restored",
    "by_hand": "changes.result_by_hand",
    "restarted": "changes.result_restarted",
}
RESULTS_IN_FILES = {
    "nothing": "changes.result_nothing_in_files",
    "applied": "changes.result_applied_in_files",
}
