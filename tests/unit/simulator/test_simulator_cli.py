"""The command: its flags and variables, its mistakes, its end."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import requests

from simulator.cli import main


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SIMULATOR_")]:
        monkeypatch.delenv(name)


@contextmanager
def running(*flags: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and its gateway's URL."""
    command = [sys.executable, "-m", "simulator.cli", "--gateway-port", "0", "--phone-port", "0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first_line = process.stdout.readline()
        found = re.search(r"http://\S+", first_line)
        assert found is not None
        try:
            yield process, found[0]
        finally:
            process.kill()


def test_help_names_flags_and_variables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "SIMULATOR_GATEWAY_PORT" in capsys.readouterr().out


def test_help_says_that_paired_takes_a_session(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "--paired SESSION" in capsys.readouterr().out


def test_version_names_the_python_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "1.2.3")

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"wppconnect-simulator 1.2.3 (Python {sys.version.split()[0]})\n"


def test_version_of_code_that_nobody_installed_is_unknown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", fail)

    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("wppconnect-simulator unknown (Python ")


def test_help_does_not_load_the_web_framework() -> None:
    program = "import sys, simulator.cli; sys.exit('uvicorn' in sys.modules or 'starlette' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_all_mistakes_are_reported_together(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SIMULATOR_TIME_SCALE", "fast")
    monkeypatch.setenv("SIMULATOR_SECRET_KEY_FILE", str(tmp_path / "missing"))

    code = main(["--gateway-port", "99999", "--auto-close", "0"])

    assert code == 2
    assert capsys.readouterr().err.splitlines() == [
        "--time-scale (SIMULATOR_TIME_SCALE): 'fast' is not a number greater than 0",
        "--auto-close (SIMULATOR_AUTO_CLOSE): '0' is not a number greater than 0",
        "--gateway-port (SIMULATOR_GATEWAY_PORT): '99999' is not a port (0 to 65535)",
        "--secret-key-file (SIMULATOR_SECRET_KEY_FILE): "
        f"cannot read {tmp_path / 'missing'}: FileNotFoundError",
    ]


def test_taken_port_is_named_by_flag_and_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        code = main(["--gateway-port", port, "--phone-port", "0"])

    assert code == 2
    assert capsys.readouterr().err == (
        f"--gateway-port (SIMULATOR_GATEWAY_PORT): cannot listen on 127.0.0.1:{port}: "
        "Address already in use. Choose another port.\n"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_cleanly_while_a_request_hangs(number: signal.Signals) -> None:
    with running("--paired", "a") as (process, url):
        headers = {"Content-Type": "application/json"}
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{url}/healthz", headers=headers, timeout=0.3)
        with socket.create_connection(url.removeprefix("http://").split(":")) as hanging:  # type: ignore[arg-type]
            hanging.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\r\n")

            process.send_signal(number)

            assert process.wait(60) == 0


def test_secret_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file\n")

    with running("--secret-key-file", str(tmp_path / "secret"), "--session", "leguas_wppconnect") as (_, url):
        answer = requests.get(f"{url}/api/from-file/show-all-sessions", timeout=60)

    assert answer.json() == {"response": ["leguas_wppconnect"]}
