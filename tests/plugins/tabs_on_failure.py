"""Show, below a test that failed, what stood in the tabs of the browser then: the next run may be green."""

from __future__ import annotations

import weakref
from collections.abc import Generator
from typing import Any, Protocol

import pytest

LONGEST = 3000
"""Characters of a tab's markup: the beginning names what is missing."""


class Tab(Protocol):
    """What a tab can say of itself."""

    def now(self) -> str:
        """Return its address, what went wrong in it, and what stands in it."""


_tabs: weakref.WeakSet[Any] = weakref.WeakSet()


def watch(tab: Tab) -> None:
    """Show this tab when a test fails, as long as somebody holds it."""
    _tabs.add(tab)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add a section for each tab to the report of a failure."""
    report = yield
    if report.failed and item.get_closest_marker("browser"):
        for tab in list(_tabs):
            report.sections.append(("a tab", tab.now()))
    return report
