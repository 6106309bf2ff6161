"""Every command whose reader has gone ends quietly: without a traceback, and with all that it started."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.console import READER_HAS_GONE
from simulator import Simulator
from tests.support.live_core import FAST, SECRET, SESSION, environment
from tests.support.stack import free_port

ROOT = Path(__file__).parents[2]
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
OPS, EXPORTER = "wppconnect-ops", "wppconnect-exporter"
NOISE = ("Traceback", "CRITICAL", "Exception ignored", "BrokenPipe")
WRITING: list[Any] = [
    *(
        pytest.param(name, [flag], id=f"{name} {flag}")
        for name in SCRIPTS
        for flag in ("--help", "--version")
    ),
    # All commands print their help alike; `run` is one that starts a part.
    *(
        pytest.param(OPS, [name, "--help"], id=f"{OPS} {name} --help")
        for name in ("run", "dashboard", "users")
    ),
    pytest.param(OPS, ["rules", "--external-url", "https://ops.example.org"], id="rules"),
    pytest.param(OPS, ["doctor"], id="doctor"),
    pytest.param(OPS, ["users", "list"], id="users list"),
    pytest.param(OPS, ["users", "add", "maria", "--role", "administrator"], id="users add"),
    pytest.param(OPS, ["import", "."], id="import"),
    pytest.param(OPS, ["sync", "plan"], id="sync plan"),
    pytest.param(OPS, ["backup", "-"], id="backup to standard output"),
    pytest.param(EXPORTER, ["--once"], id="--once"),
    pytest.param(EXPORTER, ["--config.check"], id="--config.check"),
    pytest.param("wppconnect-simulator", ["--gateway-port=0", "--phone-port=0"], id="simulator"),
    pytest.param(OPS, ["simulator", "--gateway-port=0", "--phone-port=0"], id="ops simulator"),
]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET, times=FAST, paired=[SESSION]) as running:
        yield running


@pytest.fixture
def environ(simulator: Simulator, tmp_path: Path) -> dict[str, str]:
    """Everything that the commands want to write about."""
    (tmp_path / ".env.panel").write_text("WPPCONNECT_SECRET=old\n")
    (tmp_path / "sync.yml").write_text(
        f"folders: {{ here: {tmp_path} }}\n"
        "targets: [ { file: .env.panel, key: WPPCONNECT_SECRET, receives: secret_key of main } ]\n"
    )
    told = environment(simulator, tmp_path) | {"WPPCONNECT_SYNC_FILE": str(tmp_path / "sync.yml")}
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | told


def command(script: str, *arguments: str) -> list[str]:
    """Start a console script as its installed wrapper does."""
    module, _, function = SCRIPTS[script].partition(":")
    start = f"import sys; from {module} import {function}; sys.exit({function}())"
    return [sys.executable, "-P", "-c", start, *arguments]


def pipe_without_reader() -> int:
    """Open a pipe that nobody reads any more."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    return write_end


def run_without_reader(
    command: list[str], environ: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command whose output nobody reads any more."""
    out = pipe_without_reader()
    done = subprocess.run(
        command,
        env=environ,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(out)
    return done


@pytest.mark.parametrize(("script", "arguments"), WRITING)
def test_it_ends_quietly(script: str, arguments: list[str], environ: dict[str, str], tmp_path: Path) -> None:
    done = run_without_reader(command(script, *arguments), environ, tmp_path)

    assert [word for word in NOISE if word in done.stderr] == [], done.stderr
    assert done.returncode == READER_HAS_GONE, done.stderr


@pytest.mark.parametrize(
    "arguments", [["rules", "--external-url", "https://ops.example.org"], ["sync", "plan"], ["rules"]]
)
def test_it_ends_when_nobody_reads_its_errors_either(
    arguments: list[str], environ: dict[str, str], tmp_path: Path
) -> None:
    out = pipe_without_reader()

    done = subprocess.run(
        command(OPS, *arguments), env=environ, cwd=tmp_path, stdout=out, stderr=out, timeout=60
    )
    os.close(out)

    assert done.returncode in (READER_HAS_GONE, 2)


@pytest.mark.parametrize(
    "arguments", [["--version"], ["users", "list"], ["rules", "--external-url", "http://x"]]
)
def test_without_any_output_it_does_its_work(
    arguments: list[str], environ: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command(OPS, *arguments)],
        env=environ,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_backup_to_an_output_that_is_not_there_is_refused(environ: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command(OPS, "backup", "-")],
        env=environ,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (
        2,
        "wppconnect-ops backup: standard output is closed; name a file\n",
    )


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        pytest.param(OPS, ["--version"], id="--version"),
        pytest.param(OPS, ["rules", "--external-url", "https://ops.example.org"], id="rules"),
        pytest.param(OPS, ["users", "list"], id="users list"),
        pytest.param(OPS, ["doctor"], id="doctor"),
        pytest.param(OPS, ["sync", "plan"], id="sync plan"),
        pytest.param(OPS, ["backup", "-"], id="backup"),
        pytest.param(EXPORTER, ["--once"], id="--once"),
    ],
)
def test_a_full_disk_is_named_without_a_traceback(
    script: str, arguments: list[str], unbuffered: str, environ: dict[str, str], tmp_path: Path
) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command(script, *arguments),
            env=environ | {"PYTHONUNBUFFERED": unbuffered},
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )

    assert [word for word in NOISE if word in done.stderr] == [], done.stderr
    assert done.returncode == 1
    assert "No space left on device" in done.stderr


def test_everything_that_run_has_started_ends_with_its_reader(
    environ: dict[str, str], tmp_path: Path
) -> None:
    ports = [free_port(), free_port()]
    environ["DASHBOARD_LISTEN_ADDRESS"], environ["EXPORTER_WEB_LISTEN_ADDRESS"] = (
        f"127.0.0.1:{port}" for port in ports
    )

    done = run_without_reader(command(OPS, "run"), environ, tmp_path)

    assert (done.returncode, done.stderr) == (READER_HAS_GONE, "")
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=60)
