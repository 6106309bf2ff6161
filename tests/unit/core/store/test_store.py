"""Records by subject and key: what both engines of the store promise."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.exceptions import VersionConflictError
from core.store import Record, Store, modify
from tests.support.engines import Engine

Value = dict[str, Any]


@pytest.fixture
def store(engine: Engine) -> Store:
    return engine.store()


def incremented(value: Value | None) -> Value:
    return {"n": value["n"] + 1 if value else 1}


# Reading and writing


def test_what_was_never_stored_is_none(store: Store) -> None:
    assert store.read("settings", "overlay") is None
    assert store.read_all("settings") == {}
    assert store.revision("settings") == ""


def test_a_record_is_read_as_it_was_written_also_by_another_store(store: Store, engine: Engine) -> None:
    value = {"url": "http://gateway:21465", "names": ["ação", "b"], "on": True, "none": None, "n": {"x": 1.5}}

    written = store.update("settings", "overlay", value, expected_version=0)

    assert written == Record("overlay", 1, value)
    assert store.read("settings", "overlay") == written
    assert engine.store().read_all("settings") == {"overlay": written}


def test_each_update_of_a_key_counts_its_version_up(store: Store) -> None:
    store.update("settings", "other", {}, expected_version=0)
    store.update("settings", "overlay", {"n": 1}, expected_version=0)

    second = store.update("settings", "overlay", {"n": 2}, expected_version=1)

    assert second == Record("overlay", 2, {"n": 2})
    assert store.read("settings", "other") == Record("other", 1, {})


def test_an_update_replaces_the_value_whole(store: Store) -> None:
    store.update("settings", "overlay", {"old": 1}, expected_version=0)

    store.update("settings", "overlay", {"new": 2}, expected_version=1)

    assert store.read("settings", "overlay") == Record("overlay", 2, {"new": 2})


def test_subjects_are_apart(store: Store) -> None:
    store.update("settings", "key", {"n": 1}, expected_version=0)

    assert store.read("tokens", "key") is None
    assert store.revision("tokens") == ""


def test_a_value_that_was_read_is_the_readers_own(store: Store) -> None:
    store.update("settings", "overlay", {"names": ["a"]}, expected_version=0)
    mine = store.read("settings", "overlay")
    assert mine

    mine.value["names"].append("b")

    assert store.read("settings", "overlay") == Record("overlay", 1, {"names": ["a"]})


def test_a_value_that_was_written_is_not_tied_to_the_writers(store: Store) -> None:
    names = ["a"]
    written = store.update("settings", "overlay", {"names": names}, expected_version=0)

    names.append("b")

    assert written == Record("overlay", 1, {"names": ["a"]})


def test_a_records_repr_shows_no_value() -> None:
    assert "hunter2" not in repr(Record("main", 1, {"secret_key": "hunter2"}))


@pytest.mark.parametrize("value", [{"at": object()}, {"n": float("nan")}], ids=["an object", "not a number"])
def test_a_value_that_json_cannot_hold_changes_nothing(store: Store, value: Value) -> None:
    store.update("settings", "overlay", {"n": 1}, expected_version=0)

    with pytest.raises((TypeError, ValueError)):
        store.update("settings", "overlay", value, expected_version=1)

    assert store.read("settings", "overlay") == Record("overlay", 1, {"n": 1})
    assert store.update("settings", "overlay", {"n": 2}, expected_version=1)


@pytest.mark.parametrize(
    "subject",
    ["../settings", "", "a/b", "Settings", "settings.", "settings.a.b", "settings./a", "settings\n"],
)
def test_a_subject_that_is_no_file_name_of_ours_is_refused(store: Store, subject: str) -> None:
    with pytest.raises(ValueError, match="no file name"):
        store.read(subject, "overlay")


# Several records at once


def test_new_records_are_added_at_once_and_what_is_there_stays(store: Store, engine: Engine) -> None:
    store.update("tokens.main", "sales", {"n": 1}, expected_version=0)
    store.update("tokens.main", "gone", {"n": 1}, expected_version=0)
    store.update("tokens.main", "gone", None, expected_version=1)

    store.add("tokens.main", {"sales": {"n": 9}, "support": {"n": 2}, "gone": {"n": 3}})

    assert engine.store().read_all("tokens.main") == {
        "sales": Record("sales", 1, {"n": 1}),
        "support": Record("support", 2, {"n": 2}),
        "gone": Record("gone", 2, {"n": 3}),
    }


def test_adding_what_is_there_writes_nothing(store: Store) -> None:
    store.add("tokens.main", {"sales": {"n": 1}})
    revision = store.revision("tokens.main")

    store.add("tokens.main", {"sales": {"n": 2}})
    store.add("tokens.main", {})
    store.remove("tokens.main", ["support"])

    assert store.revision("tokens.main") == revision


def test_records_are_removed_at_once_and_their_versions_never_given_again(store: Store) -> None:
    store.add("tokens", {"sales": {"n": 1}, "support": {"n": 1}, "main": {"n": 1}})
    store.update("tokens", "sales", {"n": 2}, expected_version=1)

    store.remove("tokens", ["sales", "support", "never"])

    assert store.read_all("tokens") == {"main": Record("main", 1, {"n": 1})}
    store.add("tokens", {"support": {"n": 5}})
    assert store.read("tokens", "support") == Record("support", 3, {"n": 5})


# Compare and swap


@pytest.mark.parametrize("expected", [0, 1, 3], ids=["must not exist", "outdated", "never given"])
def test_another_version_than_expected_is_a_conflict_and_changes_nothing(store: Store, expected: int) -> None:
    store.update("settings", "overlay", {"n": 1}, expected_version=0)
    store.update("settings", "overlay", {"n": 2}, expected_version=1)
    revision = store.revision("settings")

    with pytest.raises(VersionConflictError, match="'overlay' was changed meanwhile"):
        store.update("settings", "overlay", {"n": 9}, expected_version=expected)

    assert store.read("settings", "overlay") == Record("overlay", 2, {"n": 2})
    assert store.revision("settings") == revision


def test_an_update_of_what_does_not_exist_is_a_conflict(store: Store) -> None:
    with pytest.raises(VersionConflictError):
        store.update("settings", "overlay", {"n": 1}, expected_version=1)


def test_a_deletion_needs_the_version_too(store: Store) -> None:
    store.update("settings", "overlay", {"n": 1}, expected_version=0)

    with pytest.raises(VersionConflictError):
        store.update("settings", "overlay", None, expected_version=2)

    assert store.update("settings", "overlay", None, expected_version=1) is None
    assert store.read("settings", "overlay") is None


def test_deleting_what_does_not_exist_writes_nothing(store: Store) -> None:
    assert store.update("settings", "overlay", None, expected_version=0) is None
    assert store.revision("settings") == ""


def test_a_deleted_keys_versions_are_never_given_again(store: Store) -> None:
    store.update("tokens", "a", {"n": 1}, expected_version=0)
    store.update("tokens", "a", {"n": 2}, expected_version=1)
    store.update("tokens", "a", None, expected_version=2)
    store.update("tokens", "b", {"n": 1}, expected_version=0)
    store.update("tokens", "b", None, expected_version=3)

    created = store.update("tokens", "a", {"n": 3}, expected_version=0)

    assert created == Record("a", 4, {"n": 3})
    with pytest.raises(VersionConflictError):
        store.update("tokens", "a", {"n": 4}, expected_version=2)


def test_of_many_threads_with_one_expectation_exactly_one_wins(store: Store) -> None:
    def try_to_create(number: int) -> Record | None:
        try:
            return store.update("tokens", "sales", {"n": number}, expected_version=0)
        except VersionConflictError:
            return None

    with ThreadPoolExecutor(16) as pool:
        winners = [record for record in pool.map(try_to_create, range(16)) if record]

    assert len(winners) == 1
    assert store.read("tokens", "sales") == winners[0]


@pytest.mark.parametrize("shared", [True, False], ids=["one store object", "a store object each"])
def test_threads_that_modify_one_record_lose_no_update(engine: Engine, shared: bool) -> None:
    common = engine.store()

    def increment_twenty_times(_: int) -> None:
        store = common if shared else engine.store()
        for _ in range(20):
            modify(store, "tokens", "counter", incremented)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(increment_twenty_times, range(8)))

    assert common.read("tokens", "counter") == Record("counter", 160, {"n": 160})


def test_a_reader_never_sees_a_half_or_an_older_version(engine: Engine) -> None:
    def write_versions() -> int:
        store = engine.store()
        for number in range(1, 81):
            store.update("tokens", "sales", {"n": number}, expected_version=number - 1)
        return number

    def versions_seen() -> list[int]:
        store, seen = engine.store(), [0]
        while seen[-1] < 80:
            record = store.read("tokens", "sales")
            seen.append(record.version if record else 0)
        return seen

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(versions_seen), pool.submit(versions_seen)]
        pool.submit(write_versions).result(timeout=60)
        first, second = (reader.result(timeout=60) for reader in readers)

    assert first == sorted(first)
    assert second == sorted(second)


def test_the_revision_changes_with_every_write_of_anybody(store: Store, engine: Engine) -> None:
    other = engine.store()

    def revision_after(number: int) -> str:
        other.update("settings", "overlay", {"n": number % 10}, expected_version=number)
        return store.revision("settings")

    revisions = [revision_after(number) for number in range(100)]

    assert len(set(revisions)) == 100
    assert store.revision("settings") == other.revision("settings")


# modify


def test_modify_creates_changes_and_deletes(store: Store) -> None:
    assert modify(store, "users", "ana", lambda _: {"role": "viewer"}) == Record("ana", 1, {"role": "viewer"})
    assert modify(store, "users", "ana", lambda user: {**(user or {}), "x": 1}) == Record(
        "ana", 2, {"role": "viewer", "x": 1}
    )
    assert modify(store, "users", "ana", lambda _: None) is None
    assert store.read("users", "ana") is None


def test_modify_writes_nothing_when_nothing_changes(store: Store) -> None:
    record = store.update("users", "ana", {"role": "viewer"}, expected_version=0)
    revision = store.revision("users")

    assert modify(store, "users", "ana", lambda user: user) == record
    assert modify(store, "users", "bob", lambda user: user) is None
    assert store.revision("users") == revision


def test_modify_notices_a_change_made_in_place(store: Store) -> None:
    def change(user: Value | None) -> Mapping[str, Any] | None:
        assert user
        user["roles"].append("admin")
        return user

    store.update("users", "ana", {"roles": []}, expected_version=0)

    modify(store, "users", "ana", change)

    assert store.read("users", "ana") == Record("ana", 2, {"roles": ["admin"]})


def test_modify_leaves_everything_when_the_change_raises(store: Store) -> None:
    def refuse(_: Value | None) -> Value:
        raise LookupError("no")

    with pytest.raises(LookupError):
        modify(store, "users", "ana", refuse)

    assert store.revision("users") == ""
