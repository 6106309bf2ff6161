"""Exit codes and error lines of commands, whichever it is."""

from __future__ import annotations

import click
import pytest

from core.commands import run_command
from core.console import FAILED, INTERRUPTED, MISCONFIGURED
from core.exceptions import ConfigurationError, StoreError

OUTCOMES = {
    "done": (None, 0, []),
    "a code of its own": (7, 7, []),
    "mistakes in the settings": (
        ConfigurationError(["A: is wrong", "B: is not set"]),
        MISCONFIGURED,
        ["program part: A: is wrong", "program part: B: is not set"],
    ),
    "another error of ours": (StoreError("the disk is full"), FAILED, ["program part: the disk is full"]),
    "Ctrl-C": (KeyboardInterrupt(), INTERRUPTED, []),
}


def group_of(outcome: object) -> click.Group:
    """Make a program with one command that ends like this."""

    @click.group()
    def program() -> None:
        """A program."""

    @program.command()
    def part() -> object:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return program


def run(outcome: object, *words: str) -> int:
    return run_command(group_of(outcome), words, program="program", environ={})


@pytest.mark.parametrize(("outcome", "code", "lines"), OUTCOMES.values(), ids=OUTCOMES)
def test_end_of_a_command_is_its_exit_code(
    outcome: object, code: int, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(outcome, "part") == code
    assert capsys.readouterr().err.splitlines() == lines


@pytest.mark.parametrize("words", [(), ("none",), ("part", "--none"), ("part", "more")], ids=" ".join)
def test_wrong_command_line_is_code_2_and_shows_how_to_go_on(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(None, *words) == MISCONFIGURED
    assert capsys.readouterr().err.startswith("Usage: program ")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_is_no_mistake(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(None, "part", flag) == 0
    assert capsys.readouterr().out.startswith("Usage: program part ")


def test_error_that_is_not_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError(), "part")
