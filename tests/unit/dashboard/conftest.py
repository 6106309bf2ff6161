"""Fixtures of the page tests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from page_world import ENVIRONMENT, FakeCore, FakeSignIns
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import local_script_runner

from dashboard import state
from dashboard.auth import identity


@pytest.fixture(scope="session", autouse=True)
def streamlit_as_in_one_process() -> Iterator[None]:
    """Have Streamlit do once what it does for each run of a page in a test, and once in a process of ours.

    It reads the metadata of every installed package, compiles the scripts, and without an option of ours
    describes every call for its usage statistics.
    """
    scripts = ScriptCache()
    with pytest.MonkeyPatch.context() as patch:
        found = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        patch.setattr(local_script_runner, "ScriptCache", lambda: scripts)
        config.set_option("browser.gatherUsageStats", False)
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
