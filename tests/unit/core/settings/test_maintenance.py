"""Maintenance windows: when they are open, for whom, and what a save does to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.models import HistoryEntry
from core.settings import maintaining
from core.settings.maintenance import (
    FORESIGHT,
    Once,
    Period,
    Target,
    Weekly,
    Window,
    concerning,
    period_of,
)
from core.settings.source import SettingsSource
from core.settings.values import ServerSettings, SessionSettings
from core.store import FileStore
from tests.fakes import FakeClock
from tests.support.settings_world import ENVIRONMENT

LISBON = "Europe/Lisbon"
EVERY_DAY = tuple(range(7))
MONDAY, SATURDAY, SUNDAY = 0, 5, 6


def moment(text: str) -> datetime:
    """Return a moment in UTC, such as "2026-11-23 20:00"."""
    return datetime.fromisoformat(f"{text}+00:00")


NOW = moment("2026-11-23 20:00")


def hours(number: float) -> datetime:
    return NOW + timedelta(hours=number)


def weekly(*weekdays: int, at: str = "02:00", minutes: int = 120, zone: str = LISBON, **more: Any) -> Weekly:
    return Weekly(weekdays=weekdays, at=at, minutes=minutes, zone=zone, **more)


def window(since: float, until: float, *targets: Target, id: str = "w1") -> Window:
    once = Once(since=hours(since), until=hours(until))
    return Window(id=id, targets=targets or (Target(),), schedule=once, by="ana")


def recurring(*weekdays: int, **fields: Any) -> Window:
    return Window(id="r1", targets=(Target(server="main"),), schedule=weekly(*weekdays, **fields), by="ana")


class TestWeekly:
    @pytest.mark.parametrize(
        ("schedule", "around", "since", "until"),
        [
            pytest.param(
                weekly(SUNDAY), "2026-03-22 03:00", "2026-03-22 02:00", "2026-03-22 04:00", id="winter time"
            ),
            pytest.param(
                weekly(SUNDAY), "2026-04-05 02:00", "2026-04-05 01:00", "2026-04-05 03:00", id="summer time"
            ),
            pytest.param(
                weekly(SUNDAY, at="01:30"),
                "2026-03-29 02:00",
                "2026-03-29 01:30",
                "2026-03-29 03:30",
                id="a start that clocks skip",
            ),
            pytest.param(
                weekly(SUNDAY, at="00:30"),
                "2026-03-29 02:00",
                "2026-03-29 00:30",
                "2026-03-29 02:30",
                id="as long as ever when clocks are set forward in it",
            ),
            pytest.param(
                weekly(SUNDAY, at="01:30"),
                "2026-10-25 01:00",
                "2026-10-25 00:30",
                "2026-10-25 02:30",
                id="a start that comes twice",
            ),
            pytest.param(
                weekly(SUNDAY, at="00:30"),
                "2026-10-25 01:00",
                "2026-10-24 23:30",
                "2026-10-25 01:30",
                id="as long as ever when clocks are set back in it",
            ),
            pytest.param(
                weekly(MONDAY, zone="Asia/Tokyo"),
                "2026-11-22 18:00",
                "2026-11-22 17:00",
                "2026-11-22 19:00",
                id="the day of the zone",
            ),
            pytest.param(
                weekly(MONDAY, zone="America/Sao_Paulo"),
                "2026-11-23 06:00",
                "2026-11-23 05:00",
                "2026-11-23 07:00",
                id="behind UTC",
            ),
            pytest.param(
                weekly(SATURDAY, at="23:00", minutes=180),
                "2026-11-29 01:00",
                "2026-11-28 23:00",
                "2026-11-29 02:00",
                id="over midnight",
            ),
            pytest.param(
                weekly(SUNDAY, at="23:59", minutes=1440, zone="Pacific/Kiritimati"),
                "2026-11-23 09:58",
                "2026-11-22 09:59",
                "2026-11-23 09:59",
                id="a whole day in the earliest zone",
            ),
        ],
    )
    def test_it_is_open_at_the_local_time(
        self, schedule: Weekly, around: str, since: str, until: str
    ) -> None:
        one = Window(id="r1", targets=(Target(),), schedule=schedule, by="ana")

        assert one.current(moment(around)) == Period(moment(since), moment(until))
        assert one.current(moment(since)) is not None
        assert one.current(moment(since) - timedelta(microseconds=1)) is None
        assert one.current(moment(until)) is None

    def test_the_next_one_is_on_the_next_of_its_days(self) -> None:
        found = recurring(MONDAY, SATURDAY).next(moment("2026-11-23 04:00"))

        assert found == Period(moment("2026-11-28 02:00"), moment("2026-11-28 04:00"))

    def test_one_that_was_ended_is_over_until_the_next_time(self) -> None:
        ended = recurring(MONDAY, ended_at=moment("2026-11-23 03:00"))

        assert ended.current(moment("2026-11-23 03:30")) is None
        assert ended.next(moment("2026-11-23 03:30")) == Period(
            moment("2026-11-30 02:00"), moment("2026-11-30 04:00")
        )

    @pytest.mark.parametrize(
        "wrong",
        [
            {"weekdays": ()},
            {"weekdays": (7,)},
            {"at": "24:00"},
            {"at": "2:00"},
            {"minutes": 0},
            {"minutes": 1441},
            {"zone": "Europe/Nowhere"},
            {"zone": "../etc/passwd"},
            {"zone": ""},
        ],
        ids=str,
    )
    def test_what_cannot_be_is_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            Weekly(**({"weekdays": (1,), "at": "02:00", "minutes": 60, "zone": LISBON} | wrong))


@pytest.mark.parametrize("until", [1, 0.5], ids=["at once", "before it begins"])
def test_a_window_cannot_end_before_it_has_begun(until: float) -> None:
    with pytest.raises(ValidationError):
        window(1, until)


SALES, SUPPORT = Target(server="main", session="sales"), Target(server="main", session="support")
MAIN, OTHER = Target(server="main"), Target(server="other")


class TestPeriod:
    @pytest.mark.parametrize(
        ("windows", "expected"),
        [
            pytest.param([], None, id="none"),
            pytest.param([window(-1, 1)], (-1, 1), id="everything"),
            pytest.param([window(-1, 1, MAIN)], (-1, 1), id="its gateway"),
            pytest.param([window(-1, 1, SALES)], (-1, 1), id="itself"),
            pytest.param([window(-1, 1, SUPPORT, SALES)], (-1, 1), id="itself among others"),
            pytest.param([window(-1, 1, SUPPORT)], None, id="another session"),
            pytest.param([window(-1, 1, OTHER)], None, id="another gateway"),
            pytest.param([window(0, 1)], (0, 1), id="begins now"),
            pytest.param([window(-1, 0)], None, id="ends now"),
            pytest.param([window(1, 2)], None, id="later"),
            pytest.param([window(-2, 1), window(-1, 3, SALES)], (-2, 3), id="overlapping"),
            pytest.param([window(-2, 3), window(-1, 1, SALES)], (-2, 3), id="one within another"),
            pytest.param([window(-1, 1), window(1, 3, MAIN)], (-1, 3), id="adjoining"),
            pytest.param([window(-1, 1), window(1, 3, SUPPORT)], (-1, 1), id="adjoining another's"),
            pytest.param([window(-1, 1), window(2, 3)], (-1, 1), id="with a gap"),
            pytest.param([window(-1, 1), window(0.5, 2), window(2, 4)], (-1, 4), id="a chain"),
        ],
    )
    def test_of_a_session(self, windows: list[Window], expected: tuple[float, float] | None) -> None:
        found = period_of(windows, "main", "sales", NOW)

        assert found == (Period(*map(hours, expected)) if expected else None)

    @pytest.mark.parametrize(
        ("target", "expected"), [(Target(), True), (MAIN, True), (OTHER, False), (SALES, False)], ids=str
    )
    def test_of_a_gateway_is_not_that_of_a_session(self, target: Target, expected: bool) -> None:
        assert (period_of([window(-1, 1, target)], "main", None, NOW) is not None) == expected

    def test_one_that_never_ends_is_followed_for_a_while(self) -> None:
        for_ever = recurring(*EVERY_DAY, minutes=1440)

        found = period_of([for_ever], "main", "sales", NOW)

        assert found is not None
        assert FORESIGHT <= found.until - NOW < FORESIGHT + timedelta(days=1)

    def test_only_windows_of_a_gateway_concern_its_prober(self) -> None:
        all_of_them = [window(0, 1, target, id=str(target)) for target in (Target(), MAIN, OTHER, SALES)]

        found = concerning(all_of_them, gateway(sales=""))

        assert [one.targets[0] for one in found] == [Target(), MAIN, SALES]


def gateway(**tags: str) -> ServerSettings:
    """Return the settings of a gateway whose sessions have these tags."""
    sessions = tuple(SessionSettings(name=name, tags=text) for name, text in tags.items())
    return ServerSettings(name="main", url="http://127.0.0.1:21465", sessions=sessions)


class TestTags:
    @pytest.mark.parametrize(
        ("targets", "expected"),
        [
            ([Target.of_tag("norte")], {"sales", "support"}),
            ([Target.of_tag("NORTE")], {"sales", "support"}),
            ([Target.of_tag("retail")], {"support"}),
            ([Target.of_tag("nort")], set()),
            ([Target.of_tag("retail"), Target(server="main", session="porto")], {"support", "porto"}),
            ([Target.of_tag("retail"), OTHER], {"support"}),
            ([Target.of_tag("sul"), MAIN], {"sales", "support", "porto"}),
        ],
    )
    def test_tag_stands_for_the_sessions_that_have_it(
        self, targets: list[Target], expected: set[str]
    ) -> None:
        server = gateway(sales="Norte", support="retail, norte", porto="")

        windows = concerning([window(-1, 1, *targets)], server)

        names = {one.name for one in server.sessions}
        assert {one for one in names if period_of(windows, "main", one, NOW)} == expected

    def test_tag_says_nothing_of_the_gateway_itself(self) -> None:
        windows = concerning([window(-1, 1, Target.of_tag("norte"))], gateway(sales="norte"))

        assert period_of(windows, "main", None, NOW) is None

    def test_tag_that_is_not_resolved_covers_nothing_as_in_releases_without_tags(self) -> None:
        assert not window(-1, 1, Target.of_tag("norte")).covers("main", "sales")
        assert not Target(session=Target.of_tag("norte").session).covers("main", "sales")


class World:
    """Settings on a real store, seen by two processes that share a clock."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock(NOW)
        self.told: list[HistoryEntry] = []
        self.store = FileStore(directory / "store")
        self.source, self.other = self.process(), self.process()

    def process(self) -> SettingsSource:
        def record(*entries: HistoryEntry) -> None:
            self.told += entries

        return SettingsSource(ENVIRONMENT, self.store, clock=self.clock, record=record)

    def change(self, what: Callable[..., bool], window: str) -> bool:
        return what(self.source, window, actor="rui", now=self.clock())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize(
    "one", [window(1, 2, SALES, MAIN), recurring(MONDAY, SUNDAY)], ids=["once", "weekly"]
)
def test_a_saved_window_is_the_same_in_every_process(world: World, one: Window) -> None:
    maintaining.add(world.source, one, now=NOW)

    assert world.other.current().maintenance == (one,)


