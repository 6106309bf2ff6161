"""What unit tests run under, besides what every test does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import logs


@pytest.fixture(autouse=True, scope="module")
def no_secrets_of_other_modules() -> Iterator[None]:
    """Mask what this module registers: another one's secret may be a word of a sentence that is read here."""
    before, logs._secrets = logs._secrets, ()
    yield
    logs._secrets = before


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests(no_secrets_of_other_modules: None) -> Iterator[None]:
    """Mask what this test registers."""
    before = logs._secrets
    yield
    logs._secrets = before


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Make a folder with few neighbours: pytest leaves a link beside it for each of thousands of tests.

    Making the next one searches them all, and a scratch copy links every entry of each folder above it.
    """
    with tempfile.TemporaryDirectory(prefix="ops-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()
