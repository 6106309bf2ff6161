"""`scripts/system_deps.sh` on machines where it may not install anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "system_deps.sh"
NEEDED = ("dirname", "grep", "sort", "tr", "id")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """A machine with the usual small programs, without apt-get and without any browser."""
    for name in NEEDED:
        (tmp_path / name).symlink_to(shutil.which(name) or "")
    return {"PATH": str(tmp_path)}


def run(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script."""
    return subprocess.run(["/bin/sh", str(SCRIPT), *arguments], env=environ, capture_output=True, text=True)


def test_make_test_names_the_packages_and_goes_on(bare: dict[str, str]) -> None:
    done = run(bare, "--where-allowed")

    assert done.returncode == 0
    assert "chromium" in done.stderr
    assert "prometheus" in done.stderr


def test_make_system_deps_fails_where_it_cannot_install(bare: dict[str, str]) -> None:
    assert run(bare).returncode == 1
