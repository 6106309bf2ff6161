"""The settings in force: following other processes, saving with compare-and-swap, and broken stores."""

import itertools
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.exceptions import ConfigurationError, StoreError
from core.logs import redact
from core.models import HistoryEntry, TokenSource
from core.settings.saved import SavedSettings
from core.settings.source import EDIT_ATTEMPTS, Change, SettingsConflictError, SettingsSource
from core.store import FileStore, Record
from tests.fakes import MemoryStore
from tests.support.settings_world import CONFLICT_END, ENVIRONMENT, NOW, URL, make_source

ROOT = Path(__file__).parents[4]


@pytest.fixture
def store() -> MemoryStore:
    """An empty store."""
    return MemoryStore()


def test_before_anything_is_saved_the_environment_holds_at_revision_0(store: MemoryStore) -> None:
    source = make_source(store)

    assert source.current().revision == 0
    assert source.current().servers == (ENVIRONMENT.server,)
    assert source.saved() == SavedSettings()
    assert source.last_change() is None
    assert source.problems == ()


def test_saved_settings_come_back_whole(store: MemoryStore) -> None:
    saved = (
        SavedSettings()
        .with_server(
            "second", url=URL, secret_key="k3y", token="$2b$", token_source=TokenSource.LOCAL, enabled=False
        )
        .with_session("second", "shop", enabled=False, webhook="https://app/hook")
        .with_session("main", "sales", webhook="")
        .without_session("main", "support")
        .with_program(interval_seconds=2.5)
    )

    settings = make_source(store).save(saved, expected_revision=0, actor="anna")

    other = make_source(store)
    assert settings.revision == 1
    assert other.current() == settings
    assert other.saved() == saved


def test_saved_change_is_followed_by_another_process(store: MemoryStore) -> None:
    first, second = make_source(store), make_source(store)
    second.current()

    first.save(first.saved().with_program(interval_seconds=3), expected_revision=0, actor="anna")

    assert second.current().interval_seconds == 3
    assert second.last_change() == Change("anna", NOW, ("interval_seconds",))


def test_unchanged_store_is_not_read_again(store: MemoryStore) -> None:
    source = make_source(store)

    settings = source.current()

    assert source.current() is settings
    assert store.reads == 1


def test_threads_that_ask_together_read_once(store: MemoryStore) -> None:
    source = make_source(store)
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        source.current()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert store.reads == 1


def test_second_administrator_is_told_who_changed_what_and_when(store: MemoryStore) -> None:
    anna, ben = make_source(store), make_source(store)
    ben.current()
    anna.save(
        anna.saved().with_server("main", url="http://new", secret_key="brand-new-key"),
        expected_revision=0,
        actor="anna",
    )

    with pytest.raises(SettingsConflictError) as caught:
        ben.save(ben.saved().with_program(interval_seconds=3), expected_revision=0, actor="ben")

    assert caught.value.message == (
        "anna changed servers.main.secret_key, servers.main.url at 2026-11-23T20:28:21Z, " + CONFLICT_END
    )
    assert ben.current().interval_seconds == 5.0


def test_edit_is_made_on_top_of_what_others_save_meanwhile(store: MemoryStore) -> None:
    anna, ben = make_source(store), make_source(store)
    meanwhile = [
        lambda: ben.current(),
        lambda: ben.edit(lambda saved: saved.with_program(interval_seconds=3), actor="ben"),
    ]

    def change(saved: SavedSettings) -> SavedSettings:
        meanwhile.pop()()
        return saved.with_server("main", url="http://new")

    settings = anna.edit(change, actor="anna")

    assert (settings.servers[0].url, settings.interval_seconds, settings.revision) == ("http://new", 3, 2)


def test_edit_gives_up_when_others_save_all_the_time(store: MemoryStore) -> None:
    anna, ben = make_source(store), make_source(store)
    intervals = itertools.count(3)

    def change(saved: SavedSettings) -> SavedSettings:
        ben.edit(lambda saved: saved.with_program(interval_seconds=next(intervals)), actor="ben")
        return saved.with_server("main", url="http://new")

    with pytest.raises(SettingsConflictError):
        anna.edit(change, actor="anna")

    assert ben.current().interval_seconds == 2 + EDIT_ATTEMPTS


def test_late_administrator_is_told_of_every_save_since(store: MemoryStore) -> None:
    anna = make_source(store)
    anna.save(anna.saved().with_program(interval_seconds=3), expected_revision=0, actor="anna")
    anna.save(anna.saved().with_program(interval_seconds=4), expected_revision=1, actor="anna")
    anna.save(anna.saved().without_session("main", "sales"), expected_revision=2, actor="carla")

    with pytest.raises(SettingsConflictError) as caught:
        anna.save(anna.saved().with_program(interval_seconds=9), expected_revision=1, actor="ben")

    assert caught.value.message == (
        "anna changed interval_seconds at 2026-11-23T20:28:21Z; "
        "carla changed servers.main.sessions.sales at 2026-11-23T20:28:21Z, " + CONFLICT_END
    )


def test_save_that_loses_the_race_at_the_store_is_a_conflict_too(store: MemoryStore) -> None:
    class SlowStore(MemoryStore):
        """Lets somebody else save between our look and our write."""

        def update(
            self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
        ) -> Record | None:
            other = SettingsSource(ENVIRONMENT, fast, clock=lambda: NOW)
            other.save(SavedSettings().with_program(interval_seconds=9), expected_revision=0, actor="anna")
            saved = fast.read("settings", "saved")
            self.put("settings", "saved", saved.value if saved else {}, version=1)
            return super().update(subject, key, value, expected_version=expected_version)

    fast = store
    source = make_source(SlowStore())

    with pytest.raises(SettingsConflictError, match=r"^anna changed interval_seconds at"):
        source.save(source.saved().with_program(interval_seconds=3), expected_revision=0, actor="ben")


