"""The older panel's raw key, sent as a token: refused at the start, with the remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("package", ["exporter", "dashboard"])
def test_a_raw_key_without_a_secret_is_a_configuration_error_that_says_what_to_set(
    package: str, tmp_path: Path
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; from {package}.cli import main; sys.exit(main([]))"],
        env={
            "PYTHONPATH": str(ROOT),
            "PATH": "/usr/bin:/bin",
            "WPPCONNECT_URL": "127.0.0.1:21465",
            "WPPCONNECT_TOKEN": "B6D711FCDE4D4FD5936544120E713976",
            "WPPCONNECT_SESSIONS": "leguas_wppconnect",
            "WPPCONNECT_INTERVAL_SECONDS": "zero",
            "WPPCONNECT_DATA_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 2
    assert "WPPCONNECT_TOKEN" in run.stderr
    assert "set the secret key instead" in run.stderr
    assert "WPPCONNECT_URL" in run.stderr
    assert "WPPCONNECT_INTERVAL_SECONDS" in run.stderr
    assert "B6D711FC" not in run.stderr
