"""No test races the machine: what it waits for has a minute, and nothing sleeps."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DEADLINE_SECONDS = 60
WAITING = {"wait", "join", "result", "exception", "settimeout"}
CALLING = {
    *("get", "post", "put", "delete", "request", "urlopen", "create_connection", "HTTPConnection"),
    *("DockerClient", "recv", "run", "communicate", "until", *WAITING),
}
SCRIPTED = {"from_file", "from_function", "from_string"}
"""Streamlit's AppTest gives a script three seconds unless `default_timeout` says otherwise."""
EXPECTS = "pytest.raises("


def test_every_deadline_is_generous() -> None:
    short = [
        f"{path.relative_to(TESTS)}: {found}"
        for path in sorted(TESTS.rglob("*.py"))
        for found in short_deadlines(path.read_text())
    ]

    assert short == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("until(condition)", []),
        ("until(condition, seconds=30)", ["until(condition, seconds=30)"]),
        ("until(condition, seconds=120)", []),
        ("requests.get(url, timeout=5)", ["requests.get(url, timeout=5)"]),
        ("thread.join(10)", ["thread.join(10)"]),
        ("process.wait(timeout=2)", ["process.wait(timeout=2)"]),
        ("time.sleep(1)", ["time.sleep(1)"]),
        ("sleep(1)", ["sleep(1)"]),
        ("await asyncio.sleep(0)", []),
        ("pause.wait(0.02)", []),
        ("expect(page).to_be_hidden()", []),
        ("expect(page).to_be_hidden(timeout=2000)", ["expect(page).to_be_hidden(timeout=2000)"]),
        ("AppTest.from_file(path, default_timeout=60)", []),
        ("AppTest.from_file(path, default_timeout=20)", ["AppTest.from_file(path, default_timeout=20)"]),
        ("AppTest.from_function(page).run()", ["AppTest.from_function(page)"]),
        ("with pytest.raises(Timeout):\n    http.get(url, timeout=0.3)", []),
    ],
)
def test_which_deadlines_are_too_short(code: str, found: list[str]) -> None:
    assert list(short_deadlines(code)) == found


def short_deadlines(code: str) -> Iterator[str]:
    """Return the calls that give up before a minute is over, but where giving up is what is expected."""
    tree = ast.parse(code)
    expected = {
        id(call)
        for block in ast.walk(tree)
        if isinstance(block, ast.With) and any(EXPECTS in ast.unparse(item) for item in block.items)
        for call in ast.walk(block)
    }
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and id(call) not in expected and is_short(call):
            yield ast.unparse(call)


def is_short(call: ast.Call) -> bool:
    """Return whether this call waits for less than a minute, or for a fixed time."""
    name = ast.unparse(call.func).rpartition(".")[2]
    if name == "sleep":
        return not ast.unparse(call).startswith("asyncio.")
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in SCRIPTED and "AppTest" in ast.unparse(call.func):
        return _number(named.get("default_timeout"), 3) < DEADLINE_SECONDS
    if name.startswith("to_") and "timeout" in named:
        return _number(named["timeout"], 0) < 1000 * DEADLINE_SECONDS
    given = [named[key] for key in ("seconds", "timeout") if key in named and name in CALLING]
    if name in WAITING and isinstance(call.func, ast.Attribute):
        given += call.args[-1:]
    # Below a second are pauses in a loop, and looks that expect nothing.
    numbers = [one.value for one in given if isinstance(one, ast.Constant)]
    return any(isinstance(one, int | float) and 1 <= one < DEADLINE_SECONDS for one in numbers)


def _number(value: ast.expr | None, otherwise: float) -> float:
    """Return a constant's number."""
    is_number = isinstance(value, ast.Constant) and isinstance(value.value, int | float)
    return float(ast.literal_eval(value)) if value and is_number else otherwise
