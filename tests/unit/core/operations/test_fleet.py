"""Several sessions at once: what would happen, and one start at a time per gateway."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from watched_gateway import server_settings, settings_of

from core.exceptions import StoreError
from core.models import Reason, SessionSnapshot, Snapshot, Verdict
from core.operations.fleet import MOST_FAILURES, Action, FleetStart, Skip, plan
from tests.fakes import FakeOperations
from tests.support.snapshots import server_snapshot
from tests.support.waiting import until

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SALES = ("main", "sales")


def seen(verdict: str = "disconnected", **fields: Any) -> Snapshot:
    standard = {"server": "main", "session": "sales", "enabled": verdict != "paused", "since": NOW}
    session = SessionSnapshot(**(standard | {"ever_connected": True} | fields), verdict=Verdict(verdict))
    return Snapshot(taken_at=NOW, settings_revision=0, servers=(server_snapshot(session, at=NOW),))


def skip_of(action: Action, snapshot: Snapshot, *, paused: bool = False, **server: Any) -> Skip | None:
    settings = settings_of(server_settings("sales", paused=("sales",) if paused else (), **server))
    found = plan(action, [SALES], snapshot, settings)
    assert len(found.will) + len(found.skipped) == 1
    return found.skipped[0][1] if found.skipped else None


@pytest.mark.parametrize(
    ("verdict", "fields", "skip"),
    [
        ("disconnected", {"reason": Reason.CLOSED_ON_GATEWAY}, None),
        ("disconnected", {"reason": Reason.GATEWAY_RESTARTED}, None),
        ("disconnected", {"reason": Reason.CODE_EXPIRED}, Skip.NEEDS_PHONE),
        ("disconnected", {"reason": Reason.LOGGED_OUT_BY_OPERATOR}, Skip.NEEDS_PHONE),
        ("disconnected", {"ever_connected": False}, Skip.NEEDS_PHONE),
        ("connected", {}, Skip.CONNECTED),
        ("starting", {}, Skip.UNDER_WAY),
        ("waiting_for_qr", {}, Skip.NEEDS_PHONE),
        ("stuck", {}, Skip.NEEDS_RESTART),
        ("unresponsive", {}, Skip.NEEDS_RESTART),
        ("unreachable", {}, Skip.NOT_ANSWERING),
        ("unauthorized", {}, Skip.REFUSED),
        ("unknown", {}, Skip.UNKNOWN),
    ],
)
def test_only_what_a_start_can_help_is_started(
    verdict: str, fields: dict[str, Any], skip: Skip | None
) -> None:
    assert skip_of(Action.START, seen(verdict, **fields)) == skip


def test_what_is_paused_is_not_started() -> None:
    assert skip_of(Action.START, seen("paused"), paused=True) == Skip.PAUSED
    assert skip_of(Action.START, seen("paused"), enabled=False) == Skip.GATEWAY_PAUSED


def test_only_what_is_checked_is_paused_and_only_what_is_paused_resumed() -> None:
    assert skip_of(Action.PAUSE, seen("connected")) is None
    assert skip_of(Action.PAUSE, seen("paused"), paused=True) == Skip.PAUSED
    assert skip_of(Action.RESUME, seen("paused"), paused=True) is None
    assert skip_of(Action.RESUME, seen("connected")) == Skip.CHECKED
    assert skip_of(Action.RESUME, seen("paused"), enabled=False) == Skip.GATEWAY_PAUSED


@pytest.mark.parametrize(
    ("verdict", "skip"),
    [
        ("disconnected", None),
        ("unreachable", None),
        ("starting", None),
        ("connected", Skip.CONNECTED),
        ("paused", Skip.PAUSED),
    ],
)
def test_only_what_is_down_is_acknowledged(verdict: str, skip: Skip | None) -> None:
    assert skip_of(Action.ACKNOWLEDGE, seen(verdict)) == skip


@pytest.mark.parametrize(
    ("up", "acknowledged", "skipped"),
    [
        (False, (), []),
        (False, (("main", ""),), [Skip.ACKNOWLEDGED]),
        (True, (), [Skip.GONE]),
    ],
    ids=["down", "acknowledged", "up again"],
)
def test_a_gateway_is_acknowledged_while_it_is_down(
    up: bool, acknowledged: tuple[tuple[str, str], ...], skipped: list[Skip]
) -> None:
    servers = (server_snapshot(at=NOW, up=up),)
    snapshot = Snapshot(taken_at=NOW, settings_revision=0, servers=servers)
    settings = settings_of(server_settings("sales"))

    found = plan(Action.ACKNOWLEDGE, [("main", "")], snapshot, settings, acknowledged=acknowledged)

    assert [skip for _, skip in found.skipped] == skipped


def test_what_was_removed_meanwhile_is_left_out() -> None:
    found = plan(Action.PAUSE, [("main", "gone"), ("gone", "sales")], seen(), settings_of())

    assert [skip for _, skip in found.skipped] == [Skip.GONE, Skip.GONE]


def is_over(fleet: FleetStart) -> bool:
    progress = fleet.progress()
    return progress is not None and not progress.running


def outcomes(fleet: FleetStart) -> list[str]:
    progress = fleet.progress()
    assert progress is not None
    return [item.outcome for item in progress.items]


def test_one_after_the_other_on_a_gateway_and_gateways_beside_each_other() -> None:
    operations = FakeOperations()
    fleet = FleetStart(operations)

    assert fleet.begin([("a", "1"), ("a", "2"), ("b", "3")], actor="ana")
    until(lambda: sorted(operations.targets) == [("a", "1"), ("b", "3")], what="one start on each gateway")
    operations.end("1", server="a")
    until(lambda: ("a", "2") in operations.targets, what="the next start")
    operations.end("2", "needs_pairing", server="a")
    operations.end("3", server="b")
    until(lambda: is_over(fleet), what="the end")

    assert outcomes(fleet) == ["connected", "needs_pairing", "connected"]
    assert operations.most_at_once == {"a": 1, "b": 1}


def test_it_is_stopped_after_the_one_that_is_being_started() -> None:
    operations = FakeOperations()
    fleet = FleetStart(operations)
    fleet.begin([("a", "1"), ("a", "2")], actor="ana")
    until(lambda: operations.targets, what="the first start")

    fleet.stop()
    operations.end("1", server="a")
    until(lambda: is_over(fleet), what="the end")

    assert operations.targets == [("a", "1")]
    assert outcomes(fleet) == ["connected", "not_begun"]


def test_it_waits_until_self_healing_is_done_on_a_gateway_and_then_keeps_it_out() -> None:
    operations = FakeOperations()
    operations.turn("a").try_acquire()
    fleet = FleetStart(operations)
    fleet.begin([("a", "1"), ("b", "2")], actor="ana")
    until(lambda: operations.targets == [("b", "2")], what="the start on the other gateway")
    operations.end("2", server="b")
    until(lambda: not operations.turn("b").is_taken, what="the end on the other gateway")

    operations.turn("a").release()
    until(lambda: ("a", "1") in operations.targets, what="the start")
    is_kept = operations.turn("a").is_taken
    operations.end("1", server="a")
    until(lambda: is_over(fleet), what="the end")

    assert is_kept
    assert not operations.turn("a").is_taken
    assert outcomes(fleet) == ["connected", "connected"]


def test_it_waits_again_when_something_else_took_the_gateway_meanwhile() -> None:
    operations = FakeOperations()
    fleet = FleetStart(operations)
    fleet.begin([("a", "1"), ("a", "2")], actor="ana")
    until(lambda: operations.targets, what="the first start")
    turn = operations.turn("a")
    turn.is_lost = True

    operations.end("1", server="a")
    until(lambda: turn.tries >= 3, what="the wait for the turn")
    meanwhile = operations.targets
    turn.release()
    until(lambda: ("a", "2") in operations.targets, what="the next start")
    operations.end("2", server="a")
    until(lambda: is_over(fleet), what="the end")

    assert meanwhile == [("a", "1")]
    assert outcomes(fleet) == ["connected", "connected"]


def test_it_is_stopped_while_it_waits_for_self_healing() -> None:
    operations = FakeOperations()
    operations.turn("a").try_acquire()
    fleet = FleetStart(operations)
    fleet.begin([("a", "1")], actor="ana")

    fleet.stop()
    until(lambda: is_over(fleet), what="the end")

    assert operations.targets == []
    assert outcomes(fleet) == ["not_begun"]


def test_a_disk_that_fails_keeps_nobody_from_starting() -> None:
    operations = FakeOperations(outcomes={"1": "connected"})
    operations.turn("a").error = StoreError("the disk fails")
    fleet = FleetStart(operations)

    fleet.begin([("a", "1")], actor="ana")
    until(lambda: is_over(fleet), what="the end")

    assert outcomes(fleet) == ["connected"]


def test_a_gateway_on_which_nothing_starts_is_left_alone() -> None:
    names = [str(number) for number in range(MOST_FAILURES + 2)]
    operations = FakeOperations(outcomes=dict.fromkeys(names, "start_failed"))
    fleet = FleetStart(operations, pause_seconds=0.01)

    fleet.begin([("a", name) for name in names], actor="ana")
    until(lambda: is_over(fleet), what="the end")

    assert len(operations.targets) == MOST_FAILURES
    assert outcomes(fleet) == ["start_failed"] * MOST_FAILURES + ["gave_up"] * 2


def test_one_that_cannot_be_followed_leaves_the_others_their_start() -> None:
    operations = FakeOperations(outcomes={"1": "connected", "2": "connected"})
    operations.unreadable.add("1")
    fleet = FleetStart(operations, pause_seconds=0.01)

    fleet.begin([("a", "1"), ("a", "2")], actor="ana")
    until(lambda: is_over(fleet), what="the end")

    assert outcomes(fleet) == ["failed", "connected"]


def test_a_second_start_waits_for_the_end_of_the_first() -> None:
    operations = FakeOperations()
    fleet = FleetStart(operations)
    fleet.begin([("a", "1")], actor="ana")

    second = fleet.begin([("a", "2")], actor="rui")
    fleet.dismiss()
    progress = fleet.progress()
    operations.end("1", server="a")
    until(lambda: is_over(fleet), what="the end")
    fleet.dismiss()

    assert not second
    assert progress is not None
    assert [item.target for item in progress.items] == [("a", "1")]
    assert fleet.progress() is None


def test_nothing_selected_is_nothing_begun() -> None:
    assert not FleetStart(FakeOperations()).begin([], actor="ana")
