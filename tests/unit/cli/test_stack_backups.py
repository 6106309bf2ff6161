"""`make backup` and `make restore`: what they refuse, and what they say when the work fails."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.checkout import Checkout, mode


def test_a_backup_is_a_file_for_its_owner_alone_and_the_gateway_is_not_left_standing(
    checkout: Checkout,
) -> None:
    checkout.write("WPPCONNECT_SECRET_KEY='k'\n")

    assert checkout.make("backup", "--to", str(checkout.directory / "saved")) == 0

    assert mode(checkout.directory / "saved") == 0o600
    written, checked = (call[call.index("run") :] for call in checkout.docker.calls("run", "tools"))
    assert written[written.index("tools") :][:3] == ["tools", "backup", "-"]
    assert checked[checked.index("tools") :] == ["tools", "restore", "--check", "-"]
    assert not (checkout.directory / "config" / "installation").exists()


NOT_SAVED: list[Any] = [
    pytest.param(
        {}, ["--to", "nowhere/saved"], 1, "nowhere/saved.part: No such file or directory", id="no folder"
    ),
    pytest.param(
        {}, ["--passphrase-file", "none"], 2, "PASSPHRASE_FILE: none is no file", id="no passphrase"
    ),
    pytest.param({"run": 1}, [], 1, "nothing was written", id="it failed"),
    pytest.param({"check": 1}, [], 1, "nothing was written", id="it cannot be opened"),
    pytest.param(
        {"run": 137},
        [],
        1,
        "nothing was written: it was killed, probably for want of memory",
        id="too little memory",
    ),
]


@pytest.mark.parametrize(("machine", "words", "code", "sentence"), NOT_SAVED)
def test_a_backup_that_failed_leaves_no_file_and_says_why(
    checkout: Checkout,
    machine: dict[str, Any],
    words: list[str],
    code: int,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    checkout.write("WPPCONNECT_SECRET_KEY='k'\n")
    checkout.docker.tell(**machine)

    assert checkout.make("backup", *words) == code

    assert capsys.readouterr().err == f"make backup: {sentence}\n"
    assert list(checkout.directory.rglob("*.backup*")) == []


def killed_backup(checkout: Checkout) -> None:
    """Type `make backup`, which is killed with -9 while the gateway and Prometheus stand still."""
    checkout.write("WPPCONNECT_SECRET_KEY='k'\n")
    checkout.docker.tell(run="kill who asks", running=["gateway", "exporter", "grafana"])
    program = "import sys; from pathlib import Path; from cli.stack.__main__ import main; import os\n"
    program += "main(['backup'], os.environ, Path(sys.argv[1]))"
    environ = checkout.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        [sys.executable, "-c", program, str(checkout.directory)], env=environ, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    assert checkout.docker.calls("unpause") == []
    checkout.docker.tell(run=0, running=["exporter"], paused=["gateway", "grafana"])


@pytest.mark.parametrize("command", ["up", "backup"])
def test_what_a_killed_backup_left_paused_is_woken(
    checkout: Checkout, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    killed_backup(checkout)

    assert checkout.make(command) == 0

    (woken,) = checkout.docker.calls("unpause")
    assert woken[-3:] == ["unpause", "gateway", "grafana"]
    assert (
        "note: a backup was cut off and had left these paused, which run again: gateway, grafana"
        in capsys.readouterr().out
    )


def test_what_a_killed_backup_had_written_is_removed(checkout: Checkout) -> None:
    killed_backup(checkout)
    assert len(list((checkout.directory / "backups").glob("*.part"))) == 1

    assert checkout.make("backup") == 0

    assert list((checkout.directory / "backups").glob("*.part")) == []


def test_only_what_runs_is_paused_and_woken_again(checkout: Checkout) -> None:
    checkout.write("WPPCONNECT_SECRET_KEY='k'\n")
    checkout.docker.tell(running=["gateway", "exporter", "prometheus"], paused=["gateway", "simulator"])

    assert checkout.make("backup") == 0

    (paused,) = checkout.docker.calls("pause")
    assert paused[paused.index("pause") :] == ["pause", "gateway"]
    (woken,) = checkout.docker.calls("unpause")
    assert woken[woken.index("unpause") :] == ["unpause", "gateway"]


def test_a_gateway_that_cannot_be_woken_is_named(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    killed_backup(checkout)
    checkout.docker.tell(unpause=1)

    assert checkout.make("up") == 2

    assert "gateway grafana: still paused by a backup; wake them: docker compose" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["up", "backup"])
def test_nothing_interferes_with_a_backup_that_is_being_written(
    checkout: Checkout, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.write("WPPCONNECT_SECRET_KEY='k'\n")
    (checkout.directory / "config").mkdir()

    with (checkout.directory / "config" / "paused-for-backup").open("w") as note:
        fcntl.flock(note, fcntl.LOCK_EX)
        assert checkout.make(command) == 2

    assert "a backup is being written from this folder" in capsys.readouterr().err


def test_a_backup_of_nothing_is_refused(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    assert checkout.make("backup") == 2
    assert "make backup: .env: is not there" in capsys.readouterr().err


NOT_RESTORED: list[Any] = [
    pytest.param([], 2, "FROM: is no file; name a backup with FROM=...", id="nothing named"),
    pytest.param(["none"], 2, "none: is no file; name a backup with FROM=...", id="no such file"),
    pytest.param(
        ["saved"],
        1,
        "nothing was changed. Everything is stopped; `make up` starts it again. IDENTITY_FILE=... or "
        "PASSPHRASE_FILE=... opens it; OVERWRITE=1 replaces what is there",
        id="another key",
    ),
]


@pytest.mark.parametrize(("words", "code", "sentence"), NOT_RESTORED)
def test_a_restoration_that_failed_says_what_goes_on(
    checkout: Checkout,
    words: list[str],
    code: int,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(checkout.directory)
    Path("saved").write_bytes(b"age-encryption.org/v1")
    checkout.docker.tell(run=1)

    assert checkout.make("restore", *words) == code

    assert capsys.readouterr().err == f"make restore: {sentence}\n"
