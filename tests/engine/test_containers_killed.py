"""A sync that has a container recreated is killed at any step: one container runs after the next start."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.containers import COMPOSE, ENV, KEY, NEW, OLD, MakeProject
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


@pytest.mark.parametrize("call", CALLS)
def test_next_start_puts_back_what_was_being_put_back(
    make_project: MakeProject, tmp_path: Path, call: str
) -> None:
    project = make_project("undoing")
    project.write(COMPOSE.replace("sleep 1d", f"sh -c '[ $$API_KEY = {OLD} ] || exit 3; sleep 1d'"))
    project.up()
    engine = project.host
    with engine_proxy(tmp_path, engine) as proxy:
        code = kill_at(proxy, project, call, everything, done=True, number=2)
        mended = project.recover()

    assert code == -signal.SIGKILL
    assert mended is not None
    assert mended.code == "undone"
    assert project.key() == OLD
    assert project.files()[".env"] == ENV
    assert project.installation.api_key() is None
    assert not project.installation.sync.is_interrupted
