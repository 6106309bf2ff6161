"""Mounts for tests of disks that are full, read-only, or mounted file by file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.plugins.system_tools import require


@contextmanager
def small_disk(place: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a disk of that size."""
    with _mounted(place, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs"):
        yield place


@contextmanager
def read_only(place: Path) -> Iterator[Path]:
    """Make a folder read-only, for root too."""
    with _mounted(place, "--bind", str(place)):
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
        yield place


@contextmanager
def mounted_over(place: Path, source: Path) -> Iterator[Path]:
    """Mount one file over another, as `volumes: ./.env:/app/.env` does."""
    with _mounted(place, "--bind", str(source)):
        yield place


@contextmanager
def _mounted(place: Path, *arguments: str) -> Iterator[None]:
    require("mount")
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    subprocess.run(["mount", *arguments, place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
