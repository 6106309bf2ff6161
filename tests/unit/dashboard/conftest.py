"""Fixtures of the page tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from page_world import ENVIRONMENT, FakeCore, FakeSignIns

from dashboard import state
from dashboard.auth import identity


@pytest.fixture
def sign_ins() -> Iterator[FakeSignIns]:
    """Somebody is signed in as administrator."""
    fake = FakeSignIns()
    identity.install(fake)
    yield fake
    identity._known.clear()
    identity._administration.clear()


@pytest.fixture
def core(tmp_path: Path, sign_ins: FakeSignIns) -> Iterator[FakeCore]:
    """Pages run on a core that a test fills."""
    fake = FakeCore(tmp_path / "store", ENVIRONMENT)
    state.install(fake)  # type: ignore[arg-type]
    yield fake
    state.uninstall()
