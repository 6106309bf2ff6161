"""Whoever has a container recreated can be killed at any step: one container runs after the next start."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.containers import KEY, NEW, ComposeProject, new_project
from tests.support.docker_engine import Engine
from tests.support.engine_proxy import engine_proxy
from tests.support.killed import Kill, everything, kill_at, only_the_process

pytestmark = pytest.mark.timeout(240)
CALLS = ("POST /create", "POST /stop", "DELETE ", "POST /rename", "POST /start")
"""Every call by which Compose changes something."""


@pytest.fixture
def project(docker_engine: Engine, tmp_path: Path) -> Iterator[ComposeProject]:
    project = new_project(docker_engine, tmp_path, "killed")
    project.write()
    project.up()
    yield project
    docker_engine.remove_own()


@pytest.mark.parametrize("done", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kill", [only_the_process, everything])
def test_next_start_finishes_what_was_begun(
    project: ComposeProject, tmp_path: Path, call: str, kill: Kill, done: bool
) -> None:
    engine = project.host
    with engine_proxy(tmp_path, engine) as proxy:
        code = kill_at(proxy, project, call, kill, done=done)
        mended = project.recover()

    assert code == -signal.SIGKILL
    assert mended is not None
    assert mended.code == "finished"
    assert project.states() == {project.name: "running"}
    assert project.key() == NEW
    assert project.files()[".env"] == f"{KEY}={NEW}\n"
    assert not project.installation.sync.is_interrupted
