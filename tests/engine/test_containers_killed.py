"""Whoever has a container recreated can be killed at any step: one container runs after the next start."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.containers import KEY, NEW, MakeProject
from tests.support.engine_proxy import engine_proxy
from tests.support.killed import Kill, everything, kill_at, only_the_process

pytestmark = pytest.mark.timeout(240)
CALLS = ("POST /create", "POST /stop", "DELETE ", "POST /rename", "POST /start")
"""Every call by which Compose changes something."""


@pytest.mark.parametrize("done", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kill", [only_the_process, everything])
def test_next_start_finishes_what_was_begun(
    make_project: MakeProject, tmp_path: Path, call: str, kill: Kill, done: bool
) -> None:
    project = make_project("killed")
    project.write()
    project.up()
    engine = project.host
    with engine_proxy(tmp_path, engine) as proxy:
        code = kill_at(proxy, project, call, kill, done=done)
        mended = project.recover()

    assert code == -signal.SIGKILL
    assert mended is not None
    assert mended.code == "finished"
    assert project.key() == NEW
    assert project.files()[".env"] == f"{KEY}={NEW}\n"
    assert not project.installation.sync.is_interrupted
