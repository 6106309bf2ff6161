"""The store in PostgreSQL: whose it is, what it refuses, and what remains while it is away."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest

from core.exceptions import ConfigurationError, StoreError
from core.models import HistoryEntry
from core.store import Record, Store, modify, open_store
from core.store.postgresql import Database, PostgresHistory, PostgresStore
from tests.support.engines import PostgresEngine
from tests.support.postgresql import Server, running_server, transaction_pooler
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import until

ENTRY = HistoryEntry(at=datetime(2026, 3, 10, 12, tzinfo=UTC), kind="transition", server="main")


def sql(engine: PostgresEngine, statement: str) -> None:
    with psycopg.connect(engine.url, autocommit=True) as connection:
        connection.execute(statement.encode())


def put(store: Store, number: int) -> Record | None:
    return store.update("settings", "saved", {"n": number}, expected_version=number - 1)


def is_usable(store: Store) -> bool:
    """Return whether a read has reached the database."""
    store.read("settings", "saved")
    return store.notices == ()


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
    sql(postgres_engine, "UPDATE wppconnect_store SET schema = 99")

    with pytest.raises(StoreError) as at_once:
        postgres_engine.store().read("settings", "saved")
    with pytest.raises(StoreError) as at_the_next_write:
        put(connected, 2)

    expected = ("store.database_newer", {"found": 99, "known": 1})
    assert problem_of(at_once.value) == expected
    assert problem_of(at_the_next_write.value) == expected


# One installation at a time


def test_another_installation_is_refused_with_the_first_ones_host(postgres_engine: PostgresEngine) -> None:
    put(postgres_engine.store(), 1)
    other = PostgresStore(postgres_engine.database(of="elsewhere"))

    with pytest.raises(StoreError) as refused:
        other.read("settings", "saved")

    message, arguments = problem_of(refused.value)
    assert (message, arguments["host"]) == ("store.database_in_use", socket.gethostname())
    assert 1 <= int(str(arguments["seconds"])) <= 60
    assert other.notices == (refused.value.explanation,)


@pytest.mark.parametrize("shift", ["- interval '61 s'", "+ interval '1 h'"], ids=["expired", "of the future"])
def test_an_installation_that_renews_nothing_is_replaced_and_writes_nothing_more(
    postgres_engine: PostgresEngine, shift: str
) -> None:
    first, log = postgres_engine.store(), postgres_engine.history()
    put(first, 1)
    first.read("settings", "saved")
    log.append(ENTRY)
    sql(postgres_engine, f"UPDATE wppconnect_store SET renewed_at = clock_timestamp() {shift}")  # noqa: S608
    database = postgres_engine.database(of="elsewhere")
    second = PostgresStore(database)

    put(second, 2)
    with pytest.raises(StoreError) as of_a_record:
        put(first, 3)
    with pytest.raises(StoreError) as of_an_entry:
        log.append(ENTRY)

    assert of_a_record.value.explanation.id == "store.database_in_use"
    assert of_an_entry.value.explanation.id == "store.database_in_use"
    assert first.read("settings", "saved") == Record("saved", 1, {"n": 1})
    assert second.read("settings", "saved") == Record("saved", 2, {"n": 2})
    assert PostgresHistory(database).read() == [ENTRY]


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


# Away


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of this file's own, which the tests stop."""
    with running_server() as server:
        yield server


@pytest.fixture
def stopped_and_started(server: Server, tmp_path: Path) -> Iterator[PostgresEngine]:
    engine = PostgresEngine(server.new_url(), tmp_path)
    yield engine
    engine.close()
    server.start()


def test_while_the_server_is_away_reads_go_on_and_writes_are_refused_and_then_all_goes_on(
    server: Server, stopped_and_started: PostgresEngine
) -> None:
    store, log = stopped_and_started.store(), stopped_and_started.history()
    put(store, 1)
    log.append(ENTRY)
    assert store.read("settings", "saved")
    revision = store.revision("settings")

    server.stop()
    with pytest.raises(StoreError) as of_a_record:
        put(store, 2)
    with pytest.raises(StoreError) as of_an_entry:
        log.append(ENTRY)
    with pytest.raises(StoreError) as of_what_was_never_read:
        store.read("users", "ana")

    assert [one.value.explanation.id for one in (of_a_record, of_an_entry, of_what_was_never_read)] == [
        "store.database_away"
    ] * 3
    assert store.read("settings", "saved") == Record("saved", 1, {"n": 1})
    assert store.revision("settings") == revision
    assert store.notices == (of_a_record.value.explanation,)

    server.start()

    until(lambda: is_usable(store))
    assert put(store, 2) == Record("saved", 2, {"n": 2})
    assert log.read() == [ENTRY]


@pytest.fixture
def proxy(postgresql: Server) -> Iterator[TcpProxy]:
    with TcpProxy(postgresql.port) as proxy:
        yield proxy


@pytest.fixture
def behind_proxy(postgresql: Server, proxy: TcpProxy, tmp_path: Path) -> Iterator[Database]:
    engine = PostgresEngine(f"{postgresql.new_url(port=proxy.port)}&connect_timeout=1", tmp_path)
    yield engine.database(answer_seconds=0.5)
    engine.close()


def test_a_connection_that_was_cut_costs_nothing(behind_proxy: Database, proxy: TcpProxy) -> None:
    store = PostgresStore(behind_proxy)
    put(store, 1)

    proxy.cut()

    assert until(lambda: store.read("settings", "saved")) == Record("saved", 1, {"n": 1})
    assert store.notices == ()
    assert put(store, 2) == Record("saved", 2, {"n": 2})


def test_a_network_that_swallows_everything_holds_nobody_up(behind_proxy: Database, proxy: TcpProxy) -> None:
    store = PostgresStore(behind_proxy)
    put(store, 1)
    assert store.read("settings", "saved")

    proxy.hang()
    kept = store.read("settings", "saved")
    with pytest.raises(StoreError) as refused:
        put(store, 2)
    notices = store.notices
    proxy.resume()

    assert kept == Record("saved", 1, {"n": 1})
    assert (refused.value.explanation.id, len(notices)) == ("store.database_away", 1)
    until(lambda: is_usable(store))


def test_behind_a_pooler_in_transaction_mode_nothing_is_lost(postgresql: Server, tmp_path: Path) -> None:
    def increment_ten_times(store: Store) -> None:
        for _ in range(10):
            modify(store, "tokens", "counter", lambda value: {"n": (value or {"n": 0})["n"] + 1})

    with transaction_pooler(postgresql, connections=2) as url:
        engine = PostgresEngine(url, tmp_path)
        stores = [engine.store() for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(increment_ten_times, stores))
        counted = stores[0].read("tokens", "counter")
        log = engine.history()
        added = log.follow(ENTRY.at, kinds=[ENTRY.kind])
        log.append(ENTRY, ENTRY)
        entries = list(added())
        engine.close()

    assert counted == Record("counter", 60, {"n": 60})
    assert entries == [ENTRY, ENTRY]
