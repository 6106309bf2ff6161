"""The history log in files: torn tails, other people's files, days."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from full_disk import disk_that_takes

from core.exceptions import StoreError
from core.models import HistoryEntry
from core.store import History

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


def test_appending_nothing_creates_no_folder(history: History, directory: Path) -> None:
    history.append()

    assert not directory.exists()


def test_an_entry_stands_in_the_file_of_its_utc_day(history: History, directory: Path) -> None:
    late = datetime(2026, 3, 10, 22, 0, tzinfo=timezone(timedelta(hours=-3)))

    history.append(entry(NOON), entry(late))

    assert sorted(path.name for path in directory.glob("*.jsonl")) == [TODAY, "2026-03-11.jsonl"]


def test_files_are_private(history: History, directory: Path) -> None:
    history.append(entry())

    modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in directory.iterdir()}
    assert modes == {TODAY: "0o600", "history.lock": "0o600"}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


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
