"""What Streamlit would do with a page's code by itself is kept from it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import dashboard
from dashboard import navigation
from tests.meta.source import modules, tree_of

PAGES = Path(dashboard.__file__).parent
SCRIPTS = [PAGES / "app.py", *sorted((PAGES / "screens").glob("*.py"))]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_value_stands_alone_in_a_page_script(script: Path) -> None:
    _docstring, *statements = ast.parse(script.read_text(encoding="utf-8")).body

    alone = [
        one.lineno for one in statements if isinstance(one, ast.Expr) and not isinstance(one.value, ast.Call)
    ]

    assert alone == []


def test_every_script_is_a_page_of_the_navigation() -> None:
    assert {f"screens/{path.name}" for path in SCRIPTS[1:]} == {one.script for one in navigation.PAGES}


def test_streamlit_fragments_are_made_in_one_place() -> None:
    # There each gets the container without which a tab may end white.
    found = {
        path
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "st.fragment"
    }

    assert found == {Path("dashboard/fragments.py")}
