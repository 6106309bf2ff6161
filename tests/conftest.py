"""What every test runs under."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from core.logs import RedactedRecord

pytest_plugins = [
    "tests.plugins.system_tools",
    "tests.plugins.leaks",
    "tests.plugins.tabs_on_failure",
    "tests.support.docker_engine",
]


@pytest.fixture(autouse=True)
def logging_of_a_process() -> Iterator[None]:
    """Log as each of our processes does, at the level that was set before: commands called here set both."""
    root = logging.getLogger()
    level = root.level
    logging.setLogRecordFactory(RedactedRecord)
    yield
    root.setLevel(level)
