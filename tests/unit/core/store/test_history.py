"""The history log: what both engines of the store promise."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from core.models import HistoryEntry
from core.store import HistoryLog
from tests.fakes import FakeClock
from tests.support.engines import Engine

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def entry(
    at: datetime = NOON, kind: str = "transition", session: str | None = "sales", n: int = 0
) -> HistoryEntry:
    return HistoryEntry(at=at, kind=kind, server="main", session=session, data={"n": n})


def numbers(entries: list[HistoryEntry]) -> list[object]:
    return [one.data["n"] for one in entries]


@pytest.fixture
def history(engine: Engine) -> HistoryLog:
    return engine.history(clock=lambda: NOON)


def test_an_empty_history_has_no_entries(history: HistoryLog) -> None:
    assert history.read() == []
    assert history.latest("main", "sales", "transition") is None
    history.append()
    assert history.read() == []


def test_entries_are_read_as_they_were_written(history: HistoryLog, engine: Engine) -> None:
    written = HistoryEntry(
        at=NOON,
        kind="operation",
        server="main",
        session="sales",
        actor="ação\nnew line",
        data={"text": "a", "count": 1, "seconds": 1.5, "ok": True, "none": None},
    )

    history.append(written)

    assert engine.history().read() == [written]


def test_entries_come_in_order_of_time_across_days(history: HistoryLog) -> None:
    history.append(
        entry(NOON, n=2), entry(NOON - timedelta(days=1), n=1), entry(NOON + timedelta(days=1), n=4)
    )
    history.append(entry(NOON + timedelta(seconds=1), n=3))

    assert numbers(history.read()) == [1, 2, 3, 4]
    assert numbers(history.read(newest_first=True)) == [4, 3, 2, 1]


def test_entries_of_one_moment_keep_the_order_of_their_appending(history: HistoryLog) -> None:
    history.append(entry(n=1))
    history.append(entry(n=2))

    assert numbers(history.read()) == [1, 2]
    assert numbers(history.read(newest_first=True)) == [2, 1]


def test_a_limit_keeps_the_first_in_the_asked_order(history: HistoryLog) -> None:
    history.append(*(entry(NOON + timedelta(days=day), n=day) for day in range(5)))

    assert numbers(history.read(limit=2)) == [0, 1]
    assert numbers(history.read(limit=2, newest_first=True)) == [4, 3]


def test_since_and_until_are_both_included(history: HistoryLog) -> None:
    history.append(*(entry(NOON + timedelta(hours=9 * step), n=step) for step in range(6)))

    found = history.read(since=NOON + timedelta(hours=9), until=NOON + timedelta(hours=36))

    assert numbers(found) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param({"server": "main"}, [1, 2, 3], id="by server"),
        pytest.param({"server": "other"}, [4], id="by another server"),
        pytest.param({"session": "sales"}, [1, 2, 4], id="by session"),
        pytest.param({"session": "ação"}, [5], id="by a name that JSON may spell in two ways"),
        pytest.param({"kinds": {"operation"}}, [2], id="by kind"),
        pytest.param({"kinds": set()}, [], id="by no kind"),
        pytest.param({"server": "main", "session": "sales", "kinds": ["transition"]}, [1], id="by all"),
    ],
)
def test_entries_are_found(history: HistoryLog, wanted: dict[str, object], expected: list[int]) -> None:
    history.append(
        HistoryEntry(at=NOON, kind="transition", server="main", session="sales", data={"n": 1}),
        HistoryEntry(at=NOON, kind="operation", server="main", session="sales", data={"n": 2}),
        HistoryEntry(at=NOON, kind="transition", server="main", session="support", data={"n": 3}),
        HistoryEntry(at=NOON, kind="transition", server="other", session="sales", data={"n": 4}),
        HistoryEntry(at=NOON, kind="sign_in", session="ação", data={"n": 5}),
    )

    assert numbers(history.read(**wanted)) == expected  # type: ignore[arg-type]


def test_the_latest_of_a_kind_is_found_over_days(history: HistoryLog) -> None:
    history.append(entry(NOON - timedelta(days=30), n=1), entry(NOON - timedelta(days=20), n=2))
    history.append(entry(NOON, kind="operation", n=3), entry(NOON, session="support", n=4))

    latest = history.latest("main", "sales", "transition")

    assert latest == entry(NOON - timedelta(days=20), n=2)


def test_the_latest_is_looked_for_no_further_back_than_wanted(history: HistoryLog) -> None:
    history.append(entry(NOON - timedelta(days=1), n=1))

    assert history.latest("main", "sales", "transition", since=NOON - timedelta(days=1)) is not None
    assert history.latest("main", "sales", "transition", since=NOON) is None


def test_the_latest_of_a_day_is_the_last_appended(history: HistoryLog) -> None:
    history.append(*(entry(n=number) for number in range(20)))

    assert history.latest("main", "sales", "transition") == entry(n=19)


def test_the_latest_is_asked_for_exactly_that_session(history: HistoryLog) -> None:
    history.append(entry(session="sales2"), entry(session=None))

    assert history.latest("main", "sales", "transition") is None
    assert history.latest("main", None, "transition") == entry(session=None)


def test_threads_that_append_lose_nothing(engine: Engine) -> None:
    def append_twenty(worker: int) -> None:
        history = engine.history()
        for number in range(20):
            history.append(entry(n=worker * 100 + number))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(append_twenty, range(6)))

    expected = [worker * 100 + number for worker in range(6) for number in range(20)]
    assert sorted(numbers(engine.history().read()), key=str) == sorted(expected, key=str)


def test_a_new_day_deletes_days_older_than_the_retention(
    engine: Engine,
) -> None:
    engine.history(clock=lambda: NOON).append(
        *(entry(NOON - timedelta(days=days), n=days) for days in (4, 3, 2, 1))
    )
    history = engine.history(retention_days=2, clock=lambda: NOON)

    history.append(entry(NOON, n=0))

    assert numbers(history.read()) == [2, 1, 0]


def test_a_clock_that_is_years_ahead_for_a_day_deletes_nothing(engine: Engine) -> None:
    clock = FakeClock()
    history = engine.history(clock=clock)
    history.append(*(entry(clock() - timedelta(days=days), n=days) for days in (3, 2, 1)))

    clock.advance(timedelta(days=3650).total_seconds())
    history.append(entry(clock(), n=99))
    clock.advance(timedelta(days=-3650).total_seconds())
    history.append(entry(clock(), n=0))

    assert numbers(history.read(until=clock())) == [3, 2, 1, 0]


def test_a_follower_gets_each_line_once_in_the_order_of_writing(history: HistoryLog) -> None:
    history.append(entry(NOON + timedelta(seconds=1), n=1), entry(NOON, n=2))
    added = history.follow(NOON, kinds=["transition"])

    first = numbers(list(added()))
    history.append(entry(NOON, n=3), entry(NOON + timedelta(days=1), n=4))
    second = numbers(list(added()))

    assert (first, second, list(added())) == ([1, 2], [3, 4], [])


def test_a_follower_begins_with_the_day_that_it_names_and_hears_of_the_kinds_that_it_names(
    history: HistoryLog,
) -> None:
    yesterday = NOON - timedelta(days=1)
    history.append(entry(yesterday, n=1), entry(n=2), entry(kind="settings", n=3))

    added = history.follow(NOON, kinds=["transition"])

    assert numbers(list(added())) == [2]


def test_a_follower_of_an_empty_history_hears_of_the_first_line(history: HistoryLog) -> None:
    added = history.follow(NOON, kinds=["transition"])
    before = list(added())

    history.append(entry(n=1))

    assert (before, numbers(list(added()))) == ([], [1])
