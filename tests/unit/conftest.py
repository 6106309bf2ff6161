"""What unit tests run under, besides what every test does."""

from __future__ import annotations

from collections.abc import Iterator

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
