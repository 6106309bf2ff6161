"""What is written down of operations: in the store for other tabs and processes, in the history for good."""

from __future__ import annotations

import logging
from datetime import datetime

from core.messages import Message
from core.models import HistoryEntry, Outcome
from core.operation_status import OUTCOMES, Facts, OperationStatus, Step
from core.store import Store, Unreadable, modify

log = logging.getLogger(__name__)

SUBJECT = "operations"
"""Where the store keeps statuses and facts."""

_unreadable = Unreadable(log, "operation_record_unreadable")


def read_status(store: Store, server: str, session: str) -> OperationStatus | None:
    """Read the newest status; None when there is none that this release can read."""
    where = key(server, session)
    record = store.read(SUBJECT, where)
    if record is None:
        return None
    try:
        return OperationStatus.model_validate(record.value)
    except ValueError:
        _unreadable.report(store, where, record)
        return None


def read_facts(store: Store, server: str, session: str) -> Facts:
    """Read what earlier operations remembered; nothing when this release cannot read it."""
    where = facts_key(server, session)
    record = store.read(SUBJECT, where)
    if record is None:
        return Facts()
    try:
        return Facts.model_validate(record.value)
    except ValueError:
        _unreadable.report(store, where, record)
        return Facts()


def write_status(store: Store, status: OperationStatus) -> None:
    """Store a status for other tabs and processes."""
    modify(store, SUBJECT, key(status.server, status.session), lambda _before: status.model_dump(mode="json"))


def write_facts(store: Store, status: OperationStatus, facts: Facts) -> None:
    """Store what later operations on the same session must know."""
    where = facts_key(status.server, status.session)
    modify(store, SUBJECT, where, lambda _before: facts.model_dump(mode="json"))


def ask_to_give_way(store: Store, server: str, session: str, at: datetime) -> None:
    """Ask what runs by itself on a session to end, in whichever process it runs."""
    modify(store, SUBJECT, _way_key(server, session), lambda _before: {"at": at.isoformat()})


def is_asked_to_give_way(store: Store, status: OperationStatus) -> bool:
    """Tell whether somebody asked since this operation began."""
    record = store.read(SUBJECT, _way_key(status.server, status.session))
    asked_at = record.value.get("at") if record else None
    return isinstance(asked_at, str) and datetime.fromisoformat(asked_at) >= status.started_at


def key(server: str, session: str) -> str:
    """Name a session's record."""
    return f"{server}/{session}"


def facts_key(server: str, session: str) -> str:
    """Name the record of what is remembered of a session."""
    return f"{key(server, session)}/facts"


def _way_key(server: str, session: str) -> str:
    return f"{key(server, session)}/give-way"


def ended(
    status: OperationStatus, code: str, explanation: Message | None = None, *, at: datetime
) -> OperationStatus:
    """Write the end of an operation into its status; the live code goes with it."""
    return status.model_copy(
        update={
            "step": Step.DONE,
            "step_since": at,
            "step_until": None,
            "pairing_code": None,
            "finished_at": at,
            "outcome": outcome_of(code, explanation, at=at),
        }
    )


def outcome_of(code: str, explanation: Message | None = None, *, at: datetime) -> Outcome:
    """Make an outcome of a word of `OUTCOMES`."""
    ok, sentence = OUTCOMES[code]
    message = str(explanation) if explanation else sentence
    return Outcome(ok=ok, code=code, message=message, explanation=explanation, at=at)


def history_entry(status: OperationStatus, outcome: Outcome) -> HistoryEntry:
    """Write an operation that has ended as a line of history."""
    seconds = max(0.0, (outcome.at - status.started_at).total_seconds())
    return HistoryEntry(
        at=outcome.at,
        kind="operation",
        server=status.server,
        session=status.session,
        actor=status.actor,
        data={
            "operation": status.kind,
            "mode": status.mode,
            "outcome": outcome.code,
            "ok": outcome.ok,
            "seconds": round(seconds, 3),
        },
    )
