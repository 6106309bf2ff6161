import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.cli import main

ROOT = Path(__file__).parents[3]


def start(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the console script in a clean environment."""
    program = "import sys; from dashboard.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_all_mistakes_of_both_sets_of_settings_come_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(
        [],
        {
            "DASHBOARD_LISTEN_ADDRESS": "8501",
            "DASHBOARD_SIGN_IN_IDLE_HOURS": "long",
            "WPPCONNECT_URL": "gateway",
            "WPPCONNECT_INTERVAL_SECONDS": "often",
        },
    )

    problems = capsys.readouterr().err
    assert code == 2
    assert "DASHBOARD_LISTEN_ADDRESS: must be HOST:PORT" in problems
    assert "DASHBOARD_SIGN_IN_IDLE_HOURS: must be a number" in problems
    assert "WPPCONNECT_URL: has no scheme" in problems
    assert "WPPCONNECT_INTERVAL_SECONDS: must be a number" in problems


def test_taken_port_is_named_with_its_setting_and_nothing_is_written(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"

        finished = start(DASHBOARD_LISTEN_ADDRESS=address, WPPCONNECT_DATA_DIR=str(tmp_path / "data"))

    assert finished.returncode == 2
    assert f"DASHBOARD_LISTEN_ADDRESS: {address} is taken by another program" in finished.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("address", "folder", "problem"),
    [
        ("192.0.2.1:8501", "data", "DASHBOARD_LISTEN_ADDRESS: 192.0.2.1:8501 is no address of this machine"),
        ("127.0.0.1:0", "file", "WPPCONNECT_DATA_DIR"),
    ],
)
def test_setting_that_this_machine_cannot_serve_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str, folder: str, problem: str
) -> None:
    (tmp_path / "file").touch()

    code = main([], {"DASHBOARD_LISTEN_ADDRESS": address, "WPPCONNECT_DATA_DIR": str(tmp_path / folder)})

    assert code == 2
    assert problem in capsys.readouterr().err
