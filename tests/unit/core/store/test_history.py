"""The history log: order, filters, torn tails, old days."""

from __future__ import annotations

import logging
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from full_disk import disk_that_takes

from core.exceptions import StoreError
from core.models import HistoryEntry
from core.store import History
from tests.fakes import FakeClock

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TODAY = "2026-03-10.jsonl"


def entry(
    at: datetime = NOON, kind: str = "transition", session: str | None = "sales", n: int = 0
) -> HistoryEntry:
    return HistoryEntry(at=at, kind=kind, server="main", session=session, data={"n": n})


def numbers(entries: list[HistoryEntry]) -> list[object]:
    return [one.data["n"] for one in entries]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "history"


@pytest.fixture
def history(directory: Path) -> History:
    return History(directory, clock=lambda: NOON)


# Reading and writing


def test_an_empty_history_has_no_entries_and_no_files(history: History, directory: Path) -> None:
    assert history.read() == []
    assert history.latest("main", "sales", "transition") is None
    history.append()
    assert not directory.exists()


def test_entries_are_read_as_they_were_written(history: History, directory: Path) -> None:
    written = HistoryEntry(
        at=NOON,
        kind="operation",
        server="main",
        session="sales",
        actor="ação\nnew line",
        data={"text": "a", "count": 1, "seconds": 1.5, "ok": True, "none": None},
    )

    history.append(written)

    assert History(directory).read() == [written]


def test_an_entry_stands_in_the_file_of_its_utc_day(history: History, directory: Path) -> None:
    late = datetime(2026, 3, 10, 22, 0, tzinfo=timezone(timedelta(hours=-3)))

    history.append(entry(NOON), entry(late))

    assert sorted(path.name for path in directory.glob("*.jsonl")) == [TODAY, "2026-03-11.jsonl"]


def test_files_are_private(history: History, directory: Path) -> None:
    history.append(entry())

    modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in directory.iterdir()}
    assert modes == {TODAY: "0o600", "history.lock": "0o600"}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_entries_come_in_order_of_time_across_days(history: History) -> None:
    history.append(
        entry(NOON, n=2), entry(NOON - timedelta(days=1), n=1), entry(NOON + timedelta(days=1), n=4)
    )
    history.append(entry(NOON + timedelta(seconds=1), n=3))

    assert numbers(history.read()) == [1, 2, 3, 4]
    assert numbers(history.read(newest_first=True)) == [4, 3, 2, 1]


def test_entries_of_one_moment_keep_the_order_of_their_appending(history: History) -> None:
    history.append(entry(n=1))
    history.append(entry(n=2))

    assert numbers(history.read()) == [1, 2]
    assert numbers(history.read(newest_first=True)) == [2, 1]


def test_a_limit_keeps_the_first_in_the_asked_order(history: History) -> None:
    history.append(*(entry(NOON + timedelta(days=day), n=day) for day in range(5)))

    assert numbers(history.read(limit=2)) == [0, 1]
    assert numbers(history.read(limit=2, newest_first=True)) == [4, 3]


def test_since_and_until_are_both_included(history: History) -> None:
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
def test_entries_are_found(history: History, wanted: dict[str, object], expected: list[int]) -> None:
    history.append(
        HistoryEntry(at=NOON, kind="transition", server="main", session="sales", data={"n": 1}),
        HistoryEntry(at=NOON, kind="operation", server="main", session="sales", data={"n": 2}),
        HistoryEntry(at=NOON, kind="transition", server="main", session="support", data={"n": 3}),
        HistoryEntry(at=NOON, kind="transition", server="other", session="sales", data={"n": 4}),
        HistoryEntry(at=NOON, kind="sign_in", session="ação", data={"n": 5}),
    )

    assert numbers(history.read(**wanted)) == expected  # type: ignore[arg-type]


def test_the_latest_of_a_kind_is_found_over_days(history: History) -> None:
    history.append(entry(NOON - timedelta(days=30), n=1), entry(NOON - timedelta(days=20), n=2))
    history.append(entry(NOON, kind="operation", n=3), entry(NOON, session="support", n=4))

    latest = history.latest("main", "sales", "transition")

    assert latest == entry(NOON - timedelta(days=20), n=2)


