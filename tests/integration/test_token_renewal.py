"""Two processes with twenty threads each and one token: it is obtained, renewed and counted once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulator import Simulator
from tests.token_gateway import TokenGateway

ROOT = Path(__file__).parents[2]
SECRET = "9f86d081884c7d659a2feaa0c55ad015"
OTHER = "2c26b46b68ffc68ff99b453c1d304134"


class Worker:
    """One process of ours; it holds a token once it is there."""

    def __init__(self, directory: Path, url: str, source: str) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("token_worker.py")),
                str(directory),
                url,
                SECRET,
                source,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def held(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def result(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        result: dict[str, Any] = json.loads(self._process.stdout.readline())
        return result

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def two_workers(directory: Path, url: str, source: str = "auto") -> Iterator[tuple[Worker, Worker]]:
    workers = Worker(directory, url, source), Worker(directory, url, source)
    try:
        yield workers
    finally:
        for worker in workers:
            worker.end()


def run(workers: tuple[Worker, Worker]) -> list[dict[str, Any]]:
    for worker in workers:
        worker.go()
    return [worker.result() for worker in workers]


def test_processes_that_start_together_obtain_one_token(tmp_path: Path) -> None:
    with TokenGateway(SECRET) as gateway, two_workers(tmp_path, gateway.url, "server") as workers:
        held = {worker.held() for worker in workers}

        assert len(held) == 1
        assert gateway.count("generate-token") == 1


def test_a_refused_token_is_renewed_and_counted_once(tmp_path: Path) -> None:
    with TokenGateway(SECRET) as gateway, two_workers(tmp_path, gateway.url) as workers:
        gateway.refused = {worker.held() for worker in workers}

        results = run(workers)

        assert [result["outcomes"] for result in results] == [{"ok": 20}, {"ok": 20}]
        assert gateway.count("generate-token") == 1
    for result in results:
        assert result["failures"] == {"token_rejected": 1, "secret_rejected": 0}
        assert result["renewals"] == 2
    assert results[0]["held"] == results[1]["held"] != next(iter(gateway.refused))


@pytest.mark.both_generations
def test_a_changed_secret_on_the_gateway_is_met_and_counted_once(tmp_path: Path) -> None:
    with Simulator(secret_key=SECRET) as simulator, two_workers(tmp_path, simulator.url) as workers:
        for worker in workers:
            worker.held()
        simulator.change_secret(OTHER)

        results = run(workers)
        asked = [one for one in simulator.requests()["counts"] if one["route"].endswith("token")]

    assert [result["outcomes"] for result in results] == [{"SecretKeyRejectedError": 20}] * 2
    assert sum(one["count"] for one in asked) == 1
    for result in results:
        assert result["failures"] == {"token_rejected": 1, "secret_rejected": 1}
