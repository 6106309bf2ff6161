"""`wppconnect-ops store migrate`: whole, both ways, and never beside a running program."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.main import main
from core.exceptions import ConfigurationError, VersionConflictError
from core.locks import ProcessLock
from core.models import HistoryEntry
from core.store import FileStore, History, HistoryLog, Record, Store, open_store
from core.store.postgresql import Database, Leases
from tests.support.postgresql import Server

BEGIN = datetime(2026, 3, 10, 23, 59, tzinfo=UTC)
ENTRIES = [
    HistoryEntry(at=BEGIN + timedelta(hours=30 * n), kind="sign_in", actor="ação", data={"n": n})
    for n in range(4)
]
MIGRATE = ["store", "migrate", "--to"]


@pytest.fixture
def url(postgresql: Server) -> str:
    return postgresql.new_url()


@pytest.fixture
def data(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a store in files, as one of version 3 whose key was deleted at version 7."""
    folder = tmp_path / "data"
    store = FileStore(folder / "store")
    for number in range(3):
        store.update("settings", "saved", {"n": number, "text": "\0 ação"}, expected_version=number)
    for number in range(7):
        store.update("users", "ana", {"n": number}, expected_version=number)
    store.update("users", "ana", None, expected_version=7)
    History(folder / "history").append(*ENTRIES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WPPCONNECT_DATA_DIR", str(folder))
    monkeypatch.setenv("WPPCONNECT_STORE_URL", url)
    return folder


def assert_whole(store: Store, history: HistoryLog) -> None:
    assert store.read_all("settings") == {"saved": Record("saved", 3, {"n": 2, "text": "\0 ação"})}
    assert store.read_all("users") == {}
    assert history.read() == ENTRIES
    with pytest.raises(VersionConflictError):
        store.update("users", "ana", {}, expected_version=7)
    assert store.update("users", "ana", {}, expected_version=0) == Record("ana", 8, {})


def test_everything_is_moved_into_the_database_with_its_versions(data: Path, url: str) -> None:
    assert main([*MIGRATE, "postgresql"]) == 0

    store, history = open_store(data, url)
    assert_whole(store, history)
    store.close()
    assert not (data / "store").exists()
    assert len(list(data.glob("*.before-move-*"))) == 2


def test_and_back_again(data: Path, url: str) -> None:
    main([*MIGRATE, "postgresql"])

    assert main([*MIGRATE, "files"]) == 0

    assert_whole(*open_store(data, None))
    with pytest.raises(ConfigurationError, match="still holds a store in files"):
        open_store(data, url)


def test_the_store_is_not_begun_anew_without_the_setting(data: Path) -> None:
    main([*MIGRATE, "postgresql"])

    with pytest.raises(ConfigurationError, match="is in PostgreSQL; set it"):
        open_store(data, None)


def test_a_database_that_holds_a_store_is_only_overwritten_when_asked(data: Path, url: str) -> None:
    main([*MIGRATE, "postgresql"])
    main([*MIGRATE, "files"])
    FileStore(data / "store").update("settings", "later", {}, expected_version=0)

    assert main([*MIGRATE, "postgresql"]) == 1
    assert main([*MIGRATE, "postgresql", "--overwrite"]) == 0

    store, history = open_store(data, url)
    assert sorted(store.read_all("settings")) == ["later", "saved"]
    assert history.read() == ENTRIES
    store.close()


@pytest.mark.parametrize("target", ["postgresql", "files"])
def test_nothing_is_moved_while_a_program_works_with_the_folder(
    data: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProcessLock(data / "locks" / "lease-main.lock"):
        assert main([*MIGRATE, target]) == 1

    assert "lease-main.lock is held" in capsys.readouterr().err
    assert (data / "store" / "settings.json").exists()


def test_nothing_is_moved_while_a_program_on_another_machine_works_with_the_database(
    data: Path, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = Database(url, marker=tmp_path / "there" / "marker.json")
    with closing(there):
        Leases(there, program="wppconnect-exporter[there:7]", rank=0).acquire("prober-main")

        assert main([*MIGRATE, "postgresql"]) == 1

    assert "wppconnect-exporter[there:7]" in capsys.readouterr().err
    assert list((data / "store").glob("*.json"))


def test_without_a_database_nothing_can_be_moved(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WPPCONNECT_STORE_URL")

    assert main([*MIGRATE, "files"]) == 2
    assert "WPPCONNECT_STORE_URL" in capsys.readouterr().err
    assert (data / "store").exists()
