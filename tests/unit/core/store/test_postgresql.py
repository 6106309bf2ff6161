"""The store in PostgreSQL: whose it is, and what it refuses."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from core.exceptions import ConfigurationError, StoreError
from core.models import HistoryEntry
from core.store import Record, Store, open_store
from core.store.postgresql import Leases
from core.store.postgresql.schema import SCHEMA_NUMBER
from tests.support.engines import PostgresEngine

ENTRY = HistoryEntry(at=datetime(2026, 3, 10, 12, tzinfo=UTC), kind="transition", server="main")

FULL_DISK = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON wppconnect_records EXECUTE FUNCTION full_disk()"""
"""Have writes fail as PostgreSQL does without disk space."""


def put(store: Store, number: int) -> Record | None:
    return store.update("settings", "saved", {"n": number}, expected_version=number - 1)


def problem_of(call: StoreError) -> tuple[str, dict[str, object]]:
    return call.explanation.id, dict(call.explanation.arguments)


# Schema


def test_processes_that_start_together_create_the_tables_once(postgres_engine: PostgresEngine) -> None:
    stores = [postgres_engine.store() for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda store: store.read("settings", "saved"), stores))

    assert found == [None] * 4
    assert put(stores[0], 1) == Record("saved", 1, {"n": 1})


def test_a_newer_schema_is_refused_by_its_number_also_by_who_is_connected(
    postgres_engine: PostgresEngine,
) -> None:
    connected = postgres_engine.store()
    put(connected, 1)
    postgres_engine.execute("UPDATE wppconnect_store SET schema = 99")

    with pytest.raises(StoreError) as at_once:
        postgres_engine.store().read("settings", "saved")
    with pytest.raises(StoreError) as at_the_next_write:
        put(connected, 2)

    expected = ("store.database_newer", {"found": 99, "known": SCHEMA_NUMBER})
    assert problem_of(at_once.value) == expected
    assert problem_of(at_the_next_write.value) == expected


def test_tables_of_an_older_schema_are_migrated_with_what_they_hold(postgres_engine: PostgresEngine) -> None:
    put(postgres_engine.store(), 1)
    postgres_engine.execute(
        "DROP TABLE wppconnect_leases, wppconnect_members, wppconnect_snapshots, wppconnect_attention",
        "UPDATE wppconnect_store SET schema = 1",
    )

    again = postgres_engine.store()

    assert put(again, 2) == Record("saved", 2, {"n": 2})
    assert Leases(postgres_engine.database(), program="test", rank=0).acquire("x") == {"x": 1}


@pytest.mark.parametrize("hours", [-1, 1])
def test_entries_of_a_machine_whose_clock_is_an_hour_off_are_kept_beside_the_others(
    postgres_engine: PostgresEngine, hours: int
) -> None:
    off = timedelta(hours=hours)
    right = postgres_engine.history(clock=lambda: ENTRY.at)
    wrong = postgres_engine.history(clock=lambda: ENTRY.at + off)
    days = [timedelta(days=-number) for number in (89, 30, 1)]

    for log, moments in ((right, days), (wrong, [off]), (right, [timedelta()])):
        log.append(*(ENTRY.model_copy(update={"at": ENTRY.at + moment}) for moment in moments))

    assert [one.at - ENTRY.at for one in right.read()] == sorted([*days, off, timedelta()])


# Refusals


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-c default_transaction_read_only=on", "store.database_read_only"),
        ("-c role=pg_monitor", "store.database_rights"),
        ("-c role=pg_monitor -c search_path=public", "store.database_rights"),
    ],
    ids=["a standby", "a role that may not use the schema", "a role that may create no tables"],
)
def test_a_database_that_cannot_be_written_is_called_that(
    postgres_engine: PostgresEngine, options: str, expected: str
) -> None:
    put(postgres_engine.store(), 1)
    refusing = PostgresEngine(f"{postgres_engine.url}%20{quote(options)}", postgres_engine.folder)

    with pytest.raises(StoreError) as refused:
        refusing.store().read("settings", "saved")

    assert refused.value.explanation.id == expected


def test_a_full_disk_is_said_until_a_write_succeeds_although_reads_do(
    postgres_engine: PostgresEngine,
) -> None:
    store = postgres_engine.store()
    put(store, 1)
    postgres_engine.execute(FULL_DISK)

    with pytest.raises(StoreError) as refused:
        put(store, 2)
    found = store.read("settings", "saved")
    notices = store.notices
    postgres_engine.execute("DROP TRIGGER full_disk ON wppconnect_records")
    put(store, 2)

    assert found == Record("saved", 1, {"n": 1})
    assert refused.value.explanation.id == "store.database_full"
    assert notices == (refused.value.explanation,)
    assert store.notices == ()


def test_text_that_postgresql_cannot_hold_fails_alone(postgres_engine: PostgresEngine) -> None:
    store = postgres_engine.store()

    with pytest.raises(StoreError) as refused:
        store.update("settings", "a\0b", {}, expected_version=0)

    assert refused.value.explanation.id == "store.database_refuses"
    assert store.notices == ()
    assert put(store, 1)


def test_a_wrong_password_stands_in_no_error_and_no_log(
    postgres_engine: PostgresEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parts = urlsplit(postgres_engine.url)
    url = f"postgresql://ops:wrong-password@127.0.0.1:{parts.port}/postgres"
    store, _ = open_store(tmp_path, url)

    with caplog.at_level(logging.DEBUG), pytest.raises(StoreError) as refused:
        store.read("settings", "saved")

    assert refused.value.explanation.id == "store.database_away"
    assert "wrong-password" not in f"{refused.value} {refused.value.__cause__} {caplog.text}"
    assert caplog.text.count("store_database_failed") == 1


@pytest.mark.parametrize(
    "url", ["postgresql://ops:hidden@host/db?no_such=1", "postgresql://ops:hidden@[host/db"]
)
def test_an_address_that_is_none_is_refused_without_repeating_it(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^WPPCONNECT_STORE_URL: ") as refused:
        open_store(tmp_path, url)

    assert "hidden" not in str(refused.value)
