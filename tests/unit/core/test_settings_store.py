"""The settings in force: following other processes, saving with compare-and-swap, and broken stores."""

import json
import logging
import multiprocessing
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.exceptions import ConfigurationError, StoreError, VersionConflictError
from core.logs import redact
from core.models import TokenSource
from core.settings import CoreEnvironment, load_environment
from core.settings_store import Change, SavedSettings, SettingsConflictError, SettingsSource
from core.store import FileStore, Record

URL = "http://127.0.0.1:21465"
ENVIRONMENT = load_environment(
    {"WPPCONNECT_URL": URL, "WPPCONNECT_SECRET_KEY": "k3y-of-env", "WPPCONNECT_SESSIONS": "sales,support"}
)
NOW = datetime(2026, 11, 23, 20, 28, 21, tzinfo=UTC)
CONFLICT_END = "after you opened them. Nothing of yours was saved: load them again and repeat your change."


class MemoryStore:
    """A store of one record whose faults a test can choose."""

    def __init__(self) -> None:
        self.record: Record | None = None
        self.writes = 0
        self.reads = 0
        self.fault: StoreError | None = None

    def read(self, subject: str, key: str) -> Record | None:
        """Read the record."""
        assert (subject, key) == ("settings", "saved")
        self.reads += 1
        if self.fault:
            raise self.fault
        return self.record

    def read_all(self, subject: str) -> dict[str, Record]:
        """Read everything."""
        return {"saved": self.record} if self.record else {}

    def update(
        self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
    ) -> Record | None:
        """Write the record as a store in files does: through JSON."""
        if expected_version != (self.record.version if self.record else 0):
            raise VersionConflictError("changed meanwhile")
        self.put(expected_version + 1, json.loads(json.dumps(value)))
        return self.record

    def revision(self, subject: str) -> str:
        """Count the writes."""
        return str(self.writes or "")

    def put(self, version: int, value: dict[str, Any]) -> None:
        """Write whatever a test wants to stand there."""
        self.record = Record("saved", version, value)
        self.writes += 1


@pytest.fixture
def store() -> MemoryStore:
    """An empty store."""
    return MemoryStore()


def make_source(store: Any, environment: CoreEnvironment = ENVIRONMENT) -> SettingsSource:
    """One process's view of the settings."""
    return SettingsSource(environment, store, clock=lambda: NOW)


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
        .with_interval(2.5)
    )

    settings = make_source(store).save(saved, expected_revision=0, actor="anna")

    other = make_source(store)
    assert settings.revision == 1
    assert other.current() == settings
    assert other.saved() == saved


def test_saved_change_is_followed_by_another_process(store: MemoryStore) -> None:
    first, second = make_source(store), make_source(store)
    second.current()

    first.save(first.saved().with_interval(3), expected_revision=0, actor="anna")

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
        thread.join(10)

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
        ben.save(ben.saved().with_interval(3), expected_revision=0, actor="ben")

    assert caught.value.message == (
        "anna changed servers.main.secret_key, servers.main.url at 2026-11-23T20:28:21Z, " + CONFLICT_END
    )
    assert ben.current().interval_seconds == 5.0


def test_late_administrator_is_told_of_every_save_since(store: MemoryStore) -> None:
    anna = make_source(store)
    anna.save(anna.saved().with_interval(3), expected_revision=0, actor="anna")
    anna.save(anna.saved().with_interval(4), expected_revision=1, actor="anna")
    anna.save(anna.saved().without_session("main", "sales"), expected_revision=2, actor="carla")

    with pytest.raises(SettingsConflictError) as caught:
        anna.save(anna.saved().with_interval(9), expected_revision=1, actor="ben")

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
            other.save(SavedSettings().with_interval(9), expected_revision=0, actor="anna")
            self.put(1, fast.record.value if fast.record else {})
            return super().update(subject, key, value, expected_version=expected_version)

    fast = store
    source = make_source(SlowStore())

    with pytest.raises(SettingsConflictError, match=r"^anna changed interval_seconds at"):
        source.save(source.saved().with_interval(3), expected_revision=0, actor="ben")


