"""Compose projects on a real engine: after every single test, a container of each expected name runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.containers import ComposeProject, MakeProject, new_project
from tests.support.docker_engine import Engine


@pytest.fixture
def make_project(docker_engine: Engine, tmp_path: Path) -> Iterator[MakeProject]:
    """Make projects by name; all that they leave is what they expect, and is removed."""
    made: list[ComposeProject] = []

    def make(word: str, **more: object) -> ComposeProject:
        made.append(new_project(docker_engine, tmp_path, word, **more))
        return made[-1]

    yield make
    left = [states_of(docker_engine, one.name) for one in made]
    docker_engine.remove_own()
    # The library leaves a socket open on which it could not connect anew: it is collected here.
    gc.collect()
    assert left == [one.expected for one in made]


def states_of(engine: Engine, name: str) -> dict[str, str]:
    """Return every container whose name holds this one, leftovers of a recreation too, and how it is."""
    found = engine.client.containers.list(all=True, filters={"name": name}, ignore_removed=True)
    return {str(one.name): str(one.status) for one in found}
