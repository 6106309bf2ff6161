"""Writers that are killed in the middle: nothing confirmed is lost and no file is broken."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from core.store import FileStore, History
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
NAMES = ("ana", "bruno", "carla", "davi")
KILLS = 15


class Writer:
    """One writing process; it is started again after each kill and goes on from what is stored."""

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self._directory = directory
        self._said = directory / f"{name}.said"
        self._said.touch()
        self.start()

    def start(self) -> None:
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    str(Path(__file__).with_name("store_writer.py")),
                    str(self._directory),
                    self.name,
                ],
                stdout=said,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(timeout=60)

    def confirmed(self, what: str) -> list[int]:
        """Give the numbers that it said were confirmed; 0 where it says none."""
        lines = [line.split() for line in self._said.read_text().splitlines()]
        return [int(line[1]) if line[1:] else 0 for line in lines if line[0] == what]

    def wait_until_it_has_written(self) -> None:
        """Wait for three more confirmations, and a moment so that the kill comes anywhere in its work."""
        enough = self._said.stat().st_size + 30

        def has_written() -> bool:
            assert self._process.poll() is None, f"writer {self.name} ended by itself"
            return self._said.stat().st_size >= enough

        until(has_written, what=f"writer {self.name}'s turn")
        threading.Event().wait(random.uniform(0, 0.01))


@pytest.fixture
def writers(tmp_path: Path) -> Generator[list[Writer]]:
    running = [Writer(tmp_path, name) for name in NAMES]
    yield running
    for writer in running:
        writer.kill()


def kill_one_after_another(writers: list[Writer]) -> None:
    for number in range(KILLS):
        victim = writers[number % len(writers)]
        victim.wait_until_it_has_written()
        victim.kill()
        victim.start()
    for writer in writers:
        writer.wait_until_it_has_written()
        writer.kill()


def test_killed_writers_lose_nothing_confirmed_and_break_no_file(
    tmp_path: Path, writers: list[Writer]
) -> None:
    kill_one_after_another(writers)

    store, history = FileStore(tmp_path / "store"), History(tmp_path / "history")
    stored = {key: record.value["n"] for key, record in store.read_all("tokens").items()}
    logged = {writer.name: [one.data["n"] for one in history.read(session=writer.name)] for writer in writers}
    assert store.notices == ()
    assert set(stored) == {*NAMES, "shared"}

    # Each kill may have come between an update and its confirmation: then more is stored than was said.
    own = {writer.name: writer.confirmed("own") for writer in writers}
    assert all(stored[name] >= said[-1] for name, said in own.items())
    assert all(said == sorted(set(said)) for said in own.values())
    assert 0 <= sum(stored[name] - len(said) for name, said in own.items()) <= KILLS + len(NAMES)
    shared = sum(len(writer.confirmed("shared")) for writer in writers)
    assert shared <= stored["shared"] <= shared + KILLS + len(NAMES)

    assert all(set(writer.confirmed("history")) <= set(logged[writer.name]) for writer in writers)
    assert all(len(numbers) == len(set(numbers)) for numbers in logged.values())
