"""`wppconnect-ops completion SHELL`, and what the scripts ask for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import COMPLETION_VARIABLE, main

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_asks_this_program(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0

    script = capsys.readouterr().out
    assert f"{COMPLETION_VARIABLE}={shell}_complete" in script
    assert "wppconnect-ops" in script
    assert "%" not in script


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("wppconnect-ops do", {"plain,doctor"}),
        ("wppconnect-ops users r", {"plain,remove", "plain,reset", "plain,role"}),
        ("wppconnect-ops users add ana --role a", {"plain,administrator"}),
        ("wppconnect-ops doctor --e", {"plain,--end-to-end"}),
        ("wppconnect-ops exporter --web.l", {"plain,--web.listen-address"}),
        ("wppconnect-ops backup ", {"file,"}),
        ("wppconnect-ops sync apply --g", {"plain,--generate"}),
    ],
)
def test_bash_is_told_what_may_come_next(
    typed: str, found: set[str], capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split(" ")) - 1))

    assert main([], {COMPLETION_VARIABLE: "bash_complete"}) == 0
    assert set(capsysbinary.readouterr().out.decode().split()) == found


def test_a_real_bash_completes_a_command(tmp_path: Path) -> None:
    program = tmp_path / "wppconnect-ops"
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m cli.main \"$@\"\n")
    program.chmod(0o755)
    script = (
        'eval "$(wppconnect-ops completion bash)"; COMP_WORDS=(wppconnect-ops sy); COMP_CWORD=1\n'
        '_wppconnect_ops_completion wppconnect-ops; echo "${COMPREPLY[@]}"'
    )

    done = subprocess.run(
        ["bash", "-c", script],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.stdout, done.stderr) == ("sync\n", "")
