"""Records in files: what the engine in files adds to the promises of every store."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from core.exceptions import StoreError
from core.locks import ProcessLock
from core.store import FileStore, Record, Store


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(directory: Path) -> Store:
    return FileStore(directory)


def test_reading_creates_no_folder(store: Store, directory: Path) -> None:
    store.read_all("settings")

    assert not directory.exists()


def test_a_subject_is_one_private_readable_file(store: Store, directory: Path) -> None:
    store.update("tokens", "sales", {"token": "t"}, expected_version=0)

    content = json.loads((directory / "tokens.json").read_text())
    modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in directory.iterdir()}

    assert content == {
        "schema": 1,
        "records": {"1": {"key": "sales", "version": 1, "value": {"token": "t"}}},
    }
    assert modes == {"tokens.json": "0o600", "tokens.json.lock": "0o600"}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_file_put_back_by_hand_is_read(store: Store, directory: Path) -> None:
    path = directory / "settings.json"
    store.update("settings", "overlay", {"n": 1}, expected_version=0)
    backup = path.read_bytes()
    store.update("settings", "overlay", {"n": 2}, expected_version=1)

    path.write_bytes(backup)

    assert store.read("settings", "overlay") == Record("overlay", 1, {"n": 1})


def test_a_lock_that_is_never_given_back_ends_in_an_error(
    store: Store, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.store.storage.DEFAULT_TIMEOUT_SECONDS", 0.05)
    with ProcessLock(directory / "settings.json.lock"), pytest.raises(StoreError, match="still locked"):
        store.update("settings", "overlay", {}, expected_version=0)
