"""The supervisor with fake services, as a process of its own that gets real signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.supervisor import program
from tests.support.waiting import until

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent


@dataclass
class Supervised:
    """A running supervisor and what became of its children."""

    process: subprocess.Popen[str]
    diary: Path
    output: Path

    def said(self) -> str:
        """Everything printed so far."""
        return self.output.read_text()

    def notes(self) -> list[str]:
        """What the services wrote down."""
        return self.diary.read_text().splitlines() if self.diary.exists() else []

    def await_welcome(self) -> None:
        """Wait until all services answer."""
        until(lambda: "WELCOME" in self.said(), what="the welcome")

    def pids(self) -> dict[str, int]:
        """The children's process ids by name."""
        return {line.split()[0]: int(line.split()[2]) for line in self.notes() if " pid " in line}

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


Start = Callable[..., Supervised]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a supervisor over fake services; FAKE_* variables by service name."""
    running: list[Supervised] = []

    def service(name: str, behaviour: dict[str, str], **options: Any) -> dict[str, Any]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        return {
            "name": name,
            "command": program("fake_service:main"),
            "environ": {
                **os.environ,
                "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}",
                "FAKE_NAME": name,
                "FAKE_DIARY": str(tmp_path / "diary"),
                "FAKE_PORT": str(port),
                **behaviour,
            },
            "health_urls": [f"http://127.0.0.1:{port}/-/healthy"],
            **options,
        }

    def start(behaviours: dict[str, dict[str, str]], *, start_seconds: float = 20.0) -> Supervised:
        services = [
            service("simulator", behaviours.get("simulator", {}), stops_last=True),
            service("page", behaviours.get("page", {}), hands_over_link=True),
        ]
        plan = tmp_path / "plan.json"
        plan.write_text(json.dumps({"services": services, "start_seconds": start_seconds}))
        output = tmp_path / "output"
        with output.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, str(HERE / "supervised.py"), str(plan)],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
            )
        supervised = Supervised(process, tmp_path / "diary", output)
        running.append(supervised)
        return supervised

    yield start
    for one in running:
        one.process.kill()
        one.process.wait()


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended; one that nobody has reaped yet counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_everything_with_code_0(start: Start, number: signal.Signals) -> None:
    supervised = start({})
    supervised.await_welcome()

    assert supervised.end(number) == 0
    assert all(is_gone(pid) for pid in supervised.pids().values())


def test_log_lines_bear_the_name_of_their_service(start: Start) -> None:
    supervised = start({})
    supervised.await_welcome()

    supervised.end()

    assert "simulator | simulator speaks\n" in supervised.said()
    assert "simulator | simulator logs\n" in supervised.said()
    assert "page      | page logs\n" in supervised.said()


def test_what_the_page_hands_over_is_for_the_welcome_only(start: Start) -> None:
    supervised = start({"page": {"FAKE_SAYS": "the link"}})
    supervised.await_welcome()

    supervised.end()

    assert "WELCOME ['the link']" in supervised.said()
    assert "| the link" not in supervised.said()


def test_gateway_ends_after_those_that_look_at_it(start: Start) -> None:
    supervised = start({})
    supervised.await_welcome()

    supervised.end()

    assert supervised.notes()[-4:] == [
        "page was asked to end",
        "page ended",
        "simulator was asked to end",
        "simulator ended",
    ]


def test_service_that_does_not_end_is_killed_in_time(start: Start) -> None:
    supervised = start({"page": {"FAKE_STUBBORN": "yes"}})
    supervised.await_welcome()

    assert supervised.end() == 0
    assert "page did not end in time and was killed." in supervised.said()
    assert is_gone(supervised.pids()["page"])


def test_second_signal_kills_what_does_not_end(start: Start) -> None:
    supervised = start({"page": {"FAKE_STUBBORN": "yes"}})
    supervised.await_welcome()
    supervised.process.send_signal(signal.SIGINT)
    until(lambda: "page was asked to end" in supervised.notes(), what="the first signal")

    assert supervised.end(signal.SIGINT) == 0
    assert is_gone(supervised.pids()["page"])


def test_line_that_is_too_long_is_left_out_and_the_next_one_shown(start: Start) -> None:
    supervised = start({"simulator": {"FAKE_SAYS": "short\n", "FAKE_LONG_LINE_BYTES": str(3 << 20)}})
    supervised.await_welcome()

    supervised.end()

    assert "simulator | short\n" in supervised.said()
    assert "simulator | after it\n" in supervised.said()


def test_service_that_dies_while_starting_is_reported_and_ends_the_rest(start: Start) -> None:
    supervised = start({"page": {"FAKE_EXIT": "3"}})

    code = supervised.process.wait(timeout=60)

    assert code == 1
    assert "page ended by itself with exit code 3; ending the rest." in supervised.said()
    assert "WELCOME" not in supervised.said()
    assert all(is_gone(pid) for pid in supervised.pids().values())


def test_service_that_is_killed_later_is_reported_and_ends_the_rest(start: Start) -> None:
    supervised = start({})
    supervised.await_welcome()

    os.kill(supervised.pids()["simulator"], signal.SIGKILL)

    assert supervised.process.wait(timeout=60) == 1
    assert "simulator ended by itself with signal SIGKILL; ending the rest." in supervised.said()
    assert "page ended" in supervised.notes()


def test_service_that_never_answers_is_reported_and_ends_the_rest(start: Start) -> None:
    supervised = start({"page": {"FAKE_SICK": "yes"}}, start_seconds=1.5)

    code = supervised.process.wait(timeout=60)

    assert code == 1
    assert "page did not answer at http://127.0.0.1:" in supervised.said()
    assert "simulator did not answer" not in supervised.said()


def test_services_end_when_the_supervisor_is_killed(start: Start) -> None:
    supervised = start({"page": {"FAKE_STUBBORN": "yes"}})
    supervised.await_welcome()
    pids = supervised.pids()

    supervised.end(signal.SIGKILL)

    until(lambda: all(is_gone(pid) for pid in pids.values()), what="the end of the orphans")
    assert "simulator was asked to end" in supervised.notes()
