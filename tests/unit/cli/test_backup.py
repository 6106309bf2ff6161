"""Backup and restoration: of one moment, encrypted when asked, whole or not at all."""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
import tarfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest

from cli.main import main
from core.exceptions import ConfigurationError
from core.locks import ProcessLock
from core.models import HistoryEntry
from core.settings.environment import CoreEnvironment, prepare_data_dir
from core.store import FileStore, History

LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a bit of everything, named by the environment."""
    folder = tmp_path / "data"
    store = FileStore(folder / "store")
    store.update("users", "admin", {"hash": "h"}, expected_version=0)
    store.update("settings", "saved", {"servers": {}}, expected_version=0)
    History(folder / "history").append(HistoryEntry(at=LONG_AGO, kind="settings", actor="admin", data={}))
    (folder / "locks").mkdir()
    (folder / "locks" / "lease-main.lock").touch()
    (folder / "snapshots").mkdir()
    (folder / "snapshots" / "main.json").write_text("{}")
    (folder / "first-sign-in-link").write_text("secret")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WPPCONNECT_DATA_DIR", str(folder))
    return folder


def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name another, empty data folder."""
    folder = tmp_path / "other"
    monkeypatch.setenv("WPPCONNECT_DATA_DIR", str(folder))
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """Everything that is worth keeping."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in (".json", ".jsonl") and "snapshots" not in path.parts
    }


def names(file: Path) -> set[str]:
    """What is in an unencrypted backup."""
    with tarfile.open(file) as tar:
        return set(tar.getnames())


def rewritten(file: Path, change: Any) -> None:
    """Change the table of contents of an unencrypted backup."""
    out = io.BytesIO()
    with tarfile.open(file) as old, tarfile.open(fileobj=out, mode="w:gz") as new:
        for entry in old:
            held = old.extractfile(entry)
            assert held is not None
            text = held.read()
            if entry.name == "manifest.json":
                text = json.dumps(json.loads(text) | change).encode()
                entry.size = len(text)
            new.addfile(entry, io.BytesIO(text))
    file.write_bytes(out.getvalue())


def test_what_was_saved_is_there_again(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["backup", "saved"]) == 0
    other = elsewhere(tmp_path, monkeypatch)

    assert main(["restore", "saved"]) == 0

    assert content(other) == content(data)
    assert FileStore(other / "store").read("users", "admin") == FileStore(data / "store").read(
        "users", "admin"
    )
    assert [entry.actor for entry in History(other / "history").read()] == ["admin"]
    assert stat.S_IMODE((other / "store" / "users.json").stat().st_mode) == 0o600


def test_a_backup_holds_what_is_worth_keeping_and_is_private(data: Path, tmp_path: Path) -> None:
    main(["backup", "saved"])

    assert names(tmp_path / "saved") == {
        "data/store/users.json",
        "data/store/settings.json",
        "data/history/2026-01-02.jsonl",
        "manifest.json",
    }
    assert stat.S_IMODE((tmp_path / "saved").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("saved*")] == ["saved"]


def test_what_a_killed_backup_left_makes_the_next_one_no_less_private(data: Path, tmp_path: Path) -> None:
    left, elsewhere = tmp_path / "saved.part", tmp_path / "elsewhere"
    left.symlink_to(elsewhere)
    elsewhere.write_text("")
    elsewhere.chmod(0o644)

    main(["backup", "saved"])

    assert stat.S_IMODE((tmp_path / "saved").stat().st_mode) == 0o600
    assert not (tmp_path / "saved").is_symlink()
    assert elsewhere.read_text() == ""


def test_an_unencrypted_backup_says_so(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["backup", "saved"])

    assert "3 files of data; it is not encrypted and holds secrets" in capsys.readouterr().err


def test_for_a_recipient_only_the_key_opens_it(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right, wrong = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    (tmp_path / "right").write_text(f"# key\n{right}\n")
    (tmp_path / "wrong").write_text(str(wrong))
    assert main(["backup", "saved", "--recipient", str(right.to_public())]) == 0
    other = elsewhere(tmp_path, monkeypatch)

    assert main(["restore", "saved"]) == 1
    assert main(["restore", "saved", "--identity-file", "wrong"]) == 1
    assert content(other) == {}
    assert main(["restore", "saved", "--identity-file", "right"]) == 0

    assert content(other) == content(data)
    assert b"admin" not in (tmp_path / "saved").read_bytes()
    said = capsys.readouterr().err
    assert "it is encrypted for a key: give --identity-file" in said
    assert "it was encrypted for another key than the one in --identity-file" in said


def test_by_a_passphrase(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "words").write_text("correct horse\n")
    assert main(["backup", "saved", "--passphrase-file", "words"]) == 0
    other = elsewhere(tmp_path, monkeypatch)

    assert main(["restore", "saved", "--passphrase-file", "words"]) == 0
    assert content(other) == content(data)


def test_further_folders_are_kept_by_name_without_what_a_browser_makes_anew(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = tmp_path / "userDataDir" / "sales"
    (profiles / "Default" / "Cache").mkdir(parents=True)
    (profiles / "Default" / "Cache" / "big").write_text("x")
    (profiles / "Default" / "Cookies").write_text("c")
    (profiles / "SingletonLock").symlink_to("old-host-42")
    main(["backup", "saved", "--also", f"profiles={profiles.parent}"])
    other = elsewhere(tmp_path, monkeypatch)

    assert main(["restore", "saved", "--also", f"profiles={tmp_path / 'fresh'}"]) == 0

    kept = [path.relative_to(tmp_path / "fresh").as_posix() for path in (tmp_path / "fresh").rglob("*")]
    assert sorted(kept) == ["sales", "sales/Default", "sales/Default/Cookies"]
    assert content(other) == content(data)


def test_a_folder_without_a_place_is_named(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "profiles").mkdir()
    main(["backup", "saved", "--also", "profiles=profiles"])
    elsewhere(tmp_path, monkeypatch)

    assert main(["restore", "saved"]) == 1
    assert "it also holds profiles: say where to, with --also NAME=FOLDER" in capsys.readouterr().err


def test_what_is_there_is_not_overwritten_unless_told(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["backup", "saved"])
    FileStore(data / "store").update("users", "second", {"hash": "x"}, expected_version=0)
    before = content(data)

    assert main(["restore", "saved"]) == 1
    assert content(data) == before
    assert "holds something already; restore elsewhere, or say --overwrite" in capsys.readouterr().err

    assert main(["restore", "saved", "--overwrite"]) == 0
    assert FileStore(data / "store").read("users", "second") is None
    assert sorted(path.name for path in data.iterdir()) == ["history", "locks", "snapshots", "store"]


@pytest.mark.parametrize("cut", [0.3, 0.8, 0.95])
def test_a_backup_that_was_cut_off_changes_nothing(data: Path, tmp_path: Path, cut: float) -> None:
    main(["backup", "saved"])
    whole = (tmp_path / "saved").read_bytes()
    (tmp_path / "saved").write_bytes(whole[: int(len(whole) * cut)])
    before = content(data)

    assert main(["restore", "saved", "--overwrite"]) == 1
    assert content(data) == before
    assert [path for path in data.iterdir() if path.name.startswith(".")] == []


def test_a_backup_that_was_tampered_with_changes_nothing(data: Path, tmp_path: Path) -> None:
    main(["backup", "saved"])
    plain = gzip.decompress((tmp_path / "saved").read_bytes())
    (tmp_path / "saved").write_bytes(gzip.compress(plain.replace(b'"hash"', b'"HASH"')))
    before = content(data)

    assert main(["restore", "saved", "--overwrite"]) == 1
    assert content(data) == before


@pytest.mark.parametrize("name", ["data/../../escaped", "/etc/escaped", "escaped"])
def test_paths_that_lead_elsewhere_are_refused(name: str, data: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "saved", "w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))

    assert main(["restore", "saved", "--overwrite"]) == 1
    assert list(tmp_path.rglob("escaped")) == []


@pytest.mark.parametrize("change", [{"format": 2}, {"store_schema": 99}])
def test_a_newer_releases_backup_is_refused(
    change: dict[str, Any], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["backup", "saved"])
    rewritten(tmp_path / "saved", change | {"product": "9.0.0"})

    assert main(["restore", "saved", "--overwrite"]) == 1
    assert "it was written by a newer release (9.0.0); install that one first" in capsys.readouterr().err


def test_nothing_is_restored_under_a_running_program(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["backup", "saved"])
    with ProcessLock(data / "locks" / "lease-main.lock"):
        assert main(["restore", "saved", "--overwrite"]) == 1

    assert "lease-main.lock is held); stop exporter and page first" in capsys.readouterr().err


def test_what_a_running_restoration_has_set_aside_stays_there(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["backup", "saved"])
    aside = data / ".before-restore"
    aside.mkdir()
    (aside / "whole").touch()
    (data / "store" / "users.json").write_text("the backup's")

    with ProcessLock(data / "locks" / "restore.lock"):
        assert main(["restore", "saved", "--overwrite"]) == 1

    assert "restore.lock is held" in capsys.readouterr().err
    assert (data / "store" / "users.json").read_text() == "the backup's"
    assert (aside / "whole").exists()


def test_no_program_begins_to_probe_while_files_are_exchanged(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["backup", "saved"])
    real, taken = Path.rename, list[bool]()

    def rename(self: Path, target: Path) -> Path:
        taken.append(ProcessLock(data / "locks" / "lease-main.lock").try_acquire())
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)

    assert main(["restore", "saved", "--overwrite"]) == 0
    assert taken
    assert not any(taken)
    assert ProcessLock(data / "locks" / "lease-main.lock").try_acquire()


def test_a_backup_waits_for_a_writer(data: Path) -> None:
    lock = ProcessLock(data / "store" / "users.json.lock")
    lock.acquire(1)
    timer = threading.Timer(0.3, lock.release)
    timer.start()

    assert main(["backup", "saved"]) == 0
    assert not timer.is_alive()


def test_a_full_disk_in_the_middle_gives_everything_back(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["backup", "saved"])
    before = content(data)
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.parent.name == ".restore-unpacked" and self.name == "store":
            raise OSError(28, "No space left on device", str(target))
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)

    assert main(["restore", "saved", "--overwrite"]) == 1
    assert content(data) == before
    assert "No space left on device; nothing was changed" in capsys.readouterr().err


@pytest.mark.parametrize("whole", [True, False])
def test_a_restoration_that_was_killed_is_undone_by_the_next(data: Path, whole: bool) -> None:
    main(["backup", "saved"])
    before = content(data)
    aside = data / ".before-restore"
    aside.mkdir()
    (data / "store").rename(aside / "store")
    if whole:
        (data / "history").rename(aside / "history")
        (aside / "whole").touch()
        (data / "store").mkdir()
        (data / "store" / "half.json").write_text("{}")

    with pytest.raises(ConfigurationError, match="restore once more"):
        prepare_data_dir(CoreEnvironment(data_dir=data))
    assert main(["restore", "saved"]) == 1
    assert prepare_data_dir(CoreEnvironment(data_dir=data)) == data

    assert content(data) == before
    assert not aside.exists()


def test_a_backup_that_fails_leaves_no_file(data: Path, tmp_path: Path) -> None:
    assert main(["backup", "saved", "--recipient", "age1nonsense"]) == 1
    assert list(tmp_path.glob("saved*")) == []


def test_a_stream_goes_to_standard_output(data: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["backup", "-"]) == 0

    out = capfdbinary.readouterr().out
    with tarfile.open(fileobj=io.BytesIO(out)) as tar:
        assert "data/store/users.json" in tar.getnames()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--also", "profiles"],
            "--also: write NAME=FOLDER, with small letters in NAME, instead of profiles",
        ),
        (["--also", "data=x"], "--also: data is named twice; give each folder a name of its own"),
        (["--also", "profiles=none"], "none is no folder; there is nothing to back up"),
        (
            ["--recipient", "x"],
            "--recipient: must be an age public key (age1...) or an ssh-ed25519 or ssh-rsa key",
        ),
        (["--passphrase-file", "none"], "--passphrase-file: none cannot be read (No such file or directory)"),
    ],
)
def test_wrong_words_are_named(
    arguments: list[str], sentence: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backup", "saved", *arguments]) == 1
    assert capsys.readouterr().err == f"wppconnect-ops backup: {sentence}\n"


def test_root_gives_restored_files_to_the_folders_owner(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    main(["backup", "saved"])
    other = elsewhere(tmp_path, monkeypatch)
    other.mkdir()
    os.chown(other, 4242, 4243)

    main(["restore", "saved"])

    owners = {(path.stat().st_uid, path.stat().st_gid) for path in other.rglob("*")}
    assert owners == {(4242, 4243)}
