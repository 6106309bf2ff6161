"""What knows a kind of gateway stays in its package (docs/design.md, Kinds of gateway)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from core.gateways.registry import KINDS
from tests.meta.source import modules, tree_of


def names_imported(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and full name of whatever is imported, for annotations alone, too."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def test_a_kind_of_gateway_is_reached_through_the_registry_only() -> None:
    kinds = {path.parts[:3] for path in modules() if path.match("core/gateways/*/__init__.py")}
    names = {".".join(kind) for kind in kinds}

    strangers = [
        f"{path}:{line} imports {name}"
        for path in modules()
        if path.parts[:3] not in kinds
        for line, name in names_imported(path)
        if any(f"{name}.".startswith(f"{kind}.") for kind in names)
    ]

    assert names == {module.rpartition(".")[0] for module in KINDS.values()}
    assert strangers == []


def routes_in(path: Path) -> set[str]:
    """Return the string constants of a module that are paths on a server; docstrings are none."""
    found = (node.value for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant))
    return {text for text in found if isinstance(text, str) and re.fullmatch(r"/[\w{}/-]+", text)}


def test_no_other_part_names_a_route_of_a_kind() -> None:
    speaking = (path for path in modules() if path.parts[0] in ("core", "dashboard", "exporter"))
    parts = {path: routes_in(path) for path in speaking}
    own = {path: routes for path, routes in parts.items() if path.parts[1] == "gateways" and path.parts[3:]}
    named = set().union(*own.values())

    strangers = {str(path): routes & named for path, routes in parts.items() if path not in own}

    assert "/api/{session}/status-session" in named
    assert {path: routes for path, routes in strangers.items() if routes} == {}
