"""A whole core against a simulator that runs fast, and a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from simulator import Simulator
from tests.support.chromium import chromium
from tests.support.live_core import FAST, SECRET, SESSION, LiveCore, live_core

GENERATIONS = ["2.10.4", "2.11.0"]
"""Releases of the gateway: without the manager protocol, and with it."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of stories that run against both generations of the gateway."""
    config.addinivalue_line("markers", "both_generations: run against both generations of the gateway")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run marked stories once for each generation."""
    if metafunc.definition.get_closest_marker("both_generations"):
        metafunc.parametrize("generation", GENERATIONS, indirect=True)


@pytest.fixture(autouse=True)
def generation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every simulator of a marked story be of one generation."""
    release = getattr(request, "param", None)
    if release is not None:
        monkeypatch.setenv("SIMULATOR_GATEWAY_VERSION", release)


@pytest.fixture
def gateway() -> Iterator[Simulator]:
    """A gateway with one session that has never been paired."""
    with Simulator(secret_key=SECRET, times=FAST, sessions=[SESSION]) as running:
        yield running


@pytest.fixture
def live(gateway: Simulator, tmp_path: Path) -> Iterator[LiveCore]:
    """A process's core that watches it."""
    with live_core(gateway, tmp_path) as running:
        yield running


@pytest.fixture(scope="module", name="chromium")
def one_chromium() -> Iterator[Browser]:
    """A real browser."""
    with chromium() as browser:
        yield browser
