"""The store in memory keeps the store's promises."""

from __future__ import annotations

import pytest

from core.exceptions import VersionConflictError
from core.store import MemoryStore, Store, modify

SUBJECT = "tokens.main"


@pytest.fixture
def store() -> Store:
    return MemoryStore()


def test_writer_that_names_another_version_is_refused(store: Store) -> None:
    first = store.update(SUBJECT, "a", {"n": 1}, expected_version=0)
    assert first is not None

    second = store.update(SUBJECT, "a", {"n": 2}, expected_version=first.version)
    with pytest.raises(VersionConflictError):
        store.update(SUBJECT, "a", {"n": 3}, expected_version=first.version)

    assert store.read(SUBJECT, "a") == second
    assert modify(store, SUBJECT, "a", lambda value: {"n": value["n"] + 1 if value else 0}) is not None
    assert store.read_all(SUBJECT)["a"].value == {"n": 3}


def test_what_is_read_is_a_copy(store: Store) -> None:
    store.add(SUBJECT, {"a": {"list": []}})

    store.read_all(SUBJECT)["a"].value["list"].append("changed")

    assert store.read_all(SUBJECT)["a"].value == {"list": []}


def test_records_are_added_once_and_versions_of_deleted_ones_do_not_come_again(store: Store) -> None:
    store.add(SUBJECT, {"a": {"n": 1}, "b": {"n": 1}})
    before = store.read(SUBJECT, "a")
    store.add(SUBJECT, {"a": {"n": 2}})
    assert before is not None
    unchanged = store.read(SUBJECT, "a")
    store.update(SUBJECT, "a", None, expected_version=before.version)
    store.remove(SUBJECT, ["b", "missing"])

    again = store.update(SUBJECT, "a", {"n": 3}, expected_version=0)

    assert unchanged == before
    assert again is not None
    assert again.version > before.version
    assert set(store.read_all(SUBJECT)) == {"a"}


def test_revision_changes_with_each_write(store: Store) -> None:
    revisions = [store.revision(SUBJECT)]
    for key in ("a", "b"):
        store.add(SUBJECT, {key: {}})
        revisions.append(store.revision(SUBJECT))
    store.remove(SUBJECT, ["a"])
    revisions.append(store.revision(SUBJECT))

    assert revisions[0] == store.revision("another") == ""
    assert len(set(revisions)) == 4
