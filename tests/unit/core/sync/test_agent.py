"""The sync agent: plans what is asked, carries out what was approved, and notices drift."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.exceptions import SyncError
from core.locks import ProcessLock
from core.sync.agent import LOCK, Agent
from core.sync.change_requests import (
    ChangeKind,
    RequestState,
)
from core.sync.targets import State
from tests.support.agent_world import AgentWorld
from tests.support.sync import (
    API_KEY,
    KEY,
    LEGUAS_FILES,
    MOMENT,
    install,
    read_files,
)
from tests.support.waiting import until

DRIFTED = "leguas/docker-compose.yml:AUTHENTICATION_API_KEY"


@pytest.fixture
def world(tmp_path: Path) -> AgentWorld:
    """The preset's installation with its present key taken over."""
    installation = install(tmp_path)
    installation.keep("present-key-1234")
    return AgentWorld(installation)


def test_order_is_planned_then_carried_out_when_its_plan_is_approved(world: AgentWorld) -> None:
    world.requests.place(ChangeKind.APPLY, actor="ana", generate=(API_KEY,))
    request = world.run_once()
    assert request.state is RequestState.PLANNED
    assert request.plan is not None
    assert len(request.plan.files) == 3
    assert read_files(world.installation.folder)[".env"] == LEGUAS_FILES[".env"].encode()

    world.requests.approve(request.id, request.plan.digest, actor="rui")
    done = world.run_once()

    assert done.state is RequestState.DONE
    assert done.result is not None
    assert done.result.code == "applied"
    key = world.installation.api_key()
    assert key is not None
    assert key != "present-key-1234"
    assert f"{KEY}={key}".encode() in read_files(world.installation.folder)[".env"]
    assert [one.step for one in done.steps] == ["write"] * 3
    assert key not in done.model_dump_json()


def test_file_changed_after_the_approval_leads_to_a_new_plan(world: AgentWorld) -> None:
    world.requests.place(ChangeKind.APPLY, actor="ana", generate=(API_KEY,))
    request = world.run_once()
    assert request.plan is not None
    world.requests.approve(request.id, request.plan.digest, actor="ana")
    env = world.installation.folder / ".env"
    env.write_text(LEGUAS_FILES[".env"] + "ADDED=1\n")

    again = world.run_once()

    assert again.state is RequestState.PLANNED
    assert "something changed since the plan was made" in str(again.note)
    assert again.plan is not None
    assert again.plan.digest != request.plan.digest
    assert env.read_text() == LEGUAS_FILES[".env"] + "ADDED=1\n"
    world.requests.approve(request.id, again.plan.digest, actor="ana")
    assert world.run_once().state is RequestState.DONE


def test_agent_that_was_restarted_does_not_apply_a_key_that_nobody_approved(world: AgentWorld) -> None:
    world.requests.place(ChangeKind.APPLY, actor="ana", generate=(API_KEY,))
    request = world.run_once()
    assert request.plan is not None
    world.requests.approve(request.id, request.plan.digest, actor="ana")
    world.agent = world.new_agent()

    again = world.run_once()

    assert again.state is RequestState.PLANNED
    assert world.installation.api_key() == "present-key-1234"


def test_blocked_plan_is_shown_and_not_carried_out(world: AgentWorld) -> None:
    (world.installation.folder / ".env").write_text("A='unclosed\n")
    world.requests.place(ChangeKind.APPLY, actor="ana", generate=(API_KEY,))
    request = world.run_once()
    assert request.plan is not None
    world.requests.approve(request.id, request.plan.digest, actor="ana")

    again = world.run_once()

    assert again.state is RequestState.PLANNED
    assert "nothing was written" in str(again.note)


def test_restore_is_an_order_like_any_other(world: AgentWorld) -> None:
    world.installation.apply("another-key-5678")
    (backup,) = world.installation.sync.backups()
    world.requests.place(ChangeKind.RESTORE, actor="ana", backup=backup.id)
    request = world.run_once()
    assert request.plan is not None
    assert len(request.plan.files) == 3

    world.requests.approve(request.id, request.plan.digest, actor="ana")

    assert world.run_once().state is RequestState.DONE
    assert world.installation.api_key() == "present-key-1234"


