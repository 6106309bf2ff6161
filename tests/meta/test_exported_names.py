"""What a package offers stands in its `__all__`, and is there."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType

import pytest

from tests.meta.source import modules, project, tree_of

FRONTS = [path for path in modules() if path.name == "__init__.py"]
SCRIPTS = project()["project"]["scripts"]


def exported(path: Path) -> list[str] | None:
    """Read a module's `__all__` without importing it; None when it has none."""
    for node in tree_of(path).body:
        if isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == ["__all__"]:
            return list(ast.literal_eval(node.value))
    return None


def brought_together(path: Path) -> set[str]:
    """Return the names that a package's front imports from its own modules."""
    return {
        alias.asname or alias.name
        for node in tree_of(path).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{path.parts[0]}.")
        for alias in node.names
    }


def module_at(path: Path) -> ModuleType:
    """Import a module by its file."""
    return importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))


@pytest.mark.parametrize("path", FRONTS, ids=str)
def test_package_exports_what_its_front_brings_together(path: Path) -> None:
    assert brought_together(path) <= set(exported(path) or ())


@pytest.mark.parametrize("path", [path for path in modules() if exported(path)], ids=str)
def test_exported_names_are_there_once(path: Path) -> None:
    names = exported(path) or []

    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(module_at(path), name)] == []


@pytest.mark.parametrize("entry", SCRIPTS.values(), ids=SCRIPTS)
def test_console_script_leads_to_a_function(entry: str) -> None:
    module, _, function = entry.partition(":")

    assert callable(getattr(importlib.import_module(module), function))
