"""Removing a closed session from the gateway, and with it from the settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from operating import SESSION, FakeLock, FakeSource, World, closed, connected, hold_lock, status_of
from scripted_run import T0, Scene, ScriptedRun
from watched_gateway import SERVER, server_settings

from core.exceptions import RetryLaterError, ServerFailureError, StoreError, WppconnectError
from core.gateways.wppconnect.procedures import IN_USE, remove
from core.messages import Message
from core.models import Verdict
from core.operation_status import Facts, Kind
from core.operations.record import write_status


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.stop()


@pytest.mark.parametrize("verdict", Verdict)
def test_only_what_is_not_in_use_is_asked_of_the_gateway(verdict: Verdict) -> None:
    run = ScriptedRun([Scene(verdict)])

    code = remove(run.client, run)

    expected = ("remove_refused", []) if verdict in IN_USE else ("removed", ["remove at 0"])
    assert (code, run.story) == expected


@pytest.mark.parametrize(
    ("answer", "code"),
    [(True, "removed"), (False, "remove_refused"), (None, "remove_not_offered")],
    ids=["removed", "409", "an older release"],
)
def test_each_answer_has_its_end(answer: bool | None, code: str) -> None:
    run = ScriptedRun([Scene(Verdict.PAUSED)])
    run.gateway.remove_answer = answer

    assert remove(run.client, run) == code


@pytest.mark.parametrize(
    ("free_in_seconds", "code"), [(1, "remove_too_early"), (0, "removed"), (-60, "removed")]
)
def test_the_profile_of_a_browser_that_may_run_on_is_left_alone(free_in_seconds: float, code: str) -> None:
    facts = Facts(failed_close_at=T0, free_at=T0 + timedelta(seconds=free_in_seconds), phone_saved=True)
    run = ScriptedRun([Scene(Verdict.DISCONNECTED)], facts=facts)

    assert remove(run.client, run) == code
    assert run.facts.phone_saved is (code != "removed")


def test_it_leaves_the_settings_and_nobody_resumes_it(world: World) -> None:
    world.source = FakeSource(server_settings(SESSION, paused=(SESSION,)))
    closed(world)

    outcome = world.operations().remove(SERVER, SESSION, actor="ana")

    assert (outcome.ok, outcome.code, world.gateway.calls) == (True, "removed", ["remove"])
    assert [actor for _, actor in world.source.saves] == ["ana"]
    assert world.source.changes[0].servers[SERVER].sessions[SESSION].removed is True
    entry = world.history.read(kinds=["operation"])[0]
    assert (entry.actor, entry.data["operation"], entry.data["outcome"]) == ("ana", "remove", "removed")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ServerFailureError("failed", status_code=500), "failed"),
        (
            RetryLaterError(Message.of("transport.share_used_up", seconds=9), retry_after_seconds=9.0),
            "asked_to_wait",
        ),
    ],
    ids=["500", "429"],
)
def test_an_error_is_not_read_as_done(world: World, error: WppconnectError, code: str) -> None:
    closed(world)
    world.gateway.error = error

    outcome = world.operations().remove(SERVER, SESSION, actor="ana")

    assert (outcome.ok, outcome.code, world.source.saves) == (False, code, [])


def test_what_is_connected_stays(world: World) -> None:
    connected(world)

    outcome = world.operations().remove(SERVER, SESSION, actor="ana")

    assert (outcome.code, world.gateway.calls, world.source.saves) == ("remove_refused", [], [])


def test_settings_that_cannot_be_saved_are_told(world: World) -> None:
    closed(world)
    world.source.refusal = StoreError("no space left on device")

    outcome = world.operations().remove(SERVER, SESSION, actor="ana")

    assert (outcome.ok, outcome.code) == (True, "removed_not_forgotten")


def test_a_session_that_somebody_works_on_is_left_alone(world: World) -> None:
    closed(world)
    write_status(world.store, status_of(world, Kind.PAIR), FakeLock())
    lock = hold_lock(world)

    outcome = world.operations().remove(SERVER, SESSION, actor="ana")
    lock.release()

    assert (outcome.code, world.gateway.calls) == ("busy_elsewhere", [])
