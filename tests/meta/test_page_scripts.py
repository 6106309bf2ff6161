"""Page scripts hold nothing that Streamlit would draw by itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import dashboard

PAGES = Path(dashboard.__file__).parent
SCRIPTS = sorted([PAGES / "app.py", *(PAGES / "screens").glob("*.py")])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_value_stands_alone_in_a_page_script(script: Path) -> None:
    _docstring, *statements = ast.parse(script.read_text(encoding="utf-8")).body

    alone = [
        one.lineno for one in statements if isinstance(one, ast.Expr) and not isinstance(one.value, ast.Call)
    ]

    assert alone == []
