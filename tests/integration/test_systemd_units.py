"""The units of deploy/systemd, read by systemd itself, which says how exposed they are. None starts."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.plugins.system_tools import require

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))
MOST_EXPOSED = 2.0
"""Of 10; systemd calls this "OK", its best but one."""


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_hardly_exposed(unit: Path) -> None:
    require("systemd-analyze")
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    print(f"{unit.name}: {found[1]}")
    assert float(found[1]) <= MOST_EXPOSED


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_every_line(unit: Path) -> None:
    require("systemd-analyze")

    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)

    complaints = [line for line in done.stderr.splitlines() if unit.name in line]
    # The program is installed elsewhere, or not at all, on the machine that runs the tests.
    assert [line for line in complaints if "is not executable" not in line] == []
