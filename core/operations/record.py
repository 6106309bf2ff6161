"""Records of operations: statuses and facts in the store, finished operations in the history."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.exceptions import StoreError
from core.locks import Lock
from core.messages import Message
from core.messages.operation import OUTCOMES
from core.models import HistoryEntry, Outcome
from core.operation_status import SUCCESSES, Facts, OperationStatus, Step
from core.store import Store, Unreadable, modify

log = logging.getLogger(__name__)

SUBJECT = "operations"
"""The store's subject for statuses and facts."""

_unreadable = Unreadable(log, "operation_record_unreadable")


def read_status(store: Store, server: str, session: str) -> OperationStatus | None:
    """Return the newest status; None if there is none that this release can read."""
    where = key(server, session)
    return _unreadable.parse(store, where, store.read(SUBJECT, where), OperationStatus.model_validate)


def read_facts(store: Store, server: str, session: str) -> Facts:
    """Return the facts of earlier operations; empty if this release cannot read them."""
    where = facts_key(server, session)
    return _unreadable.parse(store, where, store.read(SUBJECT, where), Facts.model_validate) or Facts()


def write_status(store: Store, status: OperationStatus, lock: Lock) -> None:
    """Store a status for other tabs and processes. Raises StoreError, also if the session's lock was lost."""
    _write(store, key(status.server, status.session), status.model_dump(mode="json"), lock)


def write_facts(store: Store, status: OperationStatus, facts: Facts, lock: Lock) -> None:
    """Store facts for later operations on the session. Raises StoreError, also if its lock was lost."""
    _write(store, facts_key(status.server, status.session), facts.model_dump(mode="json"), lock)


def _write(store: Store, where: str, value: Mapping[str, Any], lock: Lock) -> None:
    def change(_before: dict[str, Any] | None) -> Mapping[str, Any]:
        # Asked after the record's version was read: what the lock's next holder writes changes the version.
        if lock.is_lost:
            raise StoreError(Message.of("store.lease_taken", name=where), operation="store an operation")
        return value

    modify(store, SUBJECT, where, change)


def ask_to_give_way(store: Store, server: str, session: str, at: datetime) -> None:
    """Request that self-healing yields a session, in any process."""
    modify(store, SUBJECT, _way_key(server, session), lambda _before: {"at": at.isoformat()})


def is_asked_to_give_way(store: Store, status: OperationStatus) -> bool:
    """Return whether a yield was requested since this operation started."""
    record = store.read(SUBJECT, _way_key(status.server, status.session))
    asked_at = record.value.get("at") if record else None
    return isinstance(asked_at, str) and datetime.fromisoformat(asked_at) >= status.started_at


def key(server: str, session: str) -> str:
    """Return the key of a session's status record."""
    return f"{server}/{session}"


def facts_key(server: str, session: str) -> str:
    """Return the key of a session's facts record."""
    return f"{key(server, session)}/facts"


def _way_key(server: str, session: str) -> str:
    return f"{key(server, session)}/give-way"


def ended(
    status: OperationStatus, code: str, explanation: Message | None = None, *, at: datetime
) -> OperationStatus:
    """Return the final status of an operation, without its pairing code."""
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
    """Return the outcome for a key of `OUTCOMES`."""
    message = str(explanation) if explanation else OUTCOMES[code]
    return Outcome(ok=code in SUCCESSES, code=code, message=message, explanation=explanation, at=at)


def history_entry(status: OperationStatus, outcome: Outcome) -> HistoryEntry:
    """Return the history entry of a finished operation."""
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
