"""`make test` runs every part, whatever fails, and names every failure at its end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts.run_tests import (
    CHECKS,
    ENGINE,
    REST,
    ROOT,
    STACK,
    UNIT,
    Part,
    Result,
    folder_in_memory,
    report,
    run_lanes,
    run_part,
)


def saying(name: str, text: str, code: int = 0) -> Part:
    return Part(name, [sys.executable, "-c", f"print({text!r}); raise SystemExit({code})"])


def test_a_part_that_fails_ends_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    broken = saying(
        "broken", "FAILED tests/a.py::test_b - assert 1\nFAILED tests/a.py::test_c\nERROR tests/d.py", 1
    )
    lanes = [[broken, saying("next", "all is well")], [saying("beside", "ERROR tests/e.py::test_f", 3)]]

    results = run_lanes(lanes)

    assert [(one.name, one.code) for one in results] == [("broken", 1), ("next", 0), ("beside", 3)]
    assert [list(one.failures) for one in results] == [
        ["FAILED tests/a.py::test_b - assert 1", "FAILED tests/a.py::test_c", "ERROR tests/d.py"],
        [],
        ["ERROR tests/e.py::test_f"],
    ]
    assert "ERROR tests/e.py::test_f" in capsys.readouterr().out


def test_lanes_run_beside_each_other(tmp_path: Path) -> None:
    # Each waits until the other one has begun.
    meeting = (
        "import pathlib, sys, threading\nmine, other = map(pathlib.Path, sys.argv[1:])\nmine.touch()\n"
        "while not other.exists(): threading.Event().wait(0.01)"
    )
    first, second = str(tmp_path / "first"), str(tmp_path / "second")

    results = run_lanes(
        [
            [Part("first", [sys.executable, "-c", meeting, first, second])],
            [Part("second", [sys.executable, "-c", meeting, second, first])],
        ]
    )

    assert [one.code for one in results] == [0, 0]


def test_what_is_printed_is_kept() -> None:
    result, printed = run_part(saying("one", "hello"))

    assert printed == "hello\n"
    assert result.code == 0


def test_a_part_keeps_its_temporary_files_where_it_is_told(tmp_path: Path) -> None:
    print_folder = [sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"]

    _, printed = run_part(Part("one", print_folder, temporary=tmp_path))

    assert printed == f"{tmp_path}\n"


def test_a_part_may_keep_what_it_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    _, printed = run_part(Part("one", [sys.executable, "-c", "import sys; print(sys.dont_write_bytecode)"]))

    assert printed == "False\n"


def test_every_folder_with_tests_belongs_to_a_part() -> None:
    named = {word for part in (CHECKS, UNIT, REST, ENGINE, STACK) for word in part.command}
    folders = {
        f"tests/{path.relative_to(ROOT / 'tests').parts[0]}" for path in ROOT.glob("tests/**/test_*.py")
    }

    assert folders <= named


def test_a_folder_in_memory_is_gone_with_all_that_is_in_it_afterwards(tmp_path: Path) -> None:
    with folder_in_memory(tmp_path, least_free=0) as folder:
        assert folder is not None
        assert folder.parent == tmp_path
        (folder / "left").write_text("behind")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("folder", "least_free"), [("", 1 << 80), ("nowhere", 0)])
def test_without_room_in_memory_the_disk_has_to_do(tmp_path: Path, folder: str, least_free: int) -> None:
    with folder_in_memory(tmp_path / folder, least_free) as found:
        assert found is None


def test_tracebacks_are_printed_again_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "tests/a.py .F\n==== FAILURES ====\n____ test_b ____\nassert 1 == 2\n"
        "==== slowest 40 durations ====\n9 s\n==== short test summary info ====\nFAILED tests/a.py::test_b\n"
    )
    result, _ = run_part(saying("broken", text, 1))

    report([result])

    assert capsys.readouterr().out.splitlines()[:4] == [
        "",
        "=== tracebacks of broken ===",
        "____ test_b ____",
        "assert 1 == 2",
    ]


@pytest.mark.parametrize(("codes", "expected"), [([0, 0], 0), ([0, 1], 1), ([5, 0], 1)])
def test_the_exit_code_is_that_of_all(codes: list[int], expected: int) -> None:
    assert report(Result(f"part {code}", code, 1.0, []) for code in codes) == expected


def test_the_table_names_each_failure_with_its_part(capsys: pytest.CaptureFixture[str]) -> None:
    report([Result("tests", 1, 61.4, ["FAILED tests/a.py::test_b"]), Result("stack", 0, 7, [], "9 passed")])

    assert capsys.readouterr().out.splitlines() == [
        "",
        "=== 1 failures ===",
        "tests: FAILED tests/a.py::test_b",
        "tests        61 s   FAILED (exit code 1)",
        "stack         7 s   ok                       9 passed",
    ]
