"""Promises of reliability and security name tests that exist; the commit hooks name commands that exist."""

from __future__ import annotations

import ast
import re

import pytest
import yaml

from tests.meta.source import ROOT

FAULTS = "\n## What each fault looks like\n"
"""Its table is made by a test of its own."""

TABLES = {
    path: (ROOT / path).read_text().partition(f"\n## {heading}\n")[2].partition(FAULTS)[0]
    for path, heading in (
        ("docs/reliability.md", "It says what is so"),
        ("SECURITY.md", "How an attack fails"),
    )
}
NAMED = {path: re.findall(r"\| `(\S+?\.py)(?:::(\w+))?` \|", text) for path, text in TABLES.items()}


@pytest.mark.parametrize(("path", "name"), [row for rows in NAMED.values() for row in rows])
def test_every_promise_has_its_test(path: str, name: str) -> None:
    tree = ast.parse((ROOT / "tests" / path).read_text())

    functions = {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
    assert not name or name in functions


@pytest.mark.parametrize("path", TABLES)
def test_no_promise_is_without_a_test(path: str) -> None:
    rows = re.findall(r"^\| (?!promise|attack|---)", TABLES[path], re.MULTILINE)

    assert len(NAMED[path]) == len(rows) > 20


def test_commit_hooks_run_our_own_commands() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    entries = [hook["entry"].split() for repository in hooks for hook in repository["hooks"]]
    assert [repository["repo"] for repository in hooks] == ["local"]
    assert {command for command, _ in entries} == {"make"}
    assert {target for _, target in entries} <= set(targets)
