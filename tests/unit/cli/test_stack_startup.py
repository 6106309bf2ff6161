"""`make up` says Ready of what runs, whatever the exit codes of the program in between."""

from __future__ import annotations

import json
from subprocess import CompletedProcess
from typing import cast

import pytest

from cli.stack.engine import Compose
from cli.stack.startup import await_running
from tests.fakes.docker import as_json
from tests.unit.cli.checkout import Checkout


@pytest.mark.parametrize(
    ("containers", "missing"),
    [
        pytest.param("", "exporter, page", id="nothing was pulled"),
        pytest.param(as_json(exporter="healthy"), "page", id="one was not pulled"),
        pytest.param(as_json(exporter="healthy", page="exited"), "page", id="one has ended"),
        pytest.param("no such command", "exporter, page", id="words"),
    ],
)
def test_what_does_not_run_is_named_though_compose_exits_with_0(
    checkout: Checkout, containers: str, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.docker.tell(containers_json=containers)

    assert checkout.make("up") == 1

    said = capsys.readouterr()
    assert f"not everything became healthy ({missing})" in said.err
    assert "Ready." not in said.out


def test_a_compose_that_says_nothing_at_all_is_not_believed(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.docker.tell(services=[], containers_json="")

    assert checkout.make("up") == 1
    assert "Ready." not in capsys.readouterr().out


@pytest.mark.parametrize(
    "containers",
    [
        pytest.param(as_json(exporter="healthy", page="running"), id="one without a health check"),
        pytest.param(
            json.dumps([json.loads(row) for row in as_json(exporter="healthy", page="healthy").splitlines()]),
            id="all in one list",
        ),
    ],
)
def test_what_runs_is_ready(checkout: Checkout, containers: str, capsys: pytest.CaptureFixture[str]) -> None:
    checkout.docker.tell(containers_json=containers)

    assert checkout.make("up") == 0
    assert "Ready." in capsys.readouterr().out


class Answers:
    """A Compose whose `ps` says one thing after the other, and then the last one again."""

    def __init__(self, *containers: str) -> None:
        self.left = list(containers)

    def ask(self, *words: str) -> CompletedProcess[str]:
        if words[0] == "config":
            return CompletedProcess(words, 0, json.dumps({"services": {"exporter": {}, "page": {}}}))
        return CompletedProcess(words, 0, self.left.pop(0) if len(self.left) > 1 else self.left[0])


@pytest.mark.parametrize("health", ["unhealthy", "starting"])
def test_what_runs_may_become_healthy_again(health: str) -> None:
    compose = Answers(as_json(exporter="healthy", page=health), as_json(exporter="healthy", page="healthy"))

    assert await_running(cast("Compose", compose), seconds=60) == []


@pytest.mark.parametrize("health", ["unhealthy", "starting"])
def test_what_does_not_become_healthy_in_time_is_named(health: str) -> None:
    compose = Answers(as_json(exporter="healthy", page=health))

    assert await_running(cast("Compose", compose), seconds=0) == ["page"]


def test_what_has_ended_is_not_waited_for() -> None:
    compose = Answers(
        as_json(exporter="starting", page="exited"), as_json(exporter="healthy", page="healthy")
    )

    assert await_running(cast("Compose", compose), seconds=60) == ["exporter", "page"]
