"""Bringing `.venv` up to date removes what is no longer pinned, and nothing else."""

from __future__ import annotations

import pytest

from scripts.prepare import surplus

LOCK = """click==8.2.1 \\
    --hash=sha256:0a
jaraco-text==4.0 ; sys_platform == 'linux' \\
    --hash=sha256:0b
"""


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        (["click", "Jaraco.Text", "pip", "setuptools", "wppconnect_ops"], []),
        (["click", "Flask_Login", "tomlkit"], ["flask-login", "tomlkit"]),
        (["click-plugins"], ["click-plugins"]),
    ],
)
def test_only_packages_without_a_pin_are_surplus(installed: list[str], expected: list[str]) -> None:
    assert surplus(installed, LOCK) == expected
