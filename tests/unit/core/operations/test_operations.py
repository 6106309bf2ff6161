"""What an operator can do: one at a time for each session, across processes, and told to everybody."""

from __future__ import annotations

import ast
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from operating import SESSION, FakeLock, World, await_end, closed, connected, hold_lock, status_of
from watched_gateway import SERVER

from core.exceptions import ConfigurationError, SessionDisconnectedError, StoreError, WppconnectError
from core.locks import ProcessLock
from core.messages.operation import OUTCOMES
from core.models import Reason
from core.operation_status import Kind
from core.operations.record import write_status
from tests.support.waiting import until

CORE = Path(__file__).parents[4] / "core"
NUMBER = "+351 912 345 678"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.stop()


class TestActions:
    def test_a_start_returns_at_once_and_ends_in_the_background(self, world: World) -> None:
        closed(world)
        operations = world.operations()

        begun = operations.start(SERVER, SESSION, actor="ana")

        assert (begun.kind, begun.actor, begun.holder) == (Kind.START, "ana", "tests[1]")
        assert begun.outcome is None
        assert await_end(operations).outcome.code == "connected"
        assert world.gateway.calls == ["start"]
        assert world.gateway.is_closed

    def test_a_restart_closes_and_starts(self, world: World) -> None:
        connected(world)
        operations = world.operations()

        operations.restart(SERVER, SESSION, actor="ana")

        assert await_end(operations).outcome.code == "connected"
        assert world.gateway.calls == ["close", "start"]

    @pytest.mark.parametrize("error", [None, StoreError("the disk fails")], ids=["heard", "not heard"])
    def test_whoever_probes_is_asked_to_look_at_once(self, world: World, error: StoreError | None) -> None:
        connected(world)
        world.monitor.hint_error = error
        operations = world.operations()

        operations.close(SERVER, SESSION, actor="ana")

        assert await_end(operations).outcome.code == "closed"
        assert set(world.monitor.hints) == {SESSION}

    def test_a_close_keeps_the_session_enabled(self, world: World) -> None:
        connected(world)
        operations = world.operations()

        operations.close(SERVER, SESSION, actor="ana")

        assert await_end(operations).outcome.code == "closed"
        assert world.source.saves == []

    def test_a_logout_pauses_the_session_in_the_actors_name(self, world: World) -> None:
        connected(world)
        operations = world.operations()

        operations.logout(SERVER, SESSION, actor="ana")

        assert await_end(operations).outcome.code == "logged_out"
        assert world.source.saves == [(1, "ana")]
        assert world.source.changes[0].servers[SERVER].sessions[SESSION].enabled is False

    @pytest.mark.parametrize(
        "refusal",
        [StoreError("cannot write settings.json: no space left"), ConfigurationError(["they do not fit"])],
        ids=["a full disk", "settings that do not fit"],
    )
    def test_a_logout_is_no_failure_because_nobody_could_pause_the_session(
        self, world: World, refusal: WppconnectError
    ) -> None:
        connected(world)
        world.source.refusal = refusal
        operations = world.operations()

        operations.logout(SERVER, SESSION, actor="ana")

        outcome = await_end(operations).outcome
        assert (outcome.ok, outcome.code) == (True, "logged_out_not_paused")

    def test_a_logout_of_nothing_pauses_nothing(self, world: World) -> None:
        world.gateway.error = SessionDisconnectedError("not active", status_code=404)
        operations = world.operations()

        operations.logout(SERVER, SESSION, actor="ana")

        assert await_end(operations).outcome.code == "not_connected"
        assert world.source.saves == []

    def test_pairing_with_a_number_shows_a_code(self, world: World) -> None:
        closed(world)
        world.gateway.pairing_code = "ABCD1234"
        operations = world.operations()

        begun = operations.pair(SERVER, SESSION, actor="ana", phone=NUMBER, wipe_webhook=True)

        assert begun.mode == "code"
        assert await_end(operations).outcome.code == "connected"

    def test_a_number_without_digits_is_no_number(self, world: World) -> None:
        connected(world)
        operations = world.operations()

        begun = operations.pair(SERVER, SESSION, actor="ana", phone="none")

        assert begun.mode == "qr"
        await_end(operations)


