"""What is installed holds everything that the programs need, not only their code."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.meta.source import PACKAGES, ROOT, own_files


def test_wheel_holds_every_file_of_our_packages_and_nothing_of_the_tests(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}

    ours = {path.as_posix() for path in own_files() if path.parts[0] in (*PACKAGES, "monitoring")}

    assert packed == ours
