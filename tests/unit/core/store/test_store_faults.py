"""Store files that are broken, old, of the future, or on a disk that refuses."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from pathlib import Path

import pytest
from full_disk import disk_that_takes

from core.exceptions import StoreError
from core.messages import Message
from core.store import FileStore, Record

DATA = Path(__file__).parents[3] / "data" / "store"
GARBAGE = [
    pytest.param(b"", id="empty"),
    pytest.param(b"\x00" * 4096, id="zeros"),
    pytest.param(os.urandom(64) + b"\xff", id="noise"),
    pytest.param(b'{"schema":1,"records":{"1":{"key":"a","ver', id="torn"),
    pytest.param(b"[" * 100_000, id="deeply nested"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b'{"name": "package", "version": "1.0.0"}', id="another program's JSON"),
    pytest.param(b'{"schema":"one","records":{}}', id="schema is a word"),
    pytest.param(b'{"schema":1,"records":[]}', id="records are a list"),
    pytest.param(b'{"schema":1,"records":{"1":{"key":"a","version":0,"value":{}}}}', id="version zero"),
    pytest.param(b'{"schema":1,"records":{"1":{"key":"a","version":1,"value":3}}}', id="value no object"),
    pytest.param(b'{"schema":1,"records":{"x":{"key":"a","version":1,"value":{}}}}', id="number no number"),
    pytest.param(b'{"schema":1,"records":{},"deletions":{"1":{}}}', id="deletion without version"),
    pytest.param(
        b'{"schema":1,"records":{"1":{"key":"a","version":1,"value":{}},"2":{"key":"a","version":1,"value":{}}}}',
        id="a key twice",
    ),
]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "store"
    path.mkdir(mode=0o700)
    return path


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_garbage_file_is_set_aside_by_its_reader(
    directory: Path, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (directory / "tokens.json").write_bytes(garbage)
    store = FileStore(directory)

    with caplog.at_level(logging.WARNING):
        record = store.read("tokens", "sales")

    (aside,) = directory.glob("tokens.json.broken-*")
    assert record is None
    assert aside.read_bytes() == garbage
    assert store.notices == (Message.of("store.set_aside", file="tokens.json", path=str(aside)),)
    assert "store_file_set_aside" in caplog.text


def test_a_backup_that_is_being_copied_into_place_is_waited_for(directory: Path) -> None:
    store = FileStore(directory)
    store.update("tokens", "sales", {"n": 1}, expected_version=0)
    backup = (directory / "tokens.json").read_bytes()

    with (directory / "tokens.json").open("wb", buffering=0) as copy:
        copying = threading.Timer(0.03, copy.write, [backup])
        copying.start()
        record = FileStore(directory).read("tokens", "sales")
        copying.join()

    assert record == Record("sales", 1, {"n": 1})
    assert store.notices == ()


def test_a_garbage_file_is_set_aside_by_its_writer(directory: Path) -> None:
    (directory / "tokens.json").write_bytes(b"garbage")
    store = FileStore(directory)

    store.update("tokens", "sales", {"n": 1}, expected_version=0)

    assert store.read("tokens", "sales") == Record("sales", 1, {"n": 1})
    assert len(store.notices) == 1


def test_a_notice_is_seen_by_every_process_and_goes_with_the_file(directory: Path) -> None:
    (directory / "tokens.json").write_bytes(b"garbage")
    FileStore(directory).read_all("tokens")
    another = FileStore(directory)
    assert len(another.notices) == 1

    next(directory.glob("*.broken-*")).unlink()

    assert another.notices == ()


def test_each_garbage_file_is_kept(directory: Path) -> None:
    store = FileStore(directory)

    (directory / "tokens.json").write_bytes(b"first")
    store.read_all("tokens")
    (directory / "tokens.json").write_bytes(b"second")
    store.read_all("tokens")

    assert sorted(path.read_bytes() for path in directory.glob("*.broken-*")) == [b"first", b"second"]


def test_a_healthy_store_has_no_notices(directory: Path) -> None:
    assert FileStore(directory / "not" / "there").notices == ()


@pytest.mark.parametrize("name", ["schema_0.settings.json", "schema_1.settings.json"])
def test_files_of_every_earlier_release_are_read(directory: Path, name: str) -> None:
    shutil.copy(DATA / name, directory / "settings.json")
    store = FileStore(directory)

    values = {key: record.value for key, record in store.read_all("settings").items()}

    assert values == {
        "overlay": {"interval_seconds": 10.0, "saved_by": "ana"},
        "second": {"note": "ação"},
    }
    assert store.notices == ()


def test_a_migrated_file_is_written_in_the_present_shape_at_the_next_update(directory: Path) -> None:
    shutil.copy(DATA / "schema_0.settings.json", directory / "settings.json")
    store = FileStore(directory)
    before = (directory / "settings.json").read_bytes()
    store.read_all("settings")
    assert (directory / "settings.json").read_bytes() == before

    store.update("settings", "overlay", {"interval_seconds": 5.0}, expected_version=1)

    assert (directory / "settings.json").read_text().startswith('{"schema":1,')
    assert FileStore(directory).read_all("settings") == {
        "overlay": Record("overlay", 2, {"interval_seconds": 5.0}),
        "second": Record("second", 1, {"note": "ação"}),
    }


def test_deletions_of_a_stored_file_are_remembered(directory: Path) -> None:
    shutil.copy(DATA / "schema_1.settings.json", directory / "settings.json")

    created = FileStore(directory).update("settings", "third", {}, expected_version=0)

    assert created == Record("third", 8, {})


def test_a_file_of_a_newer_release_is_refused_and_left_alone(directory: Path) -> None:
    content = b'{"schema":2,"records":{"what":"ever"}}'
    (directory / "settings.json").write_bytes(content)
    store = FileStore(directory)

    with pytest.raises(StoreError, match=r"settings\.json was written by a newer release \(schema 2"):
        store.read("settings", "overlay")
    with pytest.raises(StoreError, match="nothing was changed: install that release again"):
        store.update("settings", "overlay", {}, expected_version=0)

    assert (directory / "settings.json").read_bytes() == content
    assert store.notices == ()


def test_a_full_disk_leaves_the_old_record_and_the_lock_free(directory: Path) -> None:
    store = FileStore(directory)
    store.update("tokens", "sales", {"n": 1}, expected_version=0)

    with disk_that_takes(200), pytest.raises(StoreError, match=r"cannot write .*tokens\.json: .*; raise"):
        store.update("tokens", "sales", {"text": "x" * 500}, expected_version=1)

    assert FileStore(directory).read("tokens", "sales") == Record("sales", 1, {"n": 1})
    assert store.update("tokens", "sales", {"n": 2}, expected_version=1) == Record("sales", 2, {"n": 2})


def test_a_file_in_place_of_the_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    store = FileStore(tmp_path / "store")

    with pytest.raises(StoreError, match=r"store.*a file stands where a folder is needed"):
        store.update("tokens", "sales", {}, expected_version=0)
    with pytest.raises(StoreError, match=r"tokens\.json: not a directory"):
        store.read("tokens", "sales")


def test_a_refused_replacement_leaves_the_old_record(directory: Path) -> None:
    store = FileStore(directory)
    store.update("tokens", "sales", {"n": 1}, expected_version=0)
    (directory / "tokens.json.tmp").mkdir()

    with pytest.raises(StoreError, match=r"cannot write .*tokens\.json"):
        store.update("tokens", "sales", {"n": 2}, expected_version=1)

    assert store.read("tokens", "sales") == Record("sales", 1, {"n": 1})
