"""Tests that want a program of the system: left out by name where it is missing, and never unnoticed.

A test calls `require("chromium")`. Where the program is missing the test is skipped, and the run ends with
a list of what was left out and which Debian package each wants. Under CI=true any skipped test fails the run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[2] / "scripts" / "system-packages.txt"

_left_out: dict[str, str] = {}


def require(*programs: str) -> None:
    """Skip the test (or, called at its top, the module) unless all these programs are installed."""
    packages = packages_by_program()
    missing = sorted({packages[one] for one in programs if not is_there(one)})
    if missing:
        names = " ".join(missing)
        pytest.skip(f"wants the Debian package {names} (make system-deps)", allow_module_level=True)


def packages_by_program() -> Mapping[str, str]:
    """Read which package brings which program; `make system-deps` installs the same list."""
    lines = PACKAGES.read_text().splitlines()
    return dict(line.split() for line in lines if line.strip() and not line.startswith("#"))


def is_there(program: str) -> bool:
    """Tell whether a program, or a file given by its path, is installed."""
    return shutil.which(program) is not None or (program.startswith("/") and Path(program).exists())


def pytest_sessionstart() -> None:
    """Begin with nothing left out."""
    _left_out.clear()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember a skipped test."""
    if report.skipped and not hasattr(report, "wasxfail"):
        _left_out[report.nodeid] = _reason(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Remember a module that was skipped as a whole."""
    if report.skipped:
        _left_out[report.nodeid] = _reason(report)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Under CI=true fail a run that would be green but left something out."""
    if _left_out and _must_run_everything() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was left out, and why."""
    if not _left_out:
        return
    verdict = ", which fails this run (CI=true)" if _must_run_everything() else ""
    terminalreporter.section(f"{len(_left_out)} left out{verdict}")
    for name, reason in sorted(_left_out.items()):
        terminalreporter.write_line(f"{name}: {reason}")


def _must_run_everything() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
