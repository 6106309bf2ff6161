"""What a procedure may use of the operation that runs it."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from operating import SESSION, FakeLock, FakeStop, World
from watched_gateway import SERVER, server_settings

from core.exceptions import (
    AuthenticationError,
    ConnectError,
    RequestTimeoutError,
    ResponseError,
    RetryLaterError,
    SecretKeyRejectedError,
    StoreError,
    WppconnectError,
)
from core.logs import redact
from core.messages import Message
from core.messages.operation import OUTCOMES
from core.models import SessionState, Verdict
from core.operation_status import Kind, OperationStatus, Step
from core.operations.operation_run import OperationRun, StoppedError, ThreadCall
from core.operations.record import read_facts, write_status


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def run_in(
    world: World, stop: threading.Event | None = None, *, lock: FakeLock | None = None
) -> OperationRun:
    now = world.clock()
    status = OperationStatus(
        server=SERVER,
        session=SESSION,
        kind=Kind.START,
        actor="ana",
        holder="t",
        started_at=now,
        step_since=now,
    )
    write_status(world.store, status, FakeLock())
    return OperationRun(world.context(stop), status, lock or FakeLock())


class TestLooking:
    def test_only_what_was_probed_after_the_latest_action_counts(self, world: World) -> None:
        run = run_in(world)
        world.monitor.is_probing = False
        now = world.clock()
        world.monitor.show(Verdict.CONNECTED, probe_started_at=now, observed_at=now)
        assert run.look().verdict == Verdict.CONNECTED

        world.clock.advance(1)
        run.acted()

        with pytest.raises(RequestTimeoutError, match="nobody probed"):
            run.look()

    def test_a_session_that_is_not_shown_ends_the_operation(self, world: World) -> None:
        # given: its server was removed from the settings in the middle
        run = run_in(world)
        world.monitor.seen = None

        with pytest.raises(RequestTimeoutError):
            run.look()

    def test_a_paused_session_is_not_believed(self, world: World) -> None:
        run = run_in(world)
        world.monitor.show(Verdict.PAUSED, enabled=False)

        with pytest.raises(RequestTimeoutError):
            run.look()

    def test_an_operation_ends_after_its_time(self, world: World) -> None:
        run = run_in(world)
        world.elapsed.seconds += run.waits.whole_operation

        with pytest.raises(RequestTimeoutError, match="too long"):
            run.look()

    def test_a_clock_that_is_set_back_makes_no_operation_longer(self, world: World) -> None:
        run = run_in(world)
        world.clock.advance(-86_400)
        world.elapsed.seconds += run.waits.whole_operation

        with pytest.raises(RequestTimeoutError, match="too long"):
            run.look()

    def test_the_end_of_the_process_ends_it(self, world: World) -> None:
        stop = FakeStop(world.clock, world.elapsed)
        run = run_in(world, stop)
        stop.set()

        with pytest.raises(StoppedError):
            run.look()


class TestWaiting:
    def test_a_change_is_another_verdict_or_state(self, world: World) -> None:
        run = run_in(world)
        world.monitor.show(Verdict.STARTING, SessionState.INITIALIZING)
        seen = run.look()

        world.monitor.show(Verdict.STARTING, SessionState.CONNECTED)

        assert run.await_change(seen, until=world.clock() + timedelta(seconds=9)) is not None

    def test_no_change_costs_the_whole_wait(self, world: World) -> None:
        run, began = run_in(world), world.clock()
        seen = run.look()

        assert run.await_change(seen, until=world.clock() + timedelta(seconds=9)) is None
        assert world.clock() == began + timedelta(seconds=9)

    def test_no_wait_outlives_the_operation(self, world: World) -> None:
        stop = FakeStop(world.clock, world.elapsed)
        run = run_in(world, stop)
        seen = run.look()

        run.await_change(seen, until=world.clock() + timedelta(hours=9))
        run.wait_until(world.clock() + timedelta(hours=9))

        assert world.monitor.waits[-1] == run.waits.whole_operation
        assert stop.waited == [0.0]

    def test_a_moment_that_has_passed_is_not_waited_for(self, world: World) -> None:
        stop = FakeStop(world.clock, world.elapsed)

        run_in(world, stop).wait_until(world.clock() - timedelta(seconds=9))

        assert stop.waited == [0.0]

    def test_the_end_of_the_process_ends_a_wait(self, world: World) -> None:
        stop = FakeStop(world.clock, world.elapsed)
        run = run_in(world, stop)
        stop.set()

        with pytest.raises(StoppedError):
            run.wait_until(world.clock() + timedelta(seconds=65))


class TestNotes:
    def test_a_step_is_stored_with_its_moments(self, world: World) -> None:
        run, until = run_in(world), world.clock() + timedelta(seconds=65)
        world.clock.advance(3)

        run.step(Step.WAITING_AFTER_CLOSE, until=until)

        assert world.stored()["step"] == "waiting_after_close"
        assert run.status.step_since == world.clock()
        assert run.status.step_until == until

    def test_the_same_step_again_writes_nothing(self, world: World) -> None:
        run = run_in(world)
        run.step(Step.CLOSING)
        before = world.store.revision("operations")

        run.step(Step.CLOSING)

        assert world.store.revision("operations") == before

    def test_facts_outlive_the_operation(self, world: World) -> None:
        run_in(world).remember(closed_at=world.clock(), phone_saved=True)

        facts = run_in(world).facts

        assert (facts.closed_at, facts.phone_saved) == (world.clock(), True)

    def test_facts_of_a_later_release_are_left_alone(self, world: World) -> None:
        world.store.update(
            "operations", f"{SERVER}/{SESSION}/facts", {"closed_at": "soon"}, expected_version=0
        )

        assert run_in(world).facts.closed_at is None

    def test_a_full_disk_does_not_stop_what_was_begun(self, world: World) -> None:
        run = run_in(world)
        world.store.is_full = True

        run.step(Step.CLOSING)
        run.remember(closed_at=world.clock())
        run.show_code("ABCD1234")

        assert run.status.pairing_code == "ABCD1234"
        assert run.facts.closed_at == world.clock()

    def test_a_pairing_code_is_stored_until_it_is_taken_back_and_never_logged(self, world: World) -> None:
        run = run_in(world)

        run.show_code("QWER5678", until=world.clock())
        shown = world.stored()["pairing_code"]
        run.show_code(None)

        assert (shown, world.stored()["pairing_code"]) == ("QWER5678", None)
        assert "QWER5678" not in redact("code=QWER5678")
        assert "QWER5678" not in repr(run.status)

    def test_the_gateways_start_is_what_its_health_tells(self, world: World) -> None:
        run = run_in(world)
        assert run.gateway_started_at is None

        world.monitor.show_gateway(started_at=world.clock())

        assert run.gateway_started_at == world.clock()


class TestLosingALock:
    @pytest.mark.parametrize(
        ("steps", "goes_on"),
        [
            ([], False),
            ([Step.STARTING], False),
            ([Step.CLOSING], True),
            ([Step.CLOSING, Step.WAITING_AFTER_CLOSE], True),
            ([Step.CLOSING, Step.WAITING_FOR_GATEWAY], True),
            ([Step.LOGGING_OUT, Step.VERIFYING], True),
            ([Step.CLOSING, Step.STARTING], False),
            ([Step.CLOSING, Step.WAITING_FOR_BROWSER], False),
            ([Step.CLOSING, Step.STARTING, Step.CLOSING], True),
        ],
        ids=lambda value: "-".join(value) if isinstance(value, list) else "",
    )
    @pytest.mark.parametrize("is_the_sessions", [True, False], ids=["session", "turn"])
    def test_ends_what_took_no_session_down(
        self, world: World, steps: list[Step], goes_on: bool, is_the_sessions: bool
    ) -> None:
        lock, turn = FakeLock(), FakeLock()
        run = run_in(world, lock=lock)
        run.need(turn)
        for step in steps:
            run.step(step)

        (lock if is_the_sessions else turn).is_lost = True

        if goes_on:
            run.look()
        else:
            with pytest.raises(StoppedError):
                run.look()

    def test_lets_no_action_begin(self, world: World) -> None:
        lock = FakeLock()
        run = run_in(world, lock=lock)
        lock.is_lost = True

        with pytest.raises(StoppedError):
            run.step(Step.CLOSING)

    def test_keeps_what_the_next_holder_wrote(self, world: World) -> None:
        lock = FakeLock()
        run = run_in(world, lock=lock)
        run.remember(phone_saved=True)
        before = world.stored()
        lock.is_lost = True

        run.show_code("QWER5678")
        run.remember(phone_saved=False)

        assert world.stored() == before
        assert read_facts(world.store, SERVER, SESSION).phone_saved


class TestCarryingOut:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (StoppedError(), "stopped"),
            (SecretKeyRejectedError("no", status_code=400), "secret_rejected"),
            (AuthenticationError("no", status_code=401), "unauthorized"),
            (ConnectError("no"), "unreachable"),
            (RequestTimeoutError("no"), "timed_out"),
            (ResponseError("odd"), "failed"),
            (StoreError("full"), "failed"),
        ],
        ids=lambda value: value if isinstance(value, str) else type(value).__name__,
    )
    def test_an_error_becomes_an_outcome(self, world: World, error: Exception, code: str) -> None:
        def procedure(_: OperationRun) -> str:
            raise error

        assert run_in(world).carry_out(procedure)[0] == code
        assert code in OUTCOMES
        assert world.gateway.is_closed

    def test_an_error_without_an_outcome_of_its_own_tells_its_words(self, world: World) -> None:
        def procedure(_: OperationRun) -> str:
            raise ResponseError("the answer is not JSON")

        assert run_in(world).carry_out(procedure) == ("failed", Message.plain("the answer is not JSON"))

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (RetryLaterError(Message.of("transport.left_alone", seconds=30)), "asked_to_wait"),
            (ConnectError(Message("transport.certificate_expired")), "unreachable"),
            (ResponseError(Message.of("gateway.unreadable", status=200)), "failed"),
        ],
    )
    def test_what_the_way_to_the_gateway_had_to_do_with_it_is_kept(
        self, world: World, error: WppconnectError, code: str
    ) -> None:
        def procedure(_: OperationRun) -> str:
            raise error

        assert run_in(world).carry_out(procedure) == (code, error.explanation)

    def test_connected_ends_what_was_known_of_closes(self, world: World) -> None:
        run = run_in(world)
        run.remember(closed_at=world.clock(), failed_close_at=world.clock(), free_at=world.clock())

        run.carry_out(lambda _: "connected")

        facts = read_facts(world.store, SERVER, SESSION)
        assert (facts.closed_at, facts.failed_close_at, facts.free_at) == (None, None, None)

    def test_a_session_that_is_not_configured_is_named(self, world: World) -> None:
        world.source.server = server_settings("another")

        code, message = run_in(world).carry_out(lambda _: "connected")

        assert code == "failed"
        assert "'sales' is not configured on server 'main'" in str(message)

    def test_a_paused_session_is_resumed_in_the_actors_name(self, world: World) -> None:
        world.source.server = server_settings(SESSION, paused=(SESSION,))

        run_in(world).carry_out(lambda _: "connected")

        assert world.source.saves == [(1, "ana")]


class TestAside:
    def test_an_answer_is_handed_out(self) -> None:
        assert ThreadCall(lambda: 7).result() == 7

    def test_an_error_of_ours_is_raised_where_the_answer_is_wanted(self) -> None:
        def call() -> int:
            raise ConnectError("refused")

        with pytest.raises(ConnectError):
            ThreadCall(call).result()

    def test_a_bug_becomes_an_error_of_ours(self, caplog: pytest.LogCaptureFixture) -> None:
        def call() -> int:
            raise KeyError("a bug")

        with pytest.raises(WppconnectError):
            ThreadCall(call).result()
        assert "call_aside_failed" in caplog.text

    def test_it_is_done_once_its_answer_is_there(self) -> None:
        gate = threading.Event()
        call = ThreadCall(lambda: gate.wait(60))
        assert not call.done

        gate.set()
        call.result()

        assert call.done