class TestOneAtATime:
    def test_a_second_call_attaches_to_what_runs(self, world: World) -> None:
        world.monitor.gate = threading.Event()
        closed(world)
        operations = world.operations()
        first = operations.start(SERVER, SESSION, actor="ana")

        second = operations.close(SERVER, SESSION, actor="rui")

        assert (second.kind, second.actor, second.started_at) == (Kind.START, "ana", first.started_at)
        world.monitor.gate.set()
        await_end(operations)
        assert world.gateway.calls == ["start"]

    def test_another_process_sees_who_is_at_it_and_attaches(self, world: World) -> None:
        world.monitor.gate = threading.Event()
        closed(world)
        here, there = world.operations("page[1]"), world.operations("cli[2]")
        here.start(SERVER, SESSION, actor="ana")

        seen = there.status(SERVER, SESSION)
        attached = there.restart(SERVER, SESSION, actor="rui")

        assert seen is not None
        assert (seen.is_running, seen.holder, seen.actor) == (True, "page[1]", "ana")
        assert attached.holder == "page[1]"
        world.monitor.gate.set()
        await_end(here)

    def test_the_next_can_begin_as_soon_as_the_last_says_that_it_ended(self, world: World) -> None:
        connected(world)
        here, there = world.operations("page[1]"), world.operations("cli[2]")

        here.restart(SERVER, SESSION, actor="ana")
        await_end(there)
        there.restart(SERVER, SESSION, actor="rui")
        await_end(here)

        assert world.stored()["actor"] == "rui"
        assert world.gateway.calls == ["close", "start", "close", "start"]

    def test_a_lock_whose_holder_tells_nothing_is_not_waited_for_long(self, world: World) -> None:
        lock, half_seconds = hold_lock(world), itertools.count(step=0.5)
        operations = world.operations(monotonic=lambda: next(half_seconds))

        refused = operations.start(SERVER, SESSION, actor="ana")

        assert refused.outcome is not None
        assert refused.outcome.code == "busy_elsewhere"
        lock.release()

    def test_sessions_whose_names_look_alike_do_not_wait_for_each_other(self, world: World) -> None:
        other = ProcessLock(world.directory / "locks" / f"operation-{SERVER}-x.y.lock")
        assert other.try_acquire()
        connected(world)
        operations = world.operations()

        operations.start(SERVER, SESSION, actor="ana")

        assert await_end(operations).outcome.code == "already_connected"
        other.release()


class TestInterruption:
    def test_an_unfinished_record_that_nobody_holds_was_interrupted(self, world: World) -> None:
        write_status(world.store, status_of(world, Kind.PAIR, pairing_code="ABCD1234"), FakeLock())

        seen = world.operations().status(SERVER, SESSION)

        assert seen is not None
        assert (seen.interrupted, seen.is_running, seen.pairing_code) == (True, False, None)

    def test_an_unfinished_record_that_somebody_holds_is_running(self, world: World) -> None:
        lock = hold_lock(world)
        write_status(world.store, status_of(world, Kind.PAIR), FakeLock())

        seen = world.operations().status(SERVER, SESSION)

        assert seen is not None
        assert seen.is_running
        lock.release()

    def test_after_it_the_next_begins_anew(self, world: World) -> None:
        write_status(world.store, status_of(world, Kind.PAIR), FakeLock())
        connected(world)
        operations = world.operations()

        begun = operations.start(SERVER, SESSION, actor="ana")

        assert begun.kind == Kind.START
        assert await_end(operations).outcome.code == "already_connected"

    def test_a_process_that_stops_says_so(self, world: World) -> None:
        world.monitor.gate = threading.Event()
        operations = world.operations()
        operations.start(SERVER, SESSION, actor="ana")

        operations.stop()

        assert await_end(operations).outcome.code == "stopped"

    def test_stopping_leaves_no_thread_behind(self, world: World) -> None:
        before = set(threading.enumerate())
        world.monitor.gate = threading.Event()
        operations = world.operations()
        operations.start(SERVER, SESSION, actor="ana")

        operations.stop()
        operations.stop()

        until(lambda: set(threading.enumerate()) <= before, what="the end of all threads")

    def test_an_operation_that_begins_after_the_stop_does_nothing(self, world: World) -> None:
        operations = world.operations()
        operations.stop()

        operations.start(SERVER, SESSION, actor="ana")

        assert await_end(operations).outcome.code == "stopped"
        assert world.gateway.calls == []


class TestForgetting:
    def test_a_finished_one_is_dropped(self, world: World) -> None:
        connected(world)
        operations = world.operations()
        operations.start(SERVER, SESSION, actor="ana")
        await_end(operations)

        operations.forget(SERVER, SESSION)

        assert operations.status(SERVER, SESSION) is None

    def test_an_interrupted_one_is_dropped(self, world: World) -> None:
        write_status(world.store, status_of(world, Kind.PAIR), FakeLock())
        operations = world.operations()

        operations.forget(SERVER, SESSION)

        assert operations.status(SERVER, SESSION) is None

    def test_a_running_one_is_kept(self, world: World) -> None:
        lock = hold_lock(world)
        write_status(world.store, status_of(world, Kind.PAIR), FakeLock())
        operations = world.operations()

        operations.forget(SERVER, SESSION)

        assert operations.status(SERVER, SESSION) is not None
        lock.release()

    def test_nothing_can_be_forgotten(self, world: World) -> None:
        world.operations().forget(SERVER, SESSION)

    def test_facts_are_not_forgotten(self, world: World) -> None:
        connected(world)
        operations = world.operations()
        operations.close(SERVER, SESSION, actor="ana")
        await_end(operations)

        operations.forget(SERVER, SESSION)

        assert operations.closed_by(SERVER, SESSION) == Reason.CLOSED_BY_OPERATOR


def words_returned(file: Path) -> set[str]:
    """Collect the strings that stand in a module outside of its docstrings."""
    tree = ast.parse(file.read_text())
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_outcome_is_produced_by_something() -> None:
    files = [*CORE.glob("operations/*.py"), *CORE.glob("gateways/wppconnect/*.py")]

    produced = set().union(*map(words_returned, files))

    assert OUTCOMES.keys() - produced == set()
