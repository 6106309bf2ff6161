"""The store while its PostgreSQL is away, after a failover, and behind networks and poolers."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.exceptions import StoreError
from core.messages import Message
from core.models import HistoryEntry
from core.store import Record, Store, modify
from core.store.postgresql import Database, PostgresHistory, PostgresStore
from core.store.postgresql.database import Parameters, Rows
from tests.support.engines import PostgresEngine
from tests.support.postgresql import Server, running_server, transaction_pooler
from tests.support.tcp_proxy import TcpProxy
from tests.support.waiting import until

ENTRY = HistoryEntry(at=datetime(2026, 3, 10, 12, tzinfo=UTC), kind="transition", server="main")
TABLES = ("wppconnect_store", "wppconnect_subjects", "wppconnect_records", "wppconnect_history")


def at(days: float) -> HistoryEntry:
    return ENTRY.model_copy(update={"at": ENTRY.at + timedelta(days=days)})


def put(store: Store, number: int) -> Record | None:
    return store.update("settings", "saved", {"n": number}, expected_version=number - 1)


def is_usable(store: Store) -> bool:
    """Return whether a read has reached the database."""
    store.read("settings", "saved")
    return store.notices == ()


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


def test_after_a_failover_that_lost_writes_nothing_that_was_lost_is_kept(
    server: Server, stopped_and_started: PostgresEngine
) -> None:
    reader, writer = stopped_and_started.store(), stopped_and_started.store()
    log = stopped_and_started.history()
    added = stopped_and_started.history().follow(ENTRY.at, kinds=[ENTRY.kind])
    put(writer, 1)
    log.append(ENTRY)
    stopped_and_started.execute(*(f"CREATE TABLE kept_{name} AS TABLE {name}" for name in TABLES))
    put(writer, 2)
    log.append(at(0.1))
    before = reader.read("settings", "saved"), reader.revision("settings"), list(added())

    stopped_and_started.execute(
        *(f"DELETE FROM {name}; INSERT INTO {name} TABLE kept_{name}" for name in TABLES)  # noqa: S608
    )
    server.stop()
    server.start()
    writer.update("settings", "saved", {"n": "other"}, expected_version=1)
    log.append(at(0.2))

    assert before[0] == Record("saved", 2, {"n": 2})
    assert reader.read("settings", "saved") == Record("saved", 2, {"n": "other"})
    assert reader.revision("settings") != before[1]
    assert before[2] == [ENTRY, at(0.1)]
    assert list(added()) == [at(0.2)]


def test_a_failover_to_a_synchronous_standby_loses_nothing_confirmed(
    server: Server, stopped_and_started: PostgresEngine
) -> None:
    with server.standby() as standby, ThreadPoolExecutor(1) as thread:
        server.stop()
        server.start(synchronous_standby_names="*")
        url = f"{server.new_url(server.port, standby.port)}&target_session_attrs=read-write"
        engine = PostgresEngine(url, stopped_and_started.folder)
        confirmed: list[HistoryEntry] = []
        is_over = threading.Event()
        writing = thread.submit(write_until, is_over, engine, confirmed)
        until(lambda: len(confirmed) >= 20)

        standby.stop()
        before = len(confirmed)
        with pytest.raises(StoreError) as refused:
            PostgresStore(engine.database(answer_seconds=0.5)).add("tokens", {"alone": {}})
        after = len(confirmed)
        standby.start()
        until(lambda: len(confirmed) >= after + 20)
        server.stop(signal.SIGQUIT)
        standby.promote()
        until(lambda: len(confirmed) >= after + 40)
        is_over.set()
        writing.result(60)

        entries, records = engine.history().read(), engine.store().read_all("tokens")
        engine.close()

    assert after - before <= 1
    assert refused.value.explanation.id == "store.database_away"
    assert entries == confirmed
    assert set(records) >= {str(number) for number in range(len(confirmed))}


def write_until(is_over: threading.Event, engine: PostgresEngine, confirmed: list[HistoryEntry]) -> None:
    """Write one after the other, each until it is confirmed."""
    store, log = PostgresStore(engine.database(answer_seconds=2)), engine.history()
    while not is_over.is_set():
        entry = at(len(confirmed) / 1000)
        try:
            store.add("tokens", {str(len(confirmed)): {}})
            log.append(entry)
        except StoreError:
            is_over.wait(0.1)
        else:
            confirmed.append(entry)


@pytest.fixture
def proxy(postgresql: Server) -> Iterator[TcpProxy]:
    with TcpProxy(postgresql.port) as proxy:
        yield proxy


@pytest.fixture
def behind_proxy(postgresql: Server, proxy: TcpProxy, tmp_path: Path) -> Iterator[Database]:
    engine = PostgresEngine(f"{postgresql.new_url(proxy.port)}&connect_timeout=1", tmp_path)
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


def test_entries_whose_confirmation_got_lost_are_there_once_after_they_were_repeated(
    behind_proxy: Database, proxy: TcpProxy
) -> None:
    log = PostgresHistory(behind_proxy)
    log.append(ENTRY)

    proxy.hold_answers()
    with pytest.raises(StoreError):
        log.append(at(0.1), at(0.2))
    proxy.cut()
    proxy.resume()
    until(lambda: has_appended(log, at(0.1), at(0.2), at(0.3)))

    assert log.read() == [ENTRY, at(0.1), at(0.2), at(0.3)]


def has_appended(log: PostgresHistory, *entries: HistoryEntry) -> bool:
    try:
        log.append(*entries)
    except StoreError:
        return False
    return True


class Unconfirmed(Database):
    """A database that fails unless it `confirms`, for the holder of the lease `main` after a while."""

    def __init__(self, folder: Path) -> None:
        super().__init__("postgresql://ops@localhost/ops", marker=folder / "installation.json")
        self.confirms = False
        self.waiting, self.time_limit = threading.Event(), threading.Event()
        self.tries: list[str] = []

    def write(self, statement: str, parameters: Parameters, *, operation: str) -> Rows:
        """Record who tries."""
        self.tries.append(parameters.get("lease", "a person"))
        if parameters.get("lease") == "main":
            self.waiting.set()
            assert self.time_limit.wait(60)
        if not self.confirms:
            raise StoreError(Message("store.database_away"), operation=operation)
        return [(1,)]


def test_while_writes_are_not_confirmed_one_prober_at_a_time_waits_and_people_still_try(
    tmp_path: Path,
) -> None:
    database, moment = Unconfirmed(tmp_path), 0.0
    history = PostgresHistory(database, monotonic=lambda: moment)
    main, other = history.fenced("main", "me", 1), history.fenced("other", "me", 1)

    database.time_limit.set()
    assert not has_appended(main, ENTRY)
    assert not has_appended(other, ENTRY)
    database.waiting.clear()
    database.time_limit.clear()
    moment = 1.0
    with ThreadPoolExecutor(1) as thread:
        second = thread.submit(has_appended, main, ENTRY)
        assert database.waiting.wait(60)
        assert not has_appended(other, ENTRY)
        assert not has_appended(history, ENTRY)
        moment = 11.0
        database.time_limit.set()
        assert not second.result(60)
    moment = 20.0
    assert not has_appended(other, ENTRY)
    tries, database.tries = database.tries, []
    moment, database.confirms = 21.0, True

    assert tries == ["main", "main", "a person"]
    assert has_appended(other, ENTRY)
    assert has_appended(main, ENTRY)
    assert [name for name in database.tries if name != "a person"] == ["other", "main"]


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
