"""docs/reliability.md names tests that exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.meta.source import ROOT

NAMED = re.findall(r"\| `(\S+?\.py)(?:::(\w+))?` \|", (ROOT / "docs" / "reliability.md").read_text())


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_every_promise_has_its_test(path: str, name: str) -> None:
    tree = ast.parse((ROOT / "tests" / path).read_text())

    functions = {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
    assert not name or name in functions


def test_no_promise_is_without_a_test() -> None:
    rows = re.findall(r"^\| (?!promise|---)", (ROOT / "docs" / "reliability.md").read_text(), re.MULTILINE)

    assert len(NAMED) == len(rows) > 20
