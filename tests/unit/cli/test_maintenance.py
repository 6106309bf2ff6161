"""`wppconnect-ops maintenance`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.main import main
from core.settings.maintenance import Once, Target, Weekly, Window
from core.store import FileStore, History
from tests.support.settings_world import make_source

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WPPCONNECT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WPPCONNECT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WPPCONNECT_SESSIONS", "sales,support")
    monkeypatch.chdir(tmp_path)


def saved(tmp_path: Path) -> tuple[Window, ...]:
    return make_source(FileStore(tmp_path / "data" / "store")).current().maintenance


def planned(tmp_path: Path, *words: str) -> Window:
    assert main(["maintenance", "add", *words]) == 0
    (window,) = saved(tmp_path)
    return window


SERVER = "main"


def test_a_planned_window_has_the_times_of_its_zone(tmp_path: Path) -> None:
    times = ["--from", "2126-07-01 02:00", "--until", "2126-07-01 04:00", "--zone", "Europe/Lisbon"]

    window = planned(tmp_path, f"{SERVER}/sales", *times, "--reason", "new SIM")

    assert window.targets == (Target(server=SERVER, session="sales"),)
    assert window.schedule == Once(
        since=datetime(2126, 7, 1, 1, tzinfo=UTC), until=datetime(2126, 7, 1, 3, tzinfo=UTC)
    )
    assert window.reason == "new SIM"
    assert window.by.startswith("cli")


@pytest.mark.parametrize(
    ("length", "minutes"), [("2h", 120), ("90m", 90), ("1h30m", 90), ("1h 30m", 90)], ids=str
)
def test_without_a_start_it_begins_now(tmp_path: Path, length: str, minutes: int) -> None:
    window = planned(tmp_path, "--everything", "--for", length)

    assert isinstance(window.schedule, Once)
    assert window.targets == (Target(),)
    assert window.schedule.until - window.schedule.since == timedelta(minutes=minutes)
    assert window.current(datetime.now(UTC)) is not None


def test_a_tag_stands_for_its_sessions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = make_source(FileStore(tmp_path / "data" / "store"))
    source.edit(lambda saved: saved.with_session(SERVER, "sales", tags="Norte"), actor="ana")

    window = planned(tmp_path, "tag:norte", "--for", "2h")

    assert window.targets == (Target.of_tag("Norte"),)
    assert "tag:Norte" in capsys.readouterr().out
    assert main(["maintenance", "add", "tag:sul", "--for", "2h"]) == 2


def test_a_recurring_window_keeps_its_days(tmp_path: Path) -> None:
    words = ["--every", "Thu,mon,thu", "--at", "02:30", "--for", "1h", "--zone", "America/Sao_Paulo"]

    window = planned(tmp_path, SERVER, *words)

    assert window.targets == (Target(server=SERVER),)
    assert window.schedule == Weekly(weekdays=(0, 3), at="02:30", minutes=60, zone="America/Sao_Paulo")


def test_list_names_what_is_open_and_what_comes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = planned(tmp_path, SERVER, f"{SERVER}/sales", "--for", "2h", "--reason", "new SIM")
    main(["maintenance", "add", "--everything", "--every", "sun", "--at", "03:00", "--for", "30m"])
    capsys.readouterr()

    assert main(["maintenance", "list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{first.id}  {SERVER}, {SERVER}/sales"
    assert lines[1].startswith("  open: 20")
    assert lines[2].endswith(": new SIM")
    assert lines[4] == "  every sun at 03:00 for 30 min (UTC)"
    assert lines[5].startswith("  next: 20")


def test_without_windows_the_list_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["maintenance", "list"]) == 0

    assert capsys.readouterr().out == "No maintenance is planned.\n"


@pytest.mark.parametrize("command", ["end", "delete"])
def test_an_open_window_is_ended_and_the_history_knows_by_whom(tmp_path: Path, command: str) -> None:
    window = planned(tmp_path, SERVER, "--for", "2h")

    assert main(["maintenance", command, window.id]) == 0

    assert saved(tmp_path) == ()
    entries = History(tmp_path / "data" / "history").read(kinds=["maintenance"])
    assert [one.data["event"] for one in entries] == [
        "planned",
        {"end": "ended", "delete": "deleted"}[command],
    ]
    assert all(str(one.actor).startswith("cli") for one in entries)


@pytest.mark.parametrize("command", ["end", "delete"])
def test_a_window_that_is_not_there_is_an_error(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["maintenance", command, "nothing"]) == 1

    assert "wppconnect-ops maintenance list" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--for", "2h"],
        [SERVER, "--everything", "--for", "2h"],
        ["elsewhere", "--for", "2h"],
        [f"{SERVER}/nobody", "--for", "2h"],
        [SERVER],
        [SERVER, "--for", "2h", "--until", "2126-07-01 02:00"],
        [SERVER, "--for", "two hours"],
        [SERVER, "--for", "0h"],
        [SERVER, "--from", "tomorrow", "--for", "2h"],
        [SERVER, "--from", "2020-01-01 02:00", "--for", "2h"],
        [SERVER, "--from", "2126-07-01 02:00", "--until", "2126-07-01 01:00"],
        [SERVER, "--for", "2h", "--from", "2126-07-01 02:00", "--zone", "Nowhere"],
        [SERVER, "--every", "mon", "--for", "2h"],
        [SERVER, "--every", "mon", "--at", "02:00"],
        [SERVER, "--every", "mon", "--at", "02:00", "--for", "25h"],
        [SERVER, "--every", "someday", "--at", "02:00", "--for", "2h"],
        [SERVER, "--every", "mon", "--at", "2", "--for", "2h"],
        [SERVER, "--every", "mon", "--at", "02:00", "--for", "2h", "--until", "2126-07-01 02:00"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_planned_is_refused(tmp_path: Path, words: list[str]) -> None:
    assert main(["maintenance", "add", *words]) == 2
    assert saved(tmp_path) == ()