def test_wrong_settings_are_refused_whole_and_nothing_is_written(store: MemoryStore) -> None:
    source = make_source(store)

    with pytest.raises(ConfigurationError) as caught:
        source.save(
            source.saved().with_interval(3).with_server("second", url="host"),
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
    source.save(source.saved().with_interval(3), expected_revision=0, actor="anna")

    settings = source.save(source.saved().with_interval(3), expected_revision=1, actor="ben")

    assert settings.revision == 1
    assert store.writes == 1
    assert source.last_change() == Change("anna", NOW, ("interval_seconds",))


def test_only_the_latest_changes_are_kept(store: MemoryStore) -> None:
    source = make_source(store)

    for revision in range(15):
        source.save(source.saved().with_interval(revision + 1), expected_revision=revision, actor="anna")

    assert store.record is not None
    assert [change["revision"] for change in store.record.value["changes"]] == list(range(6, 16))


def test_history_of_changes_holds_no_secret(store: MemoryStore) -> None:
    source = make_source(store)

    source.save(
        source.saved().with_server("main", secret_key="brand-new-key"), expected_revision=0, actor="a"
    )

    assert store.record is not None
    assert store.record.value["changes"] == [
        {
            "revision": 1,
            "actor": "a",
            "at": "2026-11-23T20:28:21+00:00",
            "fields": ["servers.main.secret_key"],
        }
    ]


def test_saved_secret_is_redacted_in_logs(store: MemoryStore) -> None:
    source = make_source(store)

    source.save(source.saved().with_server("main", secret_key="juniper-9"), expected_revision=0, actor="a")

    assert redact("sent juniper-9") == "sent ***"


@pytest.mark.parametrize(
    "broken",
    [
        {"saved": {"servers": ["main"]}},
        {"saved": {"interval_seconds": "s3cret"}},
        {"saved": 5},
        {"saved": {"servers": {"main": {"token_source": "moon"}}}},
    ],
)
def test_broken_document_leaves_the_last_good_settings_in_force(
    store: MemoryStore, broken: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    source = make_source(store)
    source.save(source.saved().with_interval(3), expected_revision=0, actor="anna")
    store.put(2, broken)

    with caplog.at_level(logging.ERROR):
        settings = [source.current() for _ in range(3)][-1]

    assert (settings.revision, settings.interval_seconds) == (2, 3)
    assert source.problems == ("The stored settings cannot be read; save them again or restore a backup",)
    assert len(caplog.records) == 1
    assert "s3cret" not in caplog.text


def test_broken_document_is_replaced_by_the_next_save(store: MemoryStore) -> None:
    source = make_source(store)
    source.save(source.saved().with_interval(3), expected_revision=0, actor="anna")
    store.put(2, {"saved": 5})

    source.save(source.saved(), expected_revision=2, actor="anna")

    assert source.problems == ()
    assert make_source(store).current().interval_seconds == 3


def test_broken_document_at_start_leaves_the_environment_in_force(store: MemoryStore) -> None:
    store.put(4, {"saved": 5})

    source = make_source(store)

    assert source.current().servers == (ENVIRONMENT.server,)
    assert source.current().revision == 4


def test_stored_settings_that_do_not_fit_a_new_environment_are_told_and_kept_for_editing(
    store: MemoryStore,
) -> None:
    first = make_source(store)
    saved = first.saved().with_server("main", secret_key="k" * 65)
    first.save(saved, expected_revision=0, actor="anna")
    longer = load_environment({"WPPCONNECT_URL": URL, "WPPCONNECT_SESSIONS": "a-longer-name"})

    source = make_source(store, longer)

    assert source.current().servers == (longer.server,)
    assert source.saved() == saved
    assert source.problems == (
        "The stored settings do not fit: servers.main.sessions: session name 'a-longer-name' "
        "and the secret key are longer than 72 bytes together, and the gateway would not check the rest: "
        "use a shorter name or secret key",
    )


def test_vanished_document_leaves_the_last_good_settings_in_force(store: MemoryStore) -> None:
    source = make_source(store)
    source.save(source.saved().with_interval(3), expected_revision=0, actor="anna")
    store.record, store.writes = None, 7

    assert (source.current().revision, source.current().interval_seconds) == (0, 3)
    assert source.problems != ()
    source.save(source.saved(), expected_revision=0, actor="ben")
    assert make_source(store).current().interval_seconds == 3


def test_failing_store_leaves_the_last_good_settings_in_force_until_it_recovers(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_source(store)
    source.save(source.saved().with_interval(3), expected_revision=0, actor="anna")
    store.put(2, {"saved": {"interval_seconds": 4}})
    store.fault = StoreError("settings.json was written by a newer version")

    with caplog.at_level(logging.WARNING):
        kept = [source.current() for _ in range(3)][-1]
    problems = source.problems
    store.fault = None

    assert kept.interval_seconds == 3
    assert problems == ("settings.json was written by a newer version",)
    assert len(caplog.records) == 1
    assert source.current().interval_seconds == 4
    assert source.problems == ()


def test_failing_store_at_start_is_an_error(store: MemoryStore) -> None:
    store.fault = StoreError("settings.json was written by a newer version")

    with pytest.raises(StoreError, match="newer version"):
        make_source(store).current()


def test_real_store_keeps_secrets_in_a_closed_file_and_gives_them_back(tmp_path: Path) -> None:
    source = make_source(FileStore(tmp_path / "store"))

    source.save(
        source.saved().with_server("main", secret_key="brand-new-key"), expected_revision=0, actor="a"
    )

    read = make_source(FileStore(tmp_path / "store")).current().servers[0].secret_key
    assert read is not None
    assert read.get_secret_value() == "brand-new-key"
    assert (tmp_path / "store" / "settings.json").stat().st_mode & 0o777 == 0o600


def test_garbage_in_the_real_file_leaves_the_last_good_settings_in_force(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    source = make_source(store)
    source.save(source.saved().with_interval(3), expected_revision=0, actor="anna")

    (tmp_path / "settings.json").write_text("garbage")

    assert source.current().interval_seconds == 3
    assert source.problems != ()
    source.save(source.saved(), expected_revision=source.current().revision, actor="anna")
    assert make_source(FileStore(tmp_path)).current().interval_seconds == 3


def save_in_another_process(directory: Path) -> None:
    """What the first administrator's process does."""
    source = make_source(FileStore(directory))
    change = source.saved().with_server("main", url="http://new", secret_key="brand-new-key")
    source.save(change, expected_revision=0, actor="anna")


def test_of_two_processes_the_second_is_told_what_the_first_changed(tmp_path: Path) -> None:
    ben = make_source(FileStore(tmp_path))
    opened = ben.current()
    anna = multiprocessing.get_context("spawn").Process(target=save_in_another_process, args=(tmp_path,))
    anna.start()
    anna.join(30)

    with pytest.raises(SettingsConflictError) as caught:
        ben.save(SavedSettings().with_interval(3), expected_revision=opened.revision, actor="ben")

    assert anna.exitcode == 0
    assert caught.value.message == (
        "anna changed servers.main.secret_key, servers.main.url at 2026-11-23T20:28:21Z, " + CONFLICT_END
    )
    assert ben.current().servers[0].url == "http://new"
    assert ben.save(ben.saved().with_interval(3), expected_revision=1, actor="ben").revision == 2
