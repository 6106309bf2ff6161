"""`make backup` and `make restore`: what they refuse, and what they say when the work fails."""

from __future__ import annotations

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
    (call,) = checkout.docker.calls("run", "tools")
    assert call[call.index("tools", call.index("run")) :][:3] == ["tools", "backup", "-"]
    assert not (checkout.directory / "config" / "installation").exists()


NOT_SAVED: list[Any] = [
    pytest.param(
        {}, ["--to", "nowhere/saved"], 1, "nowhere/saved.part: No such file or directory", id="no folder"
    ),
    pytest.param(
        {}, ["--passphrase-file", "none"], 2, "PASSPHRASE_FILE: none is no file", id="no passphrase"
    ),
    pytest.param({"run": 1}, [], 1, "nothing was written", id="it failed"),
    pytest.param(
        {"run": 137},
        [],
        1,
        "nothing was written: it was killed, probably for want of memory: a passphrase holds all of it "
        "there, and a key does not",
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
