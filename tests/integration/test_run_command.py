"""`wppconnect-ops run` with the real programs, on free ports."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from simulator import Simulator
from tests.support.live_core import SECRET
from tests.support.terminal import TerminalCommand
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
ENTRY = "cli.main:main"
"""Generous: the machine may be busy with other tests."""
LINK = re.compile(r"http://\S+#(\S+)")


@pytest.fixture
def ports() -> dict[str, int]:
    with ExitStack() as stack:
        free = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(4)]
        numbers = [server.getsockname()[1] for server in free]
    return dict(zip(("page", "exporter", "gateway", "phone"), numbers, strict=True))


@pytest.fixture
def environ(ports: dict[str, int], tmp_path: Path) -> dict[str, str]:
    return {
        "DASHBOARD_LISTEN_ADDRESS": f"127.0.0.1:{ports['page']}",
        "EXPORTER_WEB_LISTEN_ADDRESS": f"127.0.0.1:{ports['exporter']}",
        "SIMULATOR_GATEWAY_PORT": str(ports["gateway"]),
        "SIMULATOR_PHONE_PORT": str(ports["phone"]),
        "WPPCONNECT_DATA_DIR": str(tmp_path / "data"),
    }


def fetch(url: str) -> str:
    """Read a page; nothing while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            text: str = answer.read().decode()
            return text
    except (urllib.error.URLError, ConnectionError):
        return ""


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_demo_starts_with_one_command_and_ends_with_ctrl_c(
    environ: dict[str, str], ports: dict[str, int]
) -> None:
    with TerminalCommand(ENTRY, "run", environ=environ) as command:
        until(lambda: LINK.search(command.written), what="the sign-in link")
        until(lambda: "Ready." in command.written, what="the addresses")
        sample = 'wppconnect_session_connected{server="main",session="leguas_wppconnect"} 0'
        until(lambda: sample in fetch(f"http://127.0.0.1:{ports['exporter']}/metrics"), what="the sample")
        assert f"http://127.0.0.1:{ports['page']}\r\n" in command.written
        assert fetch(f"http://127.0.0.1:{ports['phone']}/")

        command.type("\x03")

        assert command.process.wait(timeout=60) == 0
    assert [name for name, port in ports.items() if not is_free(port)] == []


def test_without_a_terminal_the_link_is_in_a_private_file_and_not_in_the_log(
    environ: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with log.open("w") as file:
        command = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "run"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: "Ready." in log.read_text(), what="the addresses")
        link = tmp_path / "data" / "first-sign-in-link"
        found = LINK.search(link.read_text())
        assert found is not None
        assert link.stat().st_mode & 0o777 == 0o600
        assert f"The first sign-in link is in {link}" in log.read_text()
        assert found.group(1) not in log.read_text()
    finally:
        command.terminate()
        assert command.wait(timeout=60) == 0


def test_with_a_gateway_no_simulator_is_started(environ: dict[str, str], ports: dict[str, int]) -> None:
    with Simulator(secret_key=SECRET) as gateway:
        environ |= {"WPPCONNECT_URL": gateway.url, "WPPCONNECT_SECRET_KEY": SECRET}
        with TerminalCommand(ENTRY, "run", environ=environ) as command:
            until(lambda: "Ready." in command.written, what="the addresses")

            assert gateway.url in command.written
            assert is_free(ports["gateway"])
            assert SECRET not in command.written

            command.process.send_signal(signal.SIGTERM)
            assert command.process.wait(timeout=60) == 0


def test_each_program_gets_only_the_variables_that_are_its_own(
    environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("AUTHENTICATION_API_KEY='in the file'\nDASHBOARD_REMEMBER_DAYS=7\n")
    # Of the shell in which it is typed.
    environ |= {"AWS_SECRET_ACCESS_KEY": "of the shell", "DJANGO_SETTINGS_MODULE": "leguas", "HOME": "/home"}
    system = {"PATH", "PYTHONPATH", "TERM", "HOME", "LC_CTYPE", "PYTHONUNBUFFERED"}

    with TerminalCommand(ENTRY, "run", environ=environ, cwd=tmp_path) as command:
        until(lambda: "Ready." in command.written, what="the addresses")
        got = {name: sorted(own - system) for name, own in variables_of_children(command.process.pid)}

    core = ["WPPCONNECT_DATA_DIR", "WPPCONNECT_SECRET_KEY_FILE", "WPPCONNECT_SESSIONS", "WPPCONNECT_URL"]
    of_the_page = ["DASHBOARD_LISTEN_ADDRESS", "DASHBOARD_PRINT_LINK", "DASHBOARD_REMEMBER_DAYS"]
    assert got == {
        "simulator.cli:main": [
            "SIMULATOR_GATEWAY_PORT",
            "SIMULATOR_PHONE_PORT",
            "SIMULATOR_SECRET_KEY_FILE",
        ],
        "exporter.cli:main": ["EXPORTER_WEB_LISTEN_ADDRESS", *core],
        "dashboard.cli:main": [*of_the_page, *core],
    }


def variables_of_children(pid: int) -> Iterator[tuple[str, set[str]]]:
    """Read what each child of a process runs, and the names of its variables, as the system has them."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            command, environ = (
                Path(f"/proc/{child}/{file}").read_text().rstrip("\0").split("\0")
                for file in ("cmdline", "environ")
            )
            yield command[-1], {line.partition("=")[0] for line in environ}


def test_nothing_is_left_behind_when_it_is_killed(environ: dict[str, str], ports: dict[str, int]) -> None:
    with TerminalCommand(ENTRY, "run", environ=environ) as command:
        until(lambda: "Ready." in command.written, what="the addresses")

        command.process.kill()

        until(lambda: all(is_free(port) for port in ports.values()), what="the end of the children")


def test_taken_port_is_named_with_its_setting_and_nothing_is_started(
    environ: dict[str, str], ports: dict[str, int]
) -> None:
    with (
        socket.create_server(("127.0.0.1", ports["exporter"])),
        TerminalCommand(ENTRY, "run", environ=environ) as command,
    ):
        assert command.process.wait(timeout=60) == 2

        taken = f"EXPORTER_WEB_LISTEN_ADDRESS: 127.0.0.1:{ports['exporter']} is taken by another program"
        until(lambda: taken in command.written, what="the reason")
