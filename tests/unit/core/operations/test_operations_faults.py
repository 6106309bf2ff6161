"""How operations fail, whom a lost session is put down to, and what is written down of it all."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from operating import SESSION, FakeLock, FakeLocks, World, await_end, closed, connected, hold_lock, status_of
from watched_gateway import SERVER

from core.exceptions import ConnectError, RequestTimeoutError, StoreError
from core.models import Reason, SessionState, Verdict
from core.operation_status import Facts, Kind, Step
from core.operations.record import write_facts, write_status
from tests.support.waiting import until

NUMBER = "+351 912 345 678"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.stop()


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (ConnectError("no"), "unreachable"),
            (RequestTimeoutError("no"), "timed_out"),
            (KeyError("x"), "failed"),
        ],
        ids=["unreachable", "timed out", "a bug"],
    )
    def test_an_error_ends_as_an_outcome_and_frees_the_session(
        self, world: World, error: BaseException, code: str
    ) -> None:
        closed(world)
        world.gateway.error = error
        operations = world.operations()

        operations.start(SERVER, SESSION, actor="ana")

        assert await_end(operations).outcome.code == code
        until(lambda: f"operation-{SESSION}" not in [thread.name for thread in threading.enumerate()])
        hold_lock(world).release()

    def test_a_full_disk_refuses_what_could_not_be_seen_by_others(self, world: World) -> None:
        world.store.is_full = True
        operations = world.operations()

        refused = operations.start(SERVER, SESSION, actor="ana")

        assert refused.outcome is not None
        assert refused.outcome.message.startswith("cannot write operations.json")
        assert operations.status(SERVER, SESSION) == refused
        assert world.gateway.calls == []
        hold_lock(world).release()

    def test_after_a_full_disk_the_next_begins(self, world: World) -> None:
        world.store.is_full = True
        operations = world.operations()
        operations.start(SERVER, SESSION, actor="ana")
        world.store.is_full = False
        connected(world)

        operations.start(SERVER, SESSION, actor="ana")

        assert await_end(operations).outcome.code == "already_connected"

    def test_a_disk_that_fills_up_in_the_middle_loses_only_notes(self, world: World) -> None:
        world.monitor.gate = threading.Event()
        connected(world)
        operations = world.operations()
        operations.restart(SERVER, SESSION, actor="ana")

        world.store.is_full = world.history.is_full = True
        world.monitor.gate.set()

        assert await_end(operations).outcome.code == "connected"
        assert world.gateway.calls == ["close", "start"]

    def test_a_record_of_a_later_release_is_no_operation(self, world: World) -> None:
        world.store.update("operations", f"{SERVER}/{SESSION}", {"kind": "teleport"}, expected_version=0)
        operations = world.operations()

        assert operations.status(SERVER, SESSION) is None
        assert operations.closed_by(SERVER, SESSION) is None


class TestLosingTheLock:
    def test_an_operation_ends_and_the_next_one_keeps_its_status(self, world: World) -> None:
        # given: a page that is cut off, and another one on which somebody asks for a pairing code
        world.monitor.gate = threading.Event()
        connected(world)
        locks = FakeLocks()
        operations = world.operations(locks=locks)
        operations.restart(SERVER, SESSION, actor="ana")
        until(lambda: world.monitor.waits, what="the operation's first look")
        locks.by_name[f"operation-{SERVER}.{SESSION}"].is_lost = True
        world.clock.advance(11)
        write_status(world.store, status_of(world, Kind.PAIR, pairing_code="ABCD1234"), FakeLock())

        world.monitor.gate.set()
        until(lambda: f"operation-{SESSION}" not in [thread.name for thread in threading.enumerate()])

        assert (world.stored()["kind"], world.stored()["pairing_code"]) == ("pair", "ABCD1234")
        assert world.stored()["finished_at"] is None
        assert world.gateway.calls == []
        assert world.history.read(kinds=["operation"])[0].data["outcome"] == "stopped"

    def test_its_own_page_shows_how_it_ended(self, world: World) -> None:
        world.monitor.gate = threading.Event()
        connected(world)
        locks = FakeLocks()
        operations = world.operations(locks=locks)
        operations.restart(SERVER, SESSION, actor="ana")
        until(lambda: world.monitor.waits, what="the operation's first look")
        locks.by_name[f"operation-{SERVER}.{SESSION}"].is_lost = True

        world.monitor.gate.set()

        assert await_end(operations).outcome.code == "stopped"
        assert world.stored()["finished_at"] is None


class TestBlame:
    @pytest.mark.parametrize(
        ("step", "reason"),
        [
            (Step.CLOSING, Reason.CLOSED_BY_OPERATOR),
            (Step.LOGGING_OUT, Reason.LOGGED_OUT_BY_OPERATOR),
            (Step.STARTING, None),
        ],
    )
    def test_a_running_operation_is_blamed_while_it_takes_the_session_down(
        self, world: World, step: Step, reason: Reason | None
    ) -> None:
        lock = hold_lock(world)
        write_status(world.store, status_of(world, Kind.RESTART, step=step), FakeLock())

        assert world.operations().closed_by(SERVER, SESSION) == reason
        lock.release()

    @pytest.mark.parametrize("fact", ["closed_at", "failed_close_at"])
    def test_a_close_is_blamed_for_two_minutes(self, world: World, fact: str) -> None:
        operations, facts = world.operations(), Facts.model_validate({fact: world.clock()})
        write_facts(world.store, status_of(world, Kind.CLOSE), facts, FakeLock())
        assert operations.closed_by(SERVER, SESSION) == Reason.CLOSED_BY_OPERATOR

        world.clock.advance(121)

        assert operations.closed_by(SERVER, SESSION) is None

    def test_a_logout_is_blamed_before_a_close(self, world: World) -> None:
        facts = Facts(logged_out_at=world.clock(), closed_at=world.clock() - timedelta(seconds=9))
        write_facts(world.store, status_of(world, Kind.LOGOUT), facts, FakeLock())

        assert world.operations().closed_by(SERVER, SESSION) == Reason.LOGGED_OUT_BY_OPERATOR

    def test_a_close_that_was_refused_is_not_blamed(self, world: World) -> None:
        world.monitor.show(Verdict.WAITING_FOR_QR, SessionState.QRCODE)
        operations = world.operations()
        operations.close(SERVER, SESSION, actor="ana")
        assert await_end(operations).outcome.code == "close_refused"

        assert operations.closed_by(SERVER, SESSION) is None

    def test_a_close_that_was_interrupted_is_not_blamed_for_ever(self, world: World) -> None:
        write_status(world.store, status_of(world, Kind.CLOSE, step=Step.CLOSING), FakeLock())

        assert world.operations().closed_by(SERVER, SESSION) is None

    def test_a_restart_that_succeeded_is_not_blamed_for_the_next_loss(self, world: World) -> None:
        connected(world)
        operations = world.operations()
        operations.restart(SERVER, SESSION, actor="ana")
        await_end(operations)

        assert operations.closed_by(SERVER, SESSION) is None

    def test_a_store_that_cannot_be_read_blames_nobody(self, world: World) -> None:
        operations = world.operations()

        world.store.read_error = StoreError("cannot read operations.json")

        assert operations.closed_by(SERVER, SESSION) is None


class TestHistory:
    def test_every_operation_leaves_one_line_with_its_actor(self, world: World) -> None:
        connected(world)
        operations = world.operations()

        operations.start(SERVER, SESSION, actor="ana")
        await_end(operations)

        (entry,) = world.history.read(kinds=["operation"])
        assert (entry.actor, entry.session) == ("ana", SESSION)
        assert entry.data["outcome"] == "already_connected"

    def test_no_code_and_no_number_is_written_or_logged(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        closed(world)
        world.gateway.pairing_code = "WXYZ9876"
        operations = world.operations()

        operations.pair(SERVER, SESSION, actor="ana", phone=NUMBER, wipe_webhook=True)
        await_end(operations)

        written = [path.read_text() for path in (world.directory / "history").glob("*.jsonl")]
        everything = "".join([*written, caplog.text, json.dumps(world.stored())])
        assert "operation" in everything
        assert "WXYZ9876" not in everything
        # Not its first digits alone: they may stand in a moment's fraction.
        assert re.search(r"912\s?345\s?678", everything) is None
