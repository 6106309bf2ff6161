"""Which engine keeps the store of a data folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.main import main
from core.exceptions import ConfigurationError
from core.settings.environment import load_environment
from core.store import FileStore, History, open_store
from tests.support.engines import PostgresEngine

URL = "postgresql://ops:password-of-a-test@127.0.0.1:1/ops"


def test_without_an_address_the_store_is_files(tmp_path: Path) -> None:
    store, history = open_store(tmp_path, load_environment({}).database)

    assert (type(store), type(history)) == (FileStore, History)


def test_a_store_in_files_is_not_ignored_for_a_database(tmp_path: Path) -> None:
    FileStore(tmp_path / "store").update("settings", "saved", {}, expected_version=0)

    with pytest.raises(ConfigurationError, match=r"^WPPCONNECT_STORE_URL: .* still holds a store in files"):
        open_store(tmp_path, URL)


def test_the_address_is_a_secret_that_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(URL + "\n")

    environment = load_environment({"WPPCONNECT_STORE_URL_FILE": str(tmp_path / "url")})

    assert environment.database == URL
    assert "password-of-a-test" not in repr(environment)


@pytest.mark.parametrize(
    "text", ["mysql://ops:hidden@db/ops", "ops:hidden@db", "postgresql://ops:hid den@db"]
)
def test_another_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^WPPCONNECT_STORE_URL: must be a PostgreSQL") as refused:
        load_environment({"WPPCONNECT_STORE_URL": text})

    assert "hid" not in str(refused.value)


def test_a_backup_of_the_folder_alone_is_refused(
    postgres_engine: PostgresEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WPPCONNECT_DATA_DIR", str(tmp_path))
    postgres_engine.store().read_all("settings")

    code = main(["backup", str(tmp_path / "file")])

    assert code == 1
    assert "is in PostgreSQL" in capsys.readouterr().err
    assert not (tmp_path / "file").exists()