def test_a_new_window_clears_those_that_are_over(world: World) -> None:
    maintaining.add(world.source, window(1, 2, id="old"), now=NOW)
    maintaining.add(world.source, recurring(MONDAY), now=NOW)

    maintaining.add(world.source, window(5, 6, id="new"), now=hours(2))

    assert [one.id for one in world.source.current().maintenance] == ["r1", "new"]


def test_ending_a_planned_window_removes_it(world: World) -> None:
    maintaining.add(world.source, window(-1, 2), now=NOW)

    assert world.change(maintaining.end, "w1")
    assert world.other.current().maintenance == ()


def test_ending_a_recurring_window_leaves_the_next_time(world: World) -> None:
    maintaining.add(world.source, recurring(MONDAY, at="19:30"), now=NOW)

    assert world.change(maintaining.end, "r1")

    (left,) = world.other.current().maintenance
    assert left.current(hours(0.5)) is None
    assert left.next(hours(0.5)) == Period(moment("2026-11-30 19:30"), moment("2026-11-30 21:30"))


@pytest.mark.parametrize("one", [window(-1, 2), recurring(MONDAY, at="19:30")], ids=["once", "weekly"])
def test_a_deleted_window_is_gone(world: World, one: Window) -> None:
    maintaining.add(world.source, one, now=NOW)

    assert world.change(maintaining.delete, one.id)
    assert world.other.current().maintenance == ()


