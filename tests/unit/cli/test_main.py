from __future__ import annotations

from pathlib import Path

import pytest

from cli.main import main


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("wppconnect-ops ")


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "COMMAND" in capsys.readouterr().err


def test_abbreviated_flag_is_no_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pair", "sales", "--serv", "main"]) == 2
    assert "--serv" in capsys.readouterr().err


@pytest.mark.parametrize("part", ["exporter", "dashboard", "simulator"])
def test_each_part_is_a_sub_command_with_its_own_flags(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([part, "--version"]) == 0
    assert capsys.readouterr().out.startswith(f"wppconnect-{part} ")


def test_a_part_reads_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_text("WPPCONNECT_INTERVAL_SECONDS='often'\n")
    monkeypatch.chdir(tmp_path)

    assert main(["exporter", "--config.check"]) == 2
    assert "WPPCONNECT_INTERVAL_SECONDS: " in capsys.readouterr().err
