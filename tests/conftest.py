"""What every test runs under."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.logs import RedactedRecord

pytest_plugins = [
    "tests.plugins.system_tools",
    "tests.plugins.leaks",
    "tests.plugins.gateway_protection",
    "tests.plugins.tabs_on_failure",
    "tests.support.docker_engine",
    "tests.support.engines",
    "tests.support.postgresql",
]


gc.disable()  # until everything is imported
HERE = Path(__file__).parent
LONGEST_FIRST = ("browser", "integration")
"""Folders whose tests begin first: processes that run beside each other then end together, and a browser and
a page that stories of a folder share start once in each."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long tests first, otherwise in the random order that they came in."""
    ranks = {HERE / name: rank for rank, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.parent, len(ranks)))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the process: that took a fifth of a run."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def logging_of_a_process() -> Iterator[None]:
    """Log as each of our processes does, at the level that was set before: commands called here set both."""
    root = logging.getLogger()
    level = root.level
    logging.setLogRecordFactory(RedactedRecord)
    yield
    root.setLevel(level)