@pytest.mark.parametrize(
    ("what", "id_"),
    [(maintaining.end, "unknown"), (maintaining.delete, "unknown"), (maintaining.end, "w1")],
    ids=["end one that is not there", "delete one that is not there", "end one that is not open"],
)
def test_what_cannot_be_done_changes_nothing(world: World, what: Callable[..., bool], id_: str) -> None:
    maintaining.add(world.source, window(1, 2), now=NOW)

    assert not world.change(what, id_)
    assert world.source.current().revision == 1


def test_the_history_says_who_planned_and_ended_what(world: World) -> None:
    maintaining.add(world.source, window(-1, 2, SALES), now=NOW)
    maintaining.add(world.source, window(-1, 2, MAIN, SUPPORT, id="w2"), now=NOW)
    maintaining.add(world.source, recurring(MONDAY, SUNDAY), now=NOW)
    world.change(maintaining.end, "w1")
    world.change(maintaining.delete, "r1")

    assert [(one.kind, one.data["event"], one.actor, one.server, one.session) for one in world.told] == [
        ("maintenance", "planned", "ana", "main", "sales"),
        ("maintenance", "planned", "ana", None, None),
        ("maintenance", "planned", "ana", "main", None),
        ("maintenance", "ended", "rui", "main", "sales"),
        ("maintenance", "deleted", "rui", "main", None),
    ]
    assert world.told[1].data["targets"] == "main, main/support"
    assert (world.told[0].data["since"], world.told[0].data["until"]) == (
        hours(-1).isoformat(),
        hours(2).isoformat(),
    )
    assert [world.told[2].data[name] for name in ("weekdays", "at", "minutes", "zone")] == [
        "0,6",
        "02:00",
        120,
        LISBON,
    ]
