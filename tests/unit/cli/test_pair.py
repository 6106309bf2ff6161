from __future__ import annotations

import io

import pytest

from cli.main import main


class Terminal(io.StringIO):
    """Says that it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_output_that_is_no_terminal_is_refused_before_anything_is_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["pair", "sales"], {})

    assert code == 2
    assert "a code links a phone to the account and must not land in a log" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("phone", "problem"),
    [
        ("sales", "--phone: write digits only, country code first"),
        ("1234567", "--phone: a number has 8 to 15 digits, country code included"),
        ("+351 912 345 678 90 12", "--phone: a number has 8 to 15 digits, country code included"),
    ],
    ids=["words", "too short", "too long"],
)
def test_number_that_can_be_none_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], phone: str, problem: str
) -> None:
    monkeypatch.setattr("sys.stdout", Terminal())

    code = main(["pair", "sales", "--phone", phone], {"TERM": "xterm"})

    error = capsys.readouterr().err
    assert code == 2
    assert problem in error
    assert phone not in error
