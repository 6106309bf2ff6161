"""What a click does asks for a role first: the browser may send a click that its page never offered."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.meta.source import modules, tree_of

ROLES = {"VIEWER", "OPERATOR", "ADMINISTRATOR"}
CALLBACKS = {"on_click", "on_change", "on_select", "on_submit", "on_dismiss"}


def action_modules() -> list[Path]:
    """List the modules whose functions are called by clicks."""
    return [path for path in modules() if path.parts[0] == "dashboard" and "actions" in path.stem]


def actions(path: Path) -> list[ast.FunctionDef]:
    """List a module's actions: its public functions that return nothing."""
    return [
        node
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and isinstance(node.returns, ast.Constant)
        and node.returns.value is None
    ]


def role_asked_first(action: ast.FunctionDef) -> str | None:
    """Return the role for which the function's first statement asks."""
    first = action.body[1] if ast.get_docstring(action) else action.body[0]
    call = first.value if isinstance(first, ast.Expr | ast.Assign) else None
    match call:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="state"), attr="require"),
            args=[ast.Attribute(value=ast.Name(id="Role"), attr=role)],
        ):
            return role
    return None


def test_every_action_asks_for_a_role_before_anything_else() -> None:
    found = {
        f"{path}:{action.lineno} {action.name}": role_asked_first(action)
        for path in action_modules()
        for action in actions(path)
    }

    assert len(found) > 15
    assert [name for name, role in found.items() if role not in ROLES] == []


def test_every_click_leads_to_an_action() -> None:
    strangers = [
        f"{path}:{line} {ast.unparse(target)}"
        for path in modules()
        if path.parts[0] == "dashboard"
        for line, target in callbacks(path)
        if not is_action(target, imported_actions(path))
    ]

    assert strangers == []


def callbacks(path: Path) -> Iterator[tuple[int, ast.expr]]:
    """Yield line and target of each callback that a module gives to a widget."""
    for node in ast.walk(tree_of(path)):
        is_callback = isinstance(node, ast.keyword) and node.arg in CALLBACKS
        # A word instead of a function, such as "rerun", only has Streamlit draw again.
        if is_callback and not isinstance(node.value, ast.Constant):
            yield node.value.lineno, node.value


def imported_actions(path: Path) -> set[str]:
    """Return the names that a module takes from action modules."""
    return {
        alias.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("actions")
        for alias in node.names
    }


def is_action(target: ast.expr, imported: set[str]) -> bool:
    """Tell whether a callback is a function of an action module, or a parameter that carries one."""
    match target:
        case ast.Attribute(value=ast.Name(id=module)):
            return module.endswith("actions")
        case ast.Name(id=name):
            return name == "action" or name in imported
    return False
