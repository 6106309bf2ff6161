"""What every test runs under."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.plugins.system_tools", "tests.plugins.leaks", "tests.support.docker_engine"]


@pytest.fixture(autouse=True)
def log_level() -> Iterator[None]:
    """Give the next test the log level that this one found: commands that are called here set it."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