def test_order_for_what_is_not_there_fails_with_the_reason(world: AgentWorld) -> None:
    world.requests.place(ChangeKind.RESTORE, actor="ana", backup="20261125T104200Z-abcdef")

    request = world.run_once()

    assert request.state is RequestState.FAILED
    assert "there is no backup" in str(request.note)


def test_order_of_a_killed_agent_is_ended_by_the_next_one(world: AgentWorld) -> None:
    request = world.requests.place(ChangeKind.APPLY, actor="ana")
    world.requests.change(request.id, lambda one: one.model_copy(update={"state": RequestState.RUNNING}))

    with running(world.new_agent()):
        until(lambda: (world.requests.current() or request).state is RequestState.FAILED)

    ended = world.requests.current()
    assert ended is not None
    assert "was stopped midway; nothing had been changed yet" in str(ended.note)


def test_drift_is_told_with_its_beginning_and_its_end(world: AgentWorld) -> None:
    assert world.status().since == {}
    compose = world.installation.folder / "docker-compose.yml"
    compose.write_text(LEGUAS_FILES["docker-compose.yml"].replace("present-key-1234", "by-hand"))

    drifted = world.status()
    world.clock.advance(minutes=5)
    later = world.status()
    compose.write_text(LEGUAS_FILES["docker-compose.yml"])
    mended = world.status()

    assert drifted.since == {DRIFTED: MOMENT}
    assert later.since == {DRIFTED: MOMENT}
    assert mended.since == {}
    told = [(one.data["target"], one.data["outcome"]) for one in world.installation.history]
    assert told == [(DRIFTED, State.WILL_CHANGE.value), (DRIFTED, State.IN_SYNC.value)]


def test_drift_keeps_its_beginning_over_a_restart_of_the_agent(world: AgentWorld) -> None:
    (world.installation.folder / "docker-compose.yml").write_text("services: [\n")
    before = world.status().since
    world.agent = world.new_agent()
    world.clock.advance(hours=1)

    assert world.status().since == before
    assert before[DRIFTED] == MOMENT


def test_bulletin_is_written_only_when_something_changed(world: AgentWorld) -> None:
    world.status()
    revision = world.installation.store.revision("sync")
    world.clock.advance(seconds=30)

    world.status()

    assert world.installation.store.revision("sync") == revision


def test_bulletin_says_what_there_is_and_no_secret(world: AgentWorld) -> None:
    world.installation.apply("another-key-5678")
    (world.installation.folder / ".env").write_text(LEGUAS_FILES[".env"])

    told = world.status()

    assert told.kinds == (API_KEY,)
    assert told.plan is not None
    assert told.plan.containers[0].container == "leguas_wppconnect"
    assert len(told.backups) == 1
    assert [word for word in ("segredo", "key-1234", "key-5678") if word in told.model_dump_json()] == []


def test_sync_file_that_became_wrong_is_told_and_nothing_is_done(world: AgentWorld) -> None:
    world.status()
    world.problem = "sync.yml: targets[0].file: is not set; set it"
    world.file.write_text("changed\n")
    world.requests.place(ChangeKind.APPLY, actor="ana")

    assert world.run_once().state is RequestState.ASKED
    assert str(world.status().problem) == world.problem

    world.problem = ""
    world.file.write_text("mended again\n")
    assert world.run_once().state is RequestState.PLANNED


def test_heartbeat_ends_with_the_agent(world: AgentWorld) -> None:
    assert world.agent_status.heartbeat() is None
    with running(world.agent):
        until(lambda: world.agent_status.heartbeat() is not None)
    world.clock.advance(seconds=16)

    assert world.agent_status.heartbeat() is None


def test_second_agent_is_refused(world: AgentWorld) -> None:
    with (
        ProcessLock(world.installation.data / "locks" / LOCK),
        pytest.raises(SyncError, match="another sync agent runs on this data directory"),
    ):
        world.agent.run(threading.Event())


class running:  # noqa: N801 - reads as a statement
    """Run an agent in a thread."""

    def __init__(self, agent: Agent) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=agent.run, args=(self._stop,))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)
