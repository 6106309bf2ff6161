"""docs/design.md walks from a probe to its metric through files and names that exist, a dozen at most."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.meta.source import text_of, tree_of

WALK = re.findall(
    r"^\| [^|]+ \| `(\S+?\.py)` \| `(\w+)` \|$",
    text_of(Path("docs/design.md")).partition("### From a probe to its metric\n")[2].partition("\n## ")[0],
    re.MULTILINE,
)


@pytest.mark.parametrize(("path", "name"), WALK)
def test_each_stop_is_where_the_walk_says(path: str, name: str) -> None:
    nodes = list(ast.walk(tree_of(Path(path))))
    functions = {one.name for one in nodes if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
    tables = {
        one.target.id for one in nodes if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    }

    assert name in functions | tables


def test_the_walk_is_short() -> None:
    assert 8 < len({path for path, _ in WALK}) <= 12