def test_the_latest_is_looked_for_no_further_back_than_wanted(history: History) -> None:
    history.append(entry(NOON - timedelta(days=1), n=1))

    assert history.latest("main", "sales", "transition", since=NOON - timedelta(days=1)) is not None
    assert history.latest("main", "sales", "transition", since=NOON) is None


def test_the_latest_of_a_day_is_the_last_appended(history: History) -> None:
    history.append(*(entry(n=number) for number in range(20)))

    assert history.latest("main", "sales", "transition") == entry(n=19)


def test_the_latest_is_asked_for_exactly_that_session(history: History) -> None:
    history.append(entry(session="sales2"), entry(session=None))

    assert history.latest("main", "sales", "transition") is None
    assert history.latest("main", None, "transition") == entry(session=None)


def test_threads_that_append_lose_nothing(directory: Path) -> None:
    def append_twenty(worker: int) -> None:
        history = History(directory)
        for number in range(20):
            history.append(entry(n=worker * 100 + number))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(append_twenty, range(6)))

    expected = [worker * 100 + number for worker in range(6) for number in range(20)]
    assert sorted(numbers(History(directory).read()), key=str) == sorted(expected, key=str)


# Faults


def test_a_torn_tail_is_left_out_by_readers_and_cut_off_by_the_next_writer(
    history: History, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    history.append(entry(n=1))
    whole = (directory / TODAY).read_bytes()
    (directory / TODAY).write_bytes(whole + whole[:-20])
    assert numbers(history.read()) == [1]
    assert history.latest("main", "sales", "transition") == entry(n=1)

    history.append(entry(n=2))

    assert numbers(history.read()) == [1, 2]
    assert (directory / TODAY).read_bytes().count(b"\n") == 2
    assert f"unfinished_bytes={len(whole) - 20}" in caplog.text
    assert "history_lines_unreadable" not in caplog.text


def test_a_file_with_nothing_but_a_torn_line_is_repaired(history: History, directory: Path) -> None:
    directory.mkdir()
    (directory / TODAY).write_bytes(b'{"at":"2026-03-')

    history.append(entry(n=1))

    assert numbers(history.read()) == [1]


def test_a_complete_last_line_without_its_end_is_kept(history: History, directory: Path) -> None:
    history.append(entry(n=1))
    (directory / TODAY).write_bytes((directory / TODAY).read_bytes().rstrip())

    history.append(entry(n=2))

    assert numbers(history.read()) == [1, 2]


def test_what_somebody_else_wrote_is_left_out_but_not_destroyed(
    history: History, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory.mkdir()
    (directory / TODAY).write_bytes(b"\x00\xff garbage")

    history.append(entry(n=1))

    assert numbers(history.read()) == [1]
    assert numbers(history.read()) == [1]
    assert (directory / TODAY).read_bytes().startswith(b"\x00\xff garbage\n{")
    assert caplog.text.count("history_lines_unreadable") == 1


def test_fields_of_a_newer_release_are_ignored(history: History, directory: Path) -> None:
    history.append(entry(n=1))
    content = (directory / TODAY).read_text()
    (directory / TODAY).write_text(content.replace('{"at"', '{"schema":9,"added":{"later":[1]},"at"'))

    assert history.read() == [entry(n=1)]


@pytest.mark.parametrize("name", ["notes.txt", "2026-13-45.jsonl", "2026-03-10.jsonl.gz"])
def test_other_files_in_the_folder_are_left_alone(history: History, directory: Path, name: str) -> None:
    directory.mkdir()
    (directory / name).write_text("mine")

    history.append(entry(n=1))

    assert numbers(history.read()) == [1]
    assert (directory / name).read_text() == "mine"


def test_a_full_disk_leaves_no_part_of_a_line(history: History, directory: Path) -> None:
    history.append(entry(n=1))
    before = (directory / TODAY).read_bytes()

    with disk_that_takes(len(before) + 10), pytest.raises(StoreError, match=rf"cannot add to .*{TODAY}"):
        history.append(entry(n=2))

    assert (directory / TODAY).read_bytes() == before
    history.append(entry(n=3))
    assert numbers(history.read()) == [1, 3]


def test_a_file_in_place_of_the_folder_is_an_error_that_names_it(history: History, directory: Path) -> None:
    directory.write_text("a file")

    with pytest.raises(StoreError, match="a file stands where a folder is needed"):
        history.append(entry())
    with pytest.raises(StoreError, match="a file stands where a folder is needed"):
        history.read()


# Old days


def test_a_new_day_deletes_days_older_than_the_retention(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    History(directory, clock=lambda: NOON).append(
        *(entry(NOON - timedelta(days=days), n=days) for days in (4, 3, 2, 1))
    )
    history = History(directory, retention_days=2, clock=lambda: NOON)

    with caplog.at_level(logging.INFO):
        history.append(entry(NOON, n=0))

    assert numbers(history.read()) == [2, 1, 0]
    assert caplog.text.count("history_file_deleted") == 2


def test_a_clock_that_is_years_ahead_for_a_day_deletes_nothing(directory: Path) -> None:
    clock = FakeClock()
    history = History(directory, clock=clock)
    history.append(*(entry(clock() - timedelta(days=days), n=days) for days in (3, 2, 1)))

    clock.advance(timedelta(days=3650).total_seconds())
    history.append(entry(clock(), n=99))
    clock.advance(timedelta(days=-3650).total_seconds())
    history.append(entry(clock(), n=0))

    assert numbers(history.read(until=clock())) == [3, 2, 1, 0]


def test_days_are_kept_for_400_days_by_default(history: History, directory: Path) -> None:
    directory.mkdir()
    (directory / "2025-02-03.jsonl").write_text("")
    (directory / "2025-02-02.jsonl").write_text("")

    history.append(entry())

    assert sorted(path.name for path in directory.glob("*.jsonl")) == ["2025-02-03.jsonl", TODAY]


def test_a_day_that_cannot_be_deleted_does_not_fail_the_append(
    history: History, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory.mkdir()
    (directory / "2020-01-01.jsonl").mkdir()
    history.append(entry(NOON - timedelta(days=1), n=0))

    history.append(entry(n=1))

    assert "history_file_not_deleted" in caplog.text
    assert history.latest("main", "sales", "transition") == entry(n=1)


# Following


def test_a_follower_gets_each_line_once_in_the_order_of_writing(history: History) -> None:
    history.append(entry(NOON + timedelta(seconds=1), n=1), entry(NOON, n=2))
    added = history.follow(NOON, kinds=["transition"])

    first = numbers(list(added()))
    history.append(entry(NOON, n=3), entry(NOON + timedelta(days=1), n=4))
    second = numbers(list(added()))

    assert (first, second, list(added())) == ([1, 2], [3, 4], [])


def test_a_follower_begins_with_the_day_that_it_names_and_hears_of_the_kinds_that_it_names(
    history: History,
) -> None:
    yesterday = NOON - timedelta(days=1)
    history.append(entry(yesterday, n=1), entry(n=2), entry(kind="settings", n=3))

    added = history.follow(NOON, kinds=["transition"])

    assert numbers(list(added())) == [2]


def test_a_follower_waits_for_the_end_of_a_line(history: History, directory: Path) -> None:
    history.append(entry(n=1))
    added = history.follow(NOON, kinds=["transition"])
    line = entry(n=2).model_dump_json()
    with (directory / TODAY).open("a") as file:
        file.write(line[:20])
        file.flush()
        torn = numbers(list(added()))
        file.write(line[20:] + "\n")

    assert (torn, numbers(list(added()))) == ([1], [2])


def test_a_follower_does_not_hear_what_was_left_unfinished(history: History, directory: Path) -> None:
    history.append(entry(n=1))
    added = history.follow(NOON, kinds=["transition"])
    with (directory / TODAY).open("a") as file:
        file.write('{"at":"2026')
    list(added())

    history.append(entry(n=2))

    assert numbers(list(added())) == [2]


def test_a_follower_of_an_empty_history_hears_of_the_first_line(history: History) -> None:
    added = history.follow(NOON, kinds=["transition"])
    before = list(added())

    history.append(entry(n=1))

    assert (before, numbers(list(added()))) == ([], [1])
