"""What machines on one database share: leases, gateways, snapshots, attention."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from core.clock import now as real_now
from core.exceptions import StoreError
from core.locks import FileLocks, Locks
from core.models import HistoryEntry, ServerSnapshot, SessionSnapshot, Verdict
from core.store import ProberLease
from core.store.postgresql import DatabaseCoordination, Leases, PostgresHistory
from core.store.postgresql.exchange import PROBER, DatabaseExchange
from core.store.postgresql.leases import LEASE_SECONDS
from tests.support.engines import FileEngine, PostgresEngine
from tests.support.snapshots import server_snapshot
from tests.support.waiting import until

MAIN = "main"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def sql(engine: PostgresEngine, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(engine.url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def let_expire(engine: PostgresEngine) -> None:
    """End every lease as if its holder had been killed."""
    sql(engine, "UPDATE wppconnect_leases SET expires_at = clock_timestamp() - interval '1 ms'")


class Machine:
    """A process on a machine of its own, without the thread that renews."""

    def __init__(self, engine: PostgresEngine, name: str, *, ahead: timedelta = timedelta(0)) -> None:
        database = engine.database(of=name)
        self.elapsed = 0.0
        self.leases = Leases(database, program=name, rank=0, monotonic=lambda: self.elapsed)
        self._ahead = ahead
        self.exchange = DatabaseExchange(database, self.leases, engine.folder / name, clock=self.now)
        self.history = PostgresHistory(database)

    def now(self) -> datetime:
        return real_now() + self._ahead

    def session(self, name: str, verdict: Verdict = Verdict.CONNECTED) -> SessionSnapshot:
        return SessionSnapshot(server=MAIN, session=name, enabled=True, verdict=verdict, since=self.now())

    def publish(self, *sessions: SessionSnapshot, version: str = "") -> None:
        """Publish as the holder of the lease does."""
        if self.leases.fence(PROBER + MAIN) is None:
            assert self.leases.acquire(PROBER + MAIN)
        self.exchange.publish(server_snapshot(*sessions, at=self.now(), version=version))
        self.exchange.send()

    def reads(self) -> ServerSnapshot:
        """Return what it reads of the gateway."""
        self.exchange.read(MAIN)
        self.exchange.fetch()
        found = self.exchange.read(MAIN)
        assert found is not None
        return found


@pytest.fixture
def a(postgres_engine: PostgresEngine) -> Machine:
    return Machine(postgres_engine, "a")


@pytest.fixture
def b(postgres_engine: PostgresEngine) -> Machine:
    return Machine(postgres_engine, "b")


# Locks, as both engines have them


@pytest.fixture
def machines(engine: FileEngine | PostgresEngine) -> tuple[Locks, Locks]:
    if isinstance(engine, FileEngine):
        return FileLocks(engine.folder), FileLocks(engine.folder)
    return Machine(engine, "a").leases, Machine(engine, "b").leases


def test_a_lock_is_held_once_and_free_after_its_release(machines: tuple[Locks, Locks]) -> None:
    one, two = (locks.lock("operation-main.sales") for locks in machines)
    assert not machines[1].is_locked("operation-main.sales")

    assert one.try_acquire()
    assert not two.try_acquire()
    assert not machines[0].lock("operation-main.sales").try_acquire()
    assert machines[1].is_locked("operation-main.sales")
    assert machines[1].lock("operation-main.other").try_acquire()

    assert not one.is_lost
    one.release()
    one.release()
    assert not machines[1].is_locked("operation-main.sales")
    with two:
        assert not one.try_acquire()
        with pytest.raises(StoreError):
            one.acquire(0.05)
    assert one.try_acquire()


# Leases


def test_a_lease_that_is_not_renewed_goes_to_the_next_and_its_number_never_back(
    postgres_engine: PostgresEngine, a: Machine, b: Machine
) -> None:
    assert a.leases.acquire("x") == {"x": 1}
    let_expire(postgres_engine)
    assert b.leases.acquire("x") == {"x": 2}

    a.leases.renew(None, prefix=PROBER)
    b.leases.renew(None, prefix=PROBER)

    assert (a.leases.fence("x"), b.leases.fence("x")) == (None, 2)
    b.leases.leave()
    assert a.leases.acquire("x") == {"x": 3}


def test_a_lease_that_nobody_took_meanwhile_is_renewed(postgres_engine: PostgresEngine, a: Machine) -> None:
    a.leases.acquire("x")
    let_expire(postgres_engine)
    assert not a.leases.is_locked("x")

    a.leases.renew(None, prefix=PROBER)

    assert a.leases.is_locked("x")
    assert a.leases.fence("x") == 1


def test_who_cannot_renew_knows_when_its_lease_ends(a: Machine) -> None:
    lock = a.leases.lock("x")
    assert not lock.is_lost
    with lock:
        a.elapsed += LEASE_SECONDS - 1
        before = lock.is_lost
        a.elapsed += 1
        after = lock.is_lost
        a.leases.renew(None, prefix=PROBER)

        assert (before, after, lock.is_lost) == (False, True, False)
    assert not lock.is_lost


def test_a_lock_that_another_took_is_lost(postgres_engine: PostgresEngine, a: Machine, b: Machine) -> None:
    lock, other = a.leases.lock("x"), b.leases.lock("x")
    assert lock.try_acquire()
    let_expire(postgres_engine)
    assert other.try_acquire()

    a.leases.renew(None, prefix=PROBER)

    assert (lock.is_lost, other.is_lost) == (True, False)
    # Nor does a new hold of the same process bring the old one back.
    let_expire(postgres_engine)
    again = a.leases.lock("x")
    assert again.try_acquire()
    assert (lock.is_lost, again.is_lost) == (True, False)


def test_a_lease_from_a_database_whose_clock_was_ahead_keeps_nobody_out(
    postgres_engine: PostgresEngine, a: Machine, b: Machine
) -> None:
    a.leases.acquire("x")
    sql(postgres_engine, "UPDATE wppconnect_leases SET expires_at = clock_timestamp() + interval '1 h'")

    assert b.leases.acquire("x") == {"x": 2}


def test_who_lost_a_lease_writes_no_history_and_no_snapshot(
    postgres_engine: PostgresEngine, a: Machine, b: Machine
) -> None:
    one, two, three = (
        HistoryEntry(at=NOON + timedelta(seconds=number), kind="transition", server=MAIN)
        for number in range(3)
    )
    fence = a.leases.acquire(PROBER + MAIN)[PROBER + MAIN]
    history = a.history.fenced(PROBER + MAIN, a.leases.holder, fence)
    history.append(one)
    let_expire(postgres_engine)
    history.append(two)  # nobody has taken it
    b.publish(b.session("sales"), version="of b")

    with pytest.raises(StoreError) as refused:
        history.append(three)
    a.publish(a.session("sales"), version="of a")

    assert refused.value.explanation.id == "store.lease_lost"
    assert b.history.read() == [one, two]
    assert Machine(postgres_engine, "c").reads().version == "of b"


# Snapshots and attention


def test_a_snapshot_reaches_other_machines_and_only_what_changed_is_written(
    postgres_engine: PostgresEngine, a: Machine, b: Machine
) -> None:
    one, two = a.session("one"), a.session("two")
    a.publish(one, two)
    first = b.reads()
    changed = two.model_copy(update={"verdict": Verdict.LINKING})
    a.publish(one, changed)

    assert first.sessions == (one, two)
    assert b.reads().sessions == (one, changed)
    rows = sql(postgres_engine, "SELECT session, revision FROM wppconnect_snapshots ORDER BY session")
    assert rows == [("", 2), ("one", 1), ("two", 2)]


def test_a_holder_reads_what_it_published_last_and_not_what_it_took_over(a: Machine, b: Machine) -> None:
    a.publish(a.session("sales", Verdict.DISCONNECTED))
    a.leases.leave()
    assert b.leases.acquire(PROBER + MAIN)
    b.exchange.fetch([MAIN])
    assert [one.verdict for one in b.reads().sessions] == [Verdict.DISCONNECTED]

    b.publish(b.session("sales"))

    assert [one.verdict for one in b.reads().sessions] == [Verdict.CONNECTED]
    # Whoever held it before reads the new holder's.
    assert [one.verdict for one in a.reads().sessions] == [Verdict.CONNECTED]


def test_a_session_that_was_removed_is_gone_everywhere(
    postgres_engine: PostgresEngine, a: Machine, b: Machine
) -> None:
    a.publish(a.session("one"), a.session("two"))
    assert len(b.reads().sessions) == 2
    a.leases.leave()
    last = a.session("two")

    a.publish(last)

    assert b.reads().sessions == (last,)
    assert sql(postgres_engine, "SELECT count(*) FROM wppconnect_snapshots") == [(2,)]


def test_a_database_that_went_back_is_read_again_as_a_whole(
    postgres_engine: PostgresEngine, a: Machine, b: Machine
) -> None:
    for _ in range(5):
        a.publish(a.session("one"))
    b.reads()
    sql(postgres_engine, "UPDATE wppconnect_snapshots SET revision = 1")
    last = a.session("one", Verdict.STUCK)

    a.publish(last)

    assert b.reads().sessions == (last,)


@pytest.mark.parametrize("hours", [-1, 1])
def test_moments_of_a_machine_whose_clock_is_off_are_reckoned_in_ones_own(
    postgres_engine: PostgresEngine, b: Machine, hours: int
) -> None:
    off = Machine(postgres_engine, "off", ahead=timedelta(hours=hours))
    off.publish(off.session("one"))

    found = b.reads()

    assert abs(found.published_at - b.now()) < timedelta(seconds=60)
    assert abs(found.sessions[0].since - b.now()) < timedelta(seconds=60)


def test_while_the_database_is_away_machines_have_what_they_read_last_and_their_own_files(
    postgres_engine: PostgresEngine, a: Machine, b: Machine
) -> None:
    here, there = a.session("one"), a.session("one", Verdict.STUCK)
    a.publish(here)
    b.reads()
    sql(postgres_engine, "ALTER TABLE wppconnect_snapshots RENAME TO away")

    a.exchange.publish(server_snapshot(there, at=a.now()))
    for machine in (a, b):
        with pytest.raises(StoreError):
            machine.exchange.fetch()
    with pytest.raises(StoreError):
        a.exchange.send()
    read = [machine.exchange.read(MAIN) for machine in (a, b)]
    sql(postgres_engine, "ALTER TABLE away RENAME TO wppconnect_snapshots")
    a.exchange.send()

    assert [one.sessions for one in read if one] == [(there,), (here,)]
    assert b.reads().sessions == (there,)


def test_attention_reaches_the_prober_and_each_request_is_a_new_one(
    postgres_engine: PostgresEngine, a: Machine
) -> None:
    off = Machine(postgres_engine, "off", ahead=timedelta(hours=1))
    off.exchange.ask_attention(MAIN, "sales", off.now() + timedelta(seconds=30))
    a.exchange.fetch()
    first = a.exchange.attention(MAIN)
    a.exchange.fetch()
    unchanged = a.exchange.attention(MAIN)
    off.exchange.ask_attention(MAIN, "sales", off.now() + timedelta(seconds=2))
    a.exchange.fetch()

    assert timedelta(0) < first["sales"] - a.now() < timedelta(seconds=31)
    assert unchanged == first
    assert a.exchange.attention(MAIN)["sales"] != first["sales"]
    assert list(off.exchange.attention(MAIN)) == ["sales"]


# Shares


class Sharing:
    """Machines that share gateways, with the thread that renews."""

    def __init__(self, engine: PostgresEngine) -> None:
        self.engine = engine
        self.gateways = [f"g{number}" for number in range(7)]
        self.ends = ExitStack()
        self.leases: dict[str, dict[str, ProberLease]] = {}

    def join(self, name: str, *, rank: int = 0) -> DatabaseCoordination:
        made = DatabaseCoordination(
            self.engine.database(of=name), self.engine.folder / name, program=name, rank=rank
        )
        self.ends.enter_context(closing(made))
        made.share(self.gateways)
        return made

    def held(self, *machines: DatabaseCoordination) -> list[int]:
        """Take and release leases as probers do; return how many each machine has."""
        for machine in machines:
            leases = self.leases.setdefault(machine.locks.holder, {})
            for gateway in self.gateways:
                if gateway not in leases:
                    lease = machine.prober_lease(gateway)
                    if lease.try_acquire():
                        leases[gateway] = lease
                elif leases[gateway].is_over:
                    leases.pop(gateway).release()
        return [len(self.leases[machine.locks.holder]) for machine in machines]


@pytest.fixture
def sharing(postgres_engine: PostgresEngine) -> Iterator[Sharing]:
    made = Sharing(postgres_engine)
    with made.ends:
        yield made


def test_gateways_are_shared_again_when_a_machine_joins_and_when_one_leaves(sharing: Sharing) -> None:
    one = sharing.join("one")
    until(lambda: sharing.held(one) == [7], what="all gateways on one")
    two = sharing.join("two")
    until(lambda: sorted(sharing.held(one, two)) == [3, 4], what="even shares")

    one.close()

    until(lambda: sharing.held(two) == [7], what="all gateways on the other")


def test_a_page_probes_only_while_no_exporter_does(sharing: Sharing) -> None:
    page = sharing.join("page", rank=1)
    until(lambda: sharing.held(page) == [7], what="all gateways on the page")
    exporter = sharing.join("exporter")
    until(lambda: sharing.held(page, exporter) == [0, 7], what="all gateways on the exporter")

    exporter.close()

    until(lambda: sharing.held(page) == [7], what="all gateways on the page again")
