"""Whoever replaces a container can be killed at any step: one container runs after the next start."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.containers import NEW, OLD, Playground, Progress, containers, expectation
from tests.support.docker_engine import Engine
from tests.support.engine_proxy import engine_proxy
from tests.support.killed import kill_at

STEPS = [
    ("create", "POST", 1, False, OLD),
    ("create", "POST", 1, True, OLD),
    ("connect", "POST", 1, True, OLD),
    ("stop", "POST", 1, True, OLD),
    ("rename", "POST", 1, True, OLD),
    ("rename", "POST", 2, True, OLD),
    ("start", "POST", 1, True, OLD),
    ("", "DELETE", 1, False, NEW),
    ("", "DELETE", 1, True, NEW),
]
"""Every call that changes something: which of its kind, whether the engine does it, and what a repair keeps.

"Not done" is only in the list where it is not the same as the step before, done.
"""


@pytest.fixture(scope="module")
def playground(docker_engine: Engine) -> Iterator[Playground]:
    network = docker_engine.client.networks.create(docker_engine.name("net"))
    docker_engine.client.networks.create(docker_engine.name("second"))
    yield Playground(docker_engine, str(network.name))
    docker_engine.remove_own()


@pytest.mark.parametrize(
    ("path", "method", "nth", "done", "kept"),
    STEPS,
    ids=[f"{path or method} {nth} {'done' if done else 'not done'}" for path, method, nth, done, _ in STEPS],
)
def test_repair_leaves_one_running_container(
    playground: Playground, tmp_path: Path, path: str, method: str, nth: int, done: bool, kept: str
) -> None:
    word = f"{method}{path}{nth}{done}".lower()
    name = playground.run(word)
    playground.engine.client.networks.get(playground.engine.name("second")).connect(name)
    with engine_proxy(tmp_path, playground.engine.host) as proxy:
        code = kill_at(proxy, (tmp_path, name), (path, method), nth, done=done)

    containers(playground.engine.host, tmp_path).repair(Progress())

    assert code == -signal.SIGKILL
    assert playground.names(word) == {name: "running"}
    assert playground.key_of(name) == kept
    assert len(playground.inspect(name)["NetworkSettings"]["Networks"]) == 2
    assert not (tmp_path / "containers.json").exists()


def test_next_start_finishes_what_was_begun(playground: Playground, tmp_path: Path) -> None:
    name = playground.run("finished")
    with engine_proxy(tmp_path, playground.engine.host) as proxy:
        kill_at(proxy, (tmp_path, name), ("rename", "POST"), 1, done=True)

    done = containers(playground.engine.host, tmp_path).carry_out([expectation(name)], Progress())

    assert done.recreated == (name,)
    assert playground.names("finished") == {name: "running"}
    assert playground.key_of(name) == NEW
