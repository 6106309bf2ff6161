"""`scripts/python.sh` finds an interpreter that is new enough."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "scripts" / "python.sh"
TOO_OLD = "#!/bin/sh\nexit 1\n"
NEW_ENOUGH = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'


def run_with(folder: Path, programs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it where only these programs are installed."""
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), "-c", "print('ran')"],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
    )


def test_newer_python_beside_an_old_one_is_found(tmp_path: Path) -> None:
    done = run_with(tmp_path, {"python3": TOO_OLD, "python3.14": TOO_OLD, "python3.12": NEW_ENOUGH})

    assert (done.returncode, done.stdout) == (0, "ran\n")


def test_machine_without_a_new_python_is_told_what_to_install(tmp_path: Path) -> None:
    done = run_with(tmp_path, {"python3": TOO_OLD})

    assert done.returncode == 2
    assert "apt install python3 python3-venv" in done.stderr
