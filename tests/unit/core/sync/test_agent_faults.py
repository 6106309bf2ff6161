"""The sync agent goes on whatever goes wrong, and an order always comes to its end."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.exceptions import StoreError
from core.sync.change_requests import (
    AgentStatus,
    ChangeKind,
    Heartbeat,
    RequestState,
)
from core.sync.progress import Done
from tests.support.agent_world import AgentWorld
from tests.support.sync import (
    LEGUAS_FILES,
    ScriptedContainers,
    install,
    read_files,
)


@pytest.fixture
def world(tmp_path: Path) -> AgentWorld:
    installation = install(tmp_path)
    installation.keep("present-key-1234")
    return AgentWorld(installation)


def raise_unforeseen(*_: object) -> Done:
    raise KeyError("Id")


def test_error_that_nobody_foresaw_ends_the_order_and_not_the_agent(
    world: AgentWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.installation.containers = ScriptedContainers(raise_unforeseen)
    world.approved()

    failed = world.run_once()

    assert failed.state is RequestState.FAILED
    assert str(failed.note) == "the sync agent met an unexpected error (KeyError); see its log"
    assert "sync_agent_turn_failed" in caplog.text
    assert read_files(world.installation.folder)[".env"] == LEGUAS_FILES[".env"].encode()
    world.requests.place(ChangeKind.APPLY, actor="ana")
    assert world.run_once().state is RequestState.PLANNED


def test_error_in_a_look_leaves_the_order_that_waits_for_approval(
    world: AgentWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.requests.place(ChangeKind.APPLY, actor="ana")
    monkeypatch.setattr(AgentStatus, "publish", raise_unforeseen)

    assert world.run_once().state is RequestState.PLANNED
    assert world.run_once().state is RequestState.PLANNED


def test_agent_tells_since_when_and_why_it_cannot_look(
    world: AgentWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("the disk is full", operation="publish")

    world.agent.run_once()
    monkeypatch.setattr(AgentStatus, "publish", fail)
    world.installation.keep("another-key-1234")
    world.agent.run_once()
    failing = world.agent.heartbeat()
    monkeypatch.undo()
    world.clock.advance(1)
    world.agent.run_once()
    mended = world.agent.heartbeat()

    assert failing.checked_at is not None
    assert "the disk is full" in str(failing.problem)
    assert mended.checked_at is not None
    assert (mended.problem, mended.checked_at > failing.checked_at) == (None, True)


def test_end_that_the_store_did_not_take_is_written_in_a_later_turn(world: AgentWorld) -> None:
    world.approved()
    world.store.full_for = RequestState.DONE

    running = world.run_once()
    world.store.full_for = None
    done = world.run_once()

    assert running.state is RequestState.RUNNING
    assert done.state is RequestState.DONE
    assert done.result is not None
    assert done.result.code == "applied"


def test_killed_after_the_change_and_before_its_end_was_written(world: AgentWorld) -> None:
    world.approved()
    world.store.full_for = RequestState.DONE
    world.run_once()
    world.store.full_for = None
    world.agent = world.new_agent()

    ended = world.run_once()

    assert ended.state is RequestState.FAILED
    assert str(ended.note) == (
        "the sync agent was stopped midway; nothing is half done, see the activity for what was done"
    )


def test_heart_beats_on_after_an_error(world: AgentWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, beats = threading.Event(), list[object]()

    def beat(_agent_status: AgentStatus, heartbeat: Heartbeat) -> None:
        beats.append(heartbeat)
        if len(beats) == 2:
            stop.set()
            return
        raise MemoryError

    monkeypatch.setattr(AgentStatus, "beat", beat)
    monkeypatch.setattr("core.sync.agent.HEARTBEAT_SECONDS", 0.01)
    world.agent.run(stop)

    assert len(beats) == 2