def test_wrong_settings_are_refused_whole_and_nothing_is_written(store: MemoryStore) -> None:
    source = make_source(store)

    with pytest.raises(ConfigurationError) as caught:
        source.save(
            source.saved().with_program(interval_seconds=3).with_server("second", url="host"),
            expected_revision=0,
            actor="anna",
        )

    assert caught.value.problems == ("servers.second.url: has no scheme; add http:// (or https://) in front",)
    assert store.writes == 0


def test_new_server_needs_an_address(store: MemoryStore) -> None:
    source = make_source(store)

    with pytest.raises(ConfigurationError) as caught:
        source.save(source.saved().with_session("second", "shop"), expected_revision=0, actor="anna")

    assert caught.value.problems == (
        "servers.second.url: is not set; enter the gateway's address, such as http://127.0.0.1:21465",
    )


def test_save_without_a_change_writes_nothing(store: MemoryStore) -> None:
    source = make_source(store)
    source.save(source.saved().with_program(interval_seconds=3), expected_revision=0, actor="anna")

    settings = source.save(source.saved().with_program(interval_seconds=3), expected_revision=1, actor="ben")

    assert settings.revision == 1
    assert store.writes == 1
    assert source.last_change() == Change("anna", NOW, ("interval_seconds",))


def test_only_the_latest_changes_are_kept(store: MemoryStore) -> None:
    source = make_source(store)

    for revision in range(15):
        source.save(
            source.saved().with_program(interval_seconds=revision + 1),
            expected_revision=revision,
            actor="anna",
        )

    record = store.read("settings", "saved")
    assert record is not None
    assert [change["revision"] for change in record.value["changes"]] == list(range(6, 16))


def test_history_of_changes_holds_no_secret(store: MemoryStore) -> None:
    source = make_source(store)

    source.save(
        source.saved().with_server("main", secret_key="brand-new-key"), expected_revision=0, actor="a"
    )

    record = store.read("settings", "saved")
    assert record is not None
    assert record.value["changes"] == [
        {
            "revision": 1,
            "actor": "a",
            "at": "2026-11-23T20:28:21+00:00",
            "fields": ["servers.main.secret_key"],
        }
    ]


def test_a_save_is_told_to_the_history_with_its_fields_and_without_their_values(store: MemoryStore) -> None:
    told: list[HistoryEntry] = []
    source = SettingsSource(ENVIRONMENT, store, clock=lambda: NOW, record=told.append)

    source.save(source.saved().with_server("main", secret_key="n3w-s3cret"), expected_revision=0, actor="ana")

    entry = HistoryEntry(at=NOW, kind="settings", actor="ana", data={"fields": "servers.main.secret_key"})
    assert told == [entry]


def test_a_history_that_cannot_be_written_does_not_undo_a_save(store: MemoryStore) -> None:
    def refuse(_entry: HistoryEntry) -> None:
        raise StoreError("the disk is full")

    source = SettingsSource(ENVIRONMENT, store, clock=lambda: NOW, record=refuse)

    saved = source.save(source.saved().with_program(interval_seconds=7), expected_revision=0, actor="ana")

    assert saved.interval_seconds == 7


def test_saved_secret_is_redacted_in_logs(store: MemoryStore) -> None:
    source = make_source(store)

    source.save(source.saved().with_server("main", secret_key="juniper-9"), expected_revision=0, actor="a")

    assert redact("sent juniper-9") == "sent ***"


def test_real_store_keeps_secrets_in_a_closed_file_and_gives_them_back(tmp_path: Path) -> None:
    source = make_source(FileStore(tmp_path / "store"))

    source.save(
        source.saved().with_server("main", secret_key="brand-new-key"), expected_revision=0, actor="a"
    )

    read = make_source(FileStore(tmp_path / "store")).current().servers[0].secret_key
    assert read is not None
    assert read.get_secret_value() == "brand-new-key"
    assert (tmp_path / "store" / "settings.json").stat().st_mode & 0o777 == 0o600


SAVE_IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from core.store import FileStore
from tests.support.settings_world import make_source
source = make_source(FileStore(Path(sys.argv[1])))
change = source.saved().with_server("main", url="http://new", secret_key="brand-new-key")
source.save(change, expected_revision=0, actor="anna")
"""


def test_of_two_processes_the_second_is_told_what_the_first_changed(tmp_path: Path) -> None:
    ben = make_source(FileStore(tmp_path))
    opened = ben.current()
    subprocess.run(
        [sys.executable, "-c", SAVE_IN_ANOTHER_PROCESS, str(tmp_path)], cwd=ROOT, check=True, timeout=60
    )

    with pytest.raises(SettingsConflictError) as caught:
        ben.save(
            SavedSettings().with_program(interval_seconds=3), expected_revision=opened.revision, actor="ben"
        )

    assert caught.value.message == (
        "anna changed servers.main.secret_key, servers.main.url at 2026-11-23T20:28:21Z, " + CONFLICT_END
    )
    assert ben.current().servers[0].url == "http://new"
    assert (
        ben.save(ben.saved().with_program(interval_seconds=3), expected_revision=1, actor="ben").revision == 2
    )
