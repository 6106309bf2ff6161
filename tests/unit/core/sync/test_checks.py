"""The check for drift: Compose is asked again only when something may have changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.sync.sync import TRUSTED, Sync
from core.sync.targets import State
from tests.fakes import FakeClock
from tests.support.sync import KEY, Installation, ScriptedContainers, install, target

FILES = {
    ".env": f"{KEY}=present-key-1234\n",
    "common.env": "A=1\n",
    "compose.yml": f"services: {{a: {{image: x, env_file: common.env, environment: [{KEY}=${{{KEY}}}]}}}}\n",
}
Change = Callable[[Installation, FakeClock], object]
CHANGES: dict[str, Change] = {
    "file of a target": lambda one, _: (one.folder / ".env").write_text(f"{KEY}=other\n"),
    "file that a file names": lambda one, _: (one.folder / "common.env").write_text("A=2\n"),
    "file that was not there": lambda one, _: (one.folder / "compose.override.yml").write_text("{}\n"),
    "key in force": lambda one, _: one.keep("another-key-1234"),
    "containers": lambda one, _: setattr(one.containers, "standing", frozenset()),
    "time": lambda _, clock: clock.advance(TRUSTED.total_seconds() + 1),
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def installation(tmp_path: Path, clock: FakeClock) -> Installation:
    """A project whose key is in sync, with Compose and a scripted engine."""
    made = install(tmp_path, FILES, target(".env"))
    made.keep("present-key-1234")
    made.asks_compose, made.clock, made.containers = True, clock, ScriptedContainers()
    return made


@pytest.fixture
def checking(installation: Installation) -> Sync:
    """A sync that has found out which files there are."""
    found = installation.sync
    assert [one.state for one in found.check().targets] == [State.IN_SYNC]
    found.check()
    return found


def test_check_without_a_change_asks_nothing(installation: Installation, checking: Sync) -> None:
    (installation.folder / "panel.log").write_text("not named by any file\n")

    plan = checking.check()

    assert installation.plans[-1] is plan
    assert len(installation.plans) == 2


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_check_after_a_change_plans_anew(
    installation: Installation, checking: Sync, clock: FakeClock, change: Change
) -> None:
    change(installation, clock)

    checking.check()

    assert len(installation.plans) == 3


def test_check_without_compose_always_plans(installation: Installation) -> None:
    installation.asks_compose = False
    found = installation.sync

    found.check()
    found.check()
    found.check()

    assert len(installation.plans) == 3
