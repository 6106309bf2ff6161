"""Fixtures of the page tests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from page_world import ENVIRONMENT, FakeCore, FakeSignIns
from streamlit.components.v2 import manifest_scanner

from dashboard import state
from dashboard.auth import identity


@pytest.fixture(scope="session", autouse=True)
def one_search_for_components() -> Iterator[None]:
    """Have Streamlit read the metadata of every installed package once, and not for each page of a test."""
    with pytest.MonkeyPatch.context() as patch:
        found = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture
def sign_ins() -> Iterator[FakeSignIns]:
    """Somebody is signed in as administrator."""
    fake = FakeSignIns()
    identity.install(fake)
    yield fake
    identity._sign_ins.clear()
    identity._administration.clear()


@pytest.fixture
def core(tmp_path: Path, sign_ins: FakeSignIns) -> Iterator[FakeCore]:
    """Pages run on a core that a test fills."""
    fake = FakeCore(tmp_path / "store", ENVIRONMENT)
    state.install(fake)  # type: ignore[arg-type]
    yield fake
    state.uninstall()
