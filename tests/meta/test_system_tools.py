"""A test that is left out is named, and fails the run under CI=true (tests/plugins/system_tools.py)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.source import ROOT

TESTS = """
import pytest
from tests.plugins import system_tools

def test_present():
    system_tools.require()

def test_wanting(monkeypatch):
    monkeypatch.setenv("PATH", "")
    system_tools.require("promtool", "prometheus")

@pytest.mark.xfail
def test_expected_to_fail():
    assert False
"""


def run(folder: Path, *arguments: str, ci: str) -> subprocess.CompletedProcess[str]:
    """Run the tests above as a suite of their own."""
    (folder / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.plugins.system_tools", "-p", "no:randomly"]
    return subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", str(folder), str(folder), *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "CI": ci},
        capture_output=True,
        text=True,
    )


def test_left_out_test_is_named_with_the_debian_package(tmp_path: Path) -> None:
    done = run(tmp_path, ci="")

    assert done.returncode == 0
    assert "1 left out" in done.stdout
    assert "test_wanting: wants the Debian package prometheus (make system-deps)" in done.stdout


@pytest.mark.parametrize(("selected", "code"), [("wanting or present", 1), ("present", 0), ("expected", 0)])
def test_only_a_left_out_test_fails_the_run_under_ci(tmp_path: Path, selected: str, code: int) -> None:
    assert run(tmp_path, "-k", selected, ci="true").returncode == code
