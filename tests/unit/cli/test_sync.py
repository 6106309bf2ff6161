"""`wppconnect-ops sync`: exit codes, choices, and no value in any output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.main import main
from core.store import FileStore
from core.sync.change_requests import AgentStatus
from tests.support.compose import compose_program
from tests.support.sync import KEY, LEGUAS_FILES, read_files, write_files
from tests.support.waiting import until

OLD = {name: text.encode() for name, text in LEGUAS_FILES.items()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of the preset, in a clean environment and working directory."""
    place = tmp_path / "leguas"
    write_files(place, LEGUAS_FILES)
    (tmp_path / "sync.yml").write_text(f"folders: {{leguas: {place}}}\npreset: leguas\n")
    for name in [name for name in os.environ if name.startswith("WPPCONNECT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WPPCONNECT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WPPCONNECT_SYNC_FILE", str(tmp_path / "sync.yml"))
    # Compose itself: `docker` and the wrapper of its package would take longer to start.
    monkeypatch.setenv("PATH", str(compose_program().parent))
    monkeypatch.chdir(tmp_path)
    return place


def sync(*arguments: str) -> int:
    """Run one command of sync."""
    return main(["sync", *arguments])


def test_plan_apply_and_restore_tell_by_their_exit_codes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [
        sync("adopt", "--files-only"),
        sync("plan", "--files-only"),
        sync("plan", "--generate", "api_key", "--files-only"),
        sync("apply", "--generate", "api_key", "--files-only"),
        sync("plan", "--files-only"),
    ]
    changed = read_files(folder)
    printed = capsys.readouterr()
    name = printed.out.partition("sync restore ")[2].split()[0]

    codes.append(sync("restore", name, "--files-only"))

    assert codes == [0, 0, 2, 0, 0, 0]
    assert changed != OLD
    assert read_files(folder) == OLD
    key = changed[".env"].decode().partition(f"{KEY}=")[2].strip()
    assert [text for text in (key, "present-key-1234", "segredo") if text in printed.out + printed.err] == []


def test_plan_with_something_wrong_exits_with_one_and_names_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".env.docker").write_text("A='unclosed\n")
    before = read_files(folder)

    assert sync("plan", "--generate", "api_key", "--files-only") == 1
    assert f"not parseable  leguas/.env.docker:{KEY}" in capsys.readouterr().out
    assert sync("apply", "--generate", "api_key", "--files-only") == 1
    told = capsys.readouterr()
    assert "nothing was written" in told.err
    assert "leguas/.env.docker" in told.err
    assert "--leave-out leguas/.env.docker" in told.out
    assert read_files(folder) == before


def test_target_and_leave_out_choose(folder: Path) -> None:
    assert sync("adopt", "--files-only") == 0
    (folder / ".env").write_text(f"{KEY}=other\n")
    (folder / ".env.docker").write_text(f"{KEY}=other\nEVOLUTION_API_KEY=other\n")

    assert sync("apply", "--target", f"leguas/.env:{KEY}", "--files-only") == 0
    assert (folder / ".env").read_text() == f"{KEY}=present-key-1234\n"
    assert sync("apply", "--leave-out", "leguas/.env.docker:EVOLUTION_API_KEY", "--files-only") == 0
    assert (folder / ".env.docker").read_text() == f"{KEY}=present-key-1234\nEVOLUTION_API_KEY=other\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plan", "--generate", "token"], "--generate token: no target receives it; write api_key"),
        (["plan", "--target", "x"], "--target x: is not in the sync file; known are leguas/.env:"),
        (["apply", "--leave-out", "x"], "--leave-out x: is not in the sync file; known are"),
        (["restore", "x"], "there is no backup x; choose another"),
        (["plan", "--file", "missing.yml"], "missing.yml: cannot be read (no such file or directory)"),
        (["pla"], "No such command 'pla'"),
        ([], "Usage: wppconnect-ops sync"),
    ],
)
def test_mistake_exits_with_one_because_two_says_changes_pending(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: Sequence[str], said: str
) -> None:
    assert sync(*arguments) == 1
    assert said in capsys.readouterr().err


def test_missing_sync_file_names_the_variable(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WPPCONNECT_SYNC_FILE")

    assert sync("plan") == 1
    assert "WPPCONNECT_SYNC_FILE: is not set; name the file" in capsys.readouterr().err


def test_restore_without_a_name_lists_the_backups(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sync("restore", "--files-only")
    assert "There is no backup yet" in capsys.readouterr().out
    sync("apply", "--generate", "api_key", "--files-only")
    sync("restore", "--files-only")

    said = capsys.readouterr().out
    assert "before apply by cli (" in said
    assert "not looked at: leguas_wppconnect, leguas_whatsapp_evolution; recreate them yourself" in said


def test_files_alone_are_never_called_in_sync(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sync("apply", "--generate", "api_key", "--files-only")
    sync("apply", "--files-only")
    (folder.parent / "sync.yml").write_text(
        f"folders: {{leguas: {folder}}}\ntargets: [{{file: .env, key: {KEY}, receives: api_key}}]\n"
    )
    sync("apply", "--generate", "api_key", "--files-only")
    sync("apply", "--files-only")

    said = capsys.readouterr().out
    assert "in sync" not in said
    assert said.lower().count("no container was checked.") == 4


def test_restore_over_later_changes_wants_a_word(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        sync("apply", "--generate", "api_key", "--files-only")
    capsys.readouterr()
    sync("restore", "--files-only")
    newest, oldest = (line.split()[0] for line in capsys.readouterr().out.splitlines())

    codes = [sync("restore", oldest, "--files-only"), sync("restore", oldest, "--with-later", "--files-only")]

    assert codes == [1, 0]
    assert f"{newest}; go back to before all of them with --with-later" in capsys.readouterr().err
    assert read_files(folder) == OLD


def test_agent_waits_for_a_correct_sync_file_and_runs_until_it_is_told_to_stop(
    folder: Path, tmp_path: Path
) -> None:
    correct = (tmp_path / "sync.yml").read_text()
    (tmp_path / "sync.yml").write_text(f"folders: {{leguas: {folder}}}\n")
    command = [Path(sys.executable).with_name("wppconnect-ops"), "sync", "agent", "--files-only"]
    agent_status = AgentStatus(FileStore(tmp_path / "data" / "store"), tmp_path / "data")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as agent:
        try:
            wrong = until(lambda: agent_status.heartbeat() and agent_status.read(), what="the first bulletin")
            (tmp_path / "sync.yml").write_text(correct)
            until(lambda: getattr(agent_status.read(), "plan", None), what="the agent's second look")
        finally:
            agent.send_signal(signal.SIGTERM)
        _, said = agent.communicate(timeout=60)

    assert agent.returncode == 0, said
    assert wrong is not None
    assert str(wrong.problem).startswith("sync.yml: targets: there is none")
    status = agent_status.read()
    assert status is not None
    assert status.plan is not None
    assert [one.target for one in status.plan.targets][:1] == [f"leguas/.env:{KEY}"]
