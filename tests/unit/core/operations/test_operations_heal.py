"""Operations that nobody asked for: they act like others, and step back for people."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from operating import SESSION, FakeLock, FakeLocks, World, await_end, hold_lock, status_of
from watched_gateway import SERVER, server_settings

from core.models import Reason, SessionState, Verdict
from core.operation_status import SELF_HEALING, Facts, Kind, OperationStatus, Step
from core.operations.record import (
    ask_to_give_way,
    is_asked_to_give_way,
    read_facts,
    write_facts,
    write_status,
)
from tests.support.waiting import until


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.monitor.show(Verdict.UNRESPONSIVE, SessionState.CONNECTED, has_session_object=True)
    yield made
    made.stop()


def test_a_session_is_closed_and_started_and_the_history_says_by_whom(world: World) -> None:
    operations = world.operations()

    begun = operations.heal(SERVER, SESSION)
    end = await_end(operations)

    assert (begun.kind, begun.actor, begun.by_itself) == (Kind.RESTART, SELF_HEALING, True)
    assert end.outcome is not None
    assert end.outcome.code == "connected"
    assert world.gateway.calls == ["close", "start"]
    entry = world.history.read(kinds=["operation"])[0]
    assert (entry.actor, entry.data["operation"], entry.data["outcome"]) == (
        "self-healing",
        "restart",
        "connected",
    )


def test_a_session_that_is_well_again_is_left_alone(world: World) -> None:
    world.monitor.show(Verdict.CONNECTED, SessionState.CONNECTED, has_session_object=True)
    operations = world.operations()

    operations.heal(SERVER, SESSION)

    assert await_end(operations).outcome.code == "already_connected"
    assert world.gateway.calls == []


def test_a_paused_session_is_neither_resumed_nor_touched(world: World) -> None:
    world.source.server = server_settings(SESSION, paused=(SESSION,))
    operations = world.operations()

    operations.heal(SERVER, SESSION)

    assert await_end(operations).outcome.code == "gave_way"
    assert world.gateway.calls == []
    assert world.source.saves == []


def test_somebody_who_is_at_it_is_not_disturbed(world: World) -> None:
    lock = hold_lock(world)
    write_status(world.store, status_of(world, Kind.PAIR), FakeLock())
    operations = world.operations()

    refused = operations.heal(SERVER, SESSION)

    assert refused.outcome is not None
    assert refused.outcome.code == "busy_elsewhere"
    assert world.stored()["kind"] == "pair"
    told = operations.status(SERVER, SESSION)
    assert told is not None
    assert (told.kind, told.is_running) == (Kind.PAIR, True)
    lock.release()


def test_it_does_nothing_while_several_sessions_of_the_gateway_are_started(world: World) -> None:
    elsewhere, here = world.operations("page[1]"), world.operations("exporter[2]")
    turn = elsewhere.turn(SERVER)
    assert turn.try_acquire()

    here.heal(SERVER, SESSION)
    end = await_end(here)
    meanwhile = here.is_taken(SERVER)
    turn.release()

    assert end.outcome.code == "not_needed"
    assert world.gateway.calls == []
    assert meanwhile
    assert not here.is_taken(SERVER)


def test_nobody_starts_several_sessions_of_the_gateway_until_it_is_done(world: World) -> None:
    world.monitor.gate = threading.Event()
    here, elsewhere = world.operations("exporter[2]"), world.operations("page[1]")
    here.heal(SERVER, SESSION)

    until(lambda: elsewhere.is_taken(SERVER), what="its turn")
    world.monitor.gate.set()
    await_end(here)

    until(lambda: not elsewhere.is_taken(SERVER), what="the end of its turn")


@pytest.mark.parametrize("holders", [("page[1]", "page[1]"), ("exporter[1]", "page[2]")])
def test_it_gives_way_to_whoever_wants_something(world: World, holders: tuple[str, str]) -> None:
    world.monitor.gate = threading.Event()
    here = world.operations(holders[0])
    there = here if holders[1] == holders[0] else world.operations(holders[1])
    here.heal(SERVER, SESSION)
    world.clock.advance(1)
    answers: list[OperationStatus] = []

    asking = threading.Thread(target=lambda: answers.append(there.start(SERVER, SESSION, actor="ana")))
    asking.start()
    until(lambda: world.store.read("operations", f"{SERVER}/{SESSION}/give-way"), what="the question")
    world.monitor.gate.set()
    asking.join(60)

    assert (answers[0].actor, answers[0].kind) == ("ana", Kind.START)
    assert await_end(there).outcome.code == "connected"
    outcomes = [(entry.actor, entry.data["outcome"]) for entry in world.history.read(kinds=["operation"])]
    assert outcomes == [("self-healing", "gave_way"), ("ana", "connected")]


def test_whoever_cannot_have_it_at_once_sees_what_runs(world: World) -> None:
    lock, half_seconds = hold_lock(world), itertools.count(step=0.5)
    write_status(world.store, status_of(world, Kind.RESTART, by_itself=True), FakeLock())
    operations = world.operations(monotonic=lambda: next(half_seconds))

    attached = operations.start(SERVER, SESSION, actor="ana")

    assert (attached.kind, attached.by_itself, attached.is_running) == (Kind.RESTART, True, True)
    lock.release()


def test_nobody_waits_for_what_gives_way_on_another_session(world: World) -> None:
    lock = hold_lock(world)
    write_status(world.store, status_of(world, Kind.RESTART, by_itself=True), FakeLock())
    operations = world.operations()
    asking = threading.Thread(target=lambda: operations.start(SERVER, SESSION, actor="ana"))
    asking.start()
    until(lambda: world.store.read("operations", f"{SERVER}/{SESSION}/give-way"), what="the question")

    operations.start(SERVER, "support", actor="rui")

    assert asking.is_alive()
    lock.release()
    asking.join(60)


def test_an_old_question_does_not_end_a_later_try(world: World) -> None:
    ask_to_give_way(world.store, SERVER, SESSION, world.clock())
    world.clock.advance(60)
    later = status_of(world, Kind.RESTART, by_itself=True)
    earlier = later.model_copy(update={"started_at": world.clock() - timedelta(seconds=90)})

    assert not is_asked_to_give_way(world.store, later)
    assert is_asked_to_give_way(world.store, earlier)


@pytest.mark.parametrize(
    ("by_itself", "reason"), [(True, Reason.CLOSED_BY_SELF_HEALING), (False, Reason.CLOSED_BY_OPERATOR)]
)
def test_who_closed_it_is_told(world: World, by_itself: bool, reason: Reason) -> None:
    operations = world.operations()
    closing = status_of(world, Kind.RESTART, by_itself=by_itself, step=Step.CLOSING)
    lock = hold_lock(world)
    write_status(world.store, closing, FakeLock())
    while_closing = operations.closed_by(SERVER, SESSION)
    lock.release()
    write_facts(world.store, closing, Facts(closed_at=world.clock(), closed_by_itself=by_itself), FakeLock())
    write_status(world.store, closing.model_copy(update={"step": Step.STARTING}), FakeLock())

    assert while_closing == reason
    assert operations.closed_by(SERVER, SESSION) == reason


def test_a_close_of_an_operator_is_his_again(world: World) -> None:
    operations = world.operations()
    operations.heal(SERVER, SESSION)
    await_end(operations)

    operations.restart(SERVER, SESSION, actor="ana")
    await_end(operations)

    assert read_facts(world.store, SERVER, SESSION).closed_by_itself is False


def test_an_attempt_whose_turn_was_lost_ends_before_it_closes_the_session(world: World) -> None:
    locks = FakeLocks()
    locks.by_name[f"launches-{SERVER}"].is_lost = True
    operations = world.operations(locks=locks)

    operations.heal(SERVER, SESSION)

    assert await_end(operations).outcome.code == "stopped"
    assert world.gateway.calls == []
