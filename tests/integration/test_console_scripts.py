"""The four commands as a shell sees them: quick help, a version, all mistakes at once."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from cli.main import COMMANDS
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

each_script = pytest.mark.parametrize("entry", SCRIPTS.values(), ids=SCRIPTS)


def command(entry: str, *arguments: str) -> list[str]:
    """Start a console script as its installed wrapper does."""
    module, _, function = entry.partition(":")
    start = f"import sys; from {module} import {function}; sys.exit({function}())"
    return [sys.executable, "-c", start, *arguments]


def environment(**variables: str) -> dict[str, str]:
    """Nothing but what a test sets."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | variables


def call(entry: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a console script to its end."""
    return subprocess.run(
        command(entry, *arguments),
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
    )


HELP = [
    *(pytest.param(entry, [], id=name) for name, entry in SCRIPTS.items()),
    *(pytest.param(SCRIPTS["wppconnect-ops"], [name], id=f"wppconnect-ops {name}") for name in COMMANDS),
]
LIGHT = {"click"}
OURS = {"cli", "core", "dashboard", "exporter", "monitoring", "simulator"}


@pytest.mark.parametrize(("entry", "arguments"), HELP)
def test_help_loads_no_heavy_library(entry: str, arguments: list[str]) -> None:
    module, _, function = entry.partition(":")
    program = (
        f"import contextlib, sys\nbefore = set(sys.modules)\nfrom {module} import {function}\n"
        f"with contextlib.suppress(SystemExit):\n    {function}()\n"
        "print(*{name.partition('.')[0] for name in sys.modules.keys() - before}, file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, *arguments, "--help"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert "Usage: " in done.stdout
    assert set(done.stderr.split()) - set(sys.stdlib_module_names) - OURS <= LIGHT


@pytest.mark.parametrize("name", SCRIPTS)
def test_version_is_printed_with_the_name(name: str) -> None:
    done = call(SCRIPTS[name], "--version")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{name} ")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("wppconnect-ops", ["run"]), ("wppconnect-exporter", []), ("wppconnect-dashboard", [])],
)
def test_all_mistakes_are_reported_at_once_with_code_2(
    name: str, arguments: list[str], tmp_path: Path
) -> None:
    done = call(
        SCRIPTS[name],
        *arguments,
        WPPCONNECT_URL="gateway",
        WPPCONNECT_INTERVAL_SECONDS="often",
        WPPCONNECT_SESSIONS="a b",
        EXPORTER_WEB_LISTEN_ADDRESS="here",
        DASHBOARD_LISTEN_ADDRESS="here",
        WPPCONNECT_DATA_DIR=str(tmp_path),
    )

    assert done.returncode == 2
    assert "WPPCONNECT_URL: " in done.stderr
    assert "WPPCONNECT_INTERVAL_SECONDS: " in done.stderr
    assert "WPPCONNECT_SESSIONS: " in done.stderr
    assert "_LISTEN_ADDRESS: " in done.stderr
    assert "Traceback" not in done.stderr


def test_all_mistakes_of_the_simulator_are_reported_at_once_with_code_2() -> None:
    done = call(SCRIPTS["wppconnect-simulator"], SIMULATOR_GATEWAY_PORT="x", SIMULATOR_TIME_SCALE="y")

    assert done.returncode == 2
    assert "SIMULATOR_GATEWAY_PORT" in done.stderr
    assert "SIMULATOR_TIME_SCALE" in done.stderr
    assert "Traceback" not in done.stderr


def answers(url: str) -> bool:
    """Tell whether somebody answers."""
    try:
        with urllib.request.urlopen(url, timeout=60):
            return True
    except (urllib.error.URLError, ConnectionError):
        return False


@pytest.mark.parametrize(
    ("name", "variables", "path"),
    [
        ("wppconnect-exporter", {"EXPORTER_WEB_LISTEN_ADDRESS": "127.0.0.1:{port}"}, "/-/healthy"),
        ("wppconnect-dashboard", {"DASHBOARD_LISTEN_ADDRESS": "127.0.0.1:{port}"}, "/-/healthy"),
        (
            "wppconnect-simulator",
            {"SIMULATOR_GATEWAY_PORT": "{port}", "SIMULATOR_PHONE_PORT": "0"},
            "/healthz",
        ),
    ],
)
def test_sigterm_ends_with_code_0_within_two_seconds(
    name: str, variables: dict[str, str], path: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    placed = {variable: text.format(port=port) for variable, text in variables.items()}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command(SCRIPTS[name]),
            env=environment(WPPCONNECT_DATA_DIR=str(tmp_path / "data"), **placed),
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}{path}"), what="the first answer")
        process.terminate()
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
