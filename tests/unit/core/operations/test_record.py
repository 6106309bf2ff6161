"""What is written down of operations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from operating import FakeLock

from core.messages.operation import OUTCOMES
from core.operation_status import SUCCESSES, Facts, Kind, OperationStatus, Step
from core.operations.record import ended, history_entry, read_facts, read_status, write_facts, write_status
from tests.fakes import MemoryStore

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RUNNING = OperationStatus(
    server="main",
    session="sales",
    kind=Kind.PAIR,
    actor="ana",
    holder="tests[1]",
    started_at=T0,
    step_since=T0,
    step=Step.WAITING_FOR_CODE_ENTRY,
    step_until=T0,
    pairing_code="ABCD1234",
)


def test_a_status_comes_back_as_it_was_written() -> None:
    store = MemoryStore()

    write_status(store, RUNNING, FakeLock())

    assert read_status(store, "main", "sales") == RUNNING


def test_facts_and_status_do_not_overwrite_each_other() -> None:
    store, facts = MemoryStore(), Facts(closed_at=T0)

    write_status(store, RUNNING, FakeLock())
    write_facts(store, RUNNING, facts, FakeLock())

    assert read_facts(store, "main", "sales") == facts
    assert read_status(store, "main", "sales") == RUNNING


def test_nothing_written_is_nothing_known() -> None:
    store = MemoryStore()

    assert read_status(store, "main", "sales") is None
    assert read_facts(store, "main", "sales") == Facts()


def test_a_status_of_a_later_release_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    store.update("operations", "main/sales", {"kind": "teleport"}, expected_version=0)

    assert [read_status(store, "main", "sales") for _ in range(3)] == [None] * 3
    assert caplog.text.count("operation_record_unreadable record=main/sales") == 1


@pytest.mark.parametrize("code", OUTCOMES)
def test_every_end_takes_the_live_code_with_it(code: str) -> None:
    after = ended(RUNNING, code, at=T0 + timedelta(seconds=9))

    assert after.outcome is not None
    assert (after.pairing_code, after.step, after.step_until) == (None, Step.DONE, None)
    assert (after.outcome.ok, after.outcome.message) == (code in SUCCESSES, OUTCOMES[code])
    assert not after.is_running


def test_the_history_tells_who_did_what_and_how_it_ended() -> None:
    after = ended(RUNNING, "connected", at=T0 + timedelta(seconds=9))
    assert after.outcome is not None

    entry = history_entry(after, after.outcome)

    assert (entry.kind, entry.server, entry.session, entry.actor) == ("operation", "main", "sales", "ana")
    assert entry.data == {
        "operation": "pair",
        "mode": "qr",
        "outcome": "connected",
        "ok": True,
        "seconds": 9.0,
    }


def test_no_operation_takes_less_than_no_time() -> None:
    after = ended(RUNNING, "connected", at=T0 - timedelta(hours=1))
    assert after.outcome is not None

    assert history_entry(after, after.outcome).data["seconds"] == 0
