"""The settings in force when the store is broken."""

import logging
from pathlib import Path
from typing import Any

import pytest

from core.exceptions import StoreError
from core.messages import Message
from core.settings.environment import NOT_ALLOWED, load_environment
from core.store import FileStore
from tests.fakes import MemoryStore
from tests.support.settings_world import ENVIRONMENT, URL, make_source


@pytest.fixture
def store() -> MemoryStore:
    """An empty store."""
    return MemoryStore()


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ({"saved": {"servers": ["main"]}}, "servers: must be a mapping of names to values"),
        (
            {"saved": {"interval_seconds": "s3cret"}},
            "interval_seconds: must be a number without a unit, for example 5 or 0.5",
        ),
        ({"saved": 5}, "saved: must be a mapping of names to values"),
        (
            {"saved": {"servers": {"main": {"token_source": "moon"}}}},
            "servers.main.token_source: must be auto, local or server",
        ),
        (
            {"saved": {"servers": {"main": {"secret_kee": "s3cret"}}}},
            "servers.main.secret_kee: is not a setting; remove it",
        ),
    ],
)
def test_broken_document_leaves_the_last_good_settings_in_force(
    store: MemoryStore, broken: dict[str, Any], fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_source(store)
    source.save(source.saved().with_program(interval_seconds=3), expected_revision=0, actor="anna")
    store.put("settings", "saved", broken, version=2)

    with caplog.at_level(logging.ERROR):
        settings = [source.current() for _ in range(3)][-1]

    assert (settings.revision, settings.interval_seconds) == (2, 3)
    assert source.problems == (
        Message("setting.last_known"),
        Message.of("setting.does_not_fit", problem=fault),
    )
    assert len(caplog.records) == 2
    assert "s3cret" not in caplog.text


def test_broken_document_is_replaced_by_the_next_save(store: MemoryStore) -> None:
    source = make_source(store)
    source.save(source.saved().with_program(interval_seconds=3), expected_revision=0, actor="anna")
    store.put("settings", "saved", {"saved": 5}, version=2)

    source.save(source.saved(), expected_revision=2, actor="anna")

    assert source.problems == ()
    assert make_source(store).current().interval_seconds == 3


def test_broken_document_at_start_leaves_the_environment_in_force(store: MemoryStore) -> None:
    store.put("settings", "saved", {"saved": 5}, version=4)

    source = make_source(store)

    assert source.current().servers == (ENVIRONMENT.server,)
    assert source.current().revision == 4


def test_stored_settings_that_do_not_fit_a_new_environment_are_told_and_kept_for_editing(
    store: MemoryStore,
) -> None:
    first = make_source(store)
    saved = first.saved().with_server("main", url="http://elsewhere:21465")
    first.save(saved, expected_revision=0, actor="anna")
    narrower = load_environment({"WPPCONNECT_URL": URL, "WPPCONNECT_ALLOWED_HOSTS": "127.0.0.1"})

    source = make_source(store, narrower)

    assert source.current().servers == (narrower.server,)
    assert source.saved() == saved
    assert source.problems == (
        Message.of("setting.does_not_fit", problem=f"servers.main.url: {NOT_ALLOWED}"),
    )


def test_vanished_document_leaves_the_last_good_settings_in_force(store: MemoryStore) -> None:
    source = make_source(store)
    source.save(source.saved().with_program(interval_seconds=3), expected_revision=0, actor="anna")
    store.remove("settings", ["saved"])

    assert (source.current().revision, source.current().interval_seconds) == (0, 3)
    assert source.problems != ()
    source.save(source.saved(), expected_revision=0, actor="ben")
    assert make_source(store).current().interval_seconds == 3


def test_failing_store_leaves_the_last_good_settings_in_force_until_it_recovers(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_source(store)
    source.save(source.saved().with_program(interval_seconds=3), expected_revision=0, actor="anna")
    store.put("settings", "saved", {"saved": {"interval_seconds": 4}}, version=2)
    store.read_error = StoreError("settings.json was written by a newer version")

    with caplog.at_level(logging.WARNING):
        kept = [source.current() for _ in range(3)][-1]
    problems = source.problems
    store.read_error = None

    assert kept.interval_seconds == 3
    assert problems == (Message.plain("settings.json was written by a newer version"),)
    assert len(caplog.records) == 1
    assert source.current().interval_seconds == 4
    assert source.problems == ()


def test_failing_store_at_start_is_an_error(store: MemoryStore) -> None:
    store.read_error = StoreError("settings.json was written by a newer version")

    with pytest.raises(StoreError, match="newer version"):
        make_source(store).current()


def test_garbage_in_the_real_file_leaves_the_last_good_settings_in_force(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    source = make_source(store)
    source.save(source.saved().with_program(interval_seconds=3), expected_revision=0, actor="anna")

    (tmp_path / "settings.json").write_text("garbage")

    assert source.current().interval_seconds == 3
    assert source.problems != ()
    source.save(source.saved(), expected_revision=source.current().revision, actor="anna")
    assert make_source(FileStore(tmp_path)).current().interval_seconds == 3


def test_garbage_at_start_is_told_until_something_is_saved(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("garbage")
    make_source(FileStore(tmp_path)).current()

    after_a_restart = make_source(FileStore(tmp_path))

    assert after_a_restart.current().servers == (ENVIRONMENT.server,)
    assert after_a_restart.problems != ()
    after_a_restart.save(
        after_a_restart.saved().with_program(interval_seconds=3), expected_revision=0, actor="anna"
    )
    assert after_a_restart.problems == ()
