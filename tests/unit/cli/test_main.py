from __future__ import annotations

import pytest

from cli.main import main


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("wppconnect-ops ")


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "COMMAND" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["unknown"], ["run", "--unknown"], ["pair"], ["pair", "sales", "--serv", "main"]],
    ids=["unknown command", "unknown flag", "no session", "abbreviated flag"],
)
def test_wrong_command_line_is_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)

    assert left.value.code == 2
    assert "usage: wppconnect-ops" in capsys.readouterr().err
