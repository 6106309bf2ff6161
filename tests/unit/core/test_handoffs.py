from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.handoffs import KEPT_AFTER_END, MOST_ROUNDS, SUBJECT, Event, Handoffs
from core.models import HistoryEntry
from core.store import FileStore
from core.store.protocol import Record
from tests.fakes import FakeClock, MemoryStore


class World:
    """Hand-offs on a store in memory, with a clock that is turned by hand."""

    def __init__(self) -> None:
        self.clock, self.store, self.history = FakeClock(), MemoryStore(), list[HistoryEntry]()
        self.handoffs = Handoffs(self.store, self.history.append, now=self.clock)
        self.connected: datetime | None = None
        self.is_linking = False
        self.makers = {"ana"}

    def make(self, minutes: int = 10, session: str = "sales") -> tuple[str, str]:
        made, token = self.handoffs.make("main", session, maker="ana", minutes=minutes)
        return made.id, token

    def settle(self) -> None:
        self.handoffs.settle(
            lambda _server, _session: self.connected,
            lambda _server, _session: self.is_linking,
            self.makers.__contains__,
        )

    @property
    def told(self) -> list[tuple[object, str | None]]:
        return [(entry.data["event"], entry.actor) for entry in self.history]


@pytest.fixture
def world() -> World:
    return World()


def test_link_opens_once_and_only_its_browser_holds_it(world: World) -> None:
    number, token = world.make()

    opened = world.handoffs.open(token)

    assert opened
    assert world.handoffs.open(token) is None
    held = world.handoffs.held(opened[1])
    assert held is not None
    assert (held.id, held.session) == (number, "sales")
    assert world.handoffs.held(token) is None
    assert world.told == [("made", "ana"), ("opened", None)]


def test_browser_that_lost_its_first_answer_opens_once_more_and_no_other_does(world: World) -> None:
    _, token = world.make()
    mine = "m" * 43

    first, again = world.handoffs.open(token, browser=mine), world.handoffs.open(token, browser=mine)

    assert first
    assert again
    assert first[1] == again[1]
    assert world.handoffs.open(token, browser="o" * 43) is None
    assert world.handoffs.open(token) is None
    assert world.told == [("made", "ana"), ("opened", None)]
    world.clock.advance(601)
    assert world.handoffs.open(token, browser=mine) is None


def test_of_many_browsers_that_open_a_link_at_once_one_gets_it(tmp_path: Path) -> None:
    history: list[HistoryEntry] = []
    made, token = Handoffs(FileStore(tmp_path), history.append).make("main", "sales", maker="ana", minutes=10)
    # A store for each, as processes have.
    racers = [Handoffs(FileStore(tmp_path), history.append) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        opened = [one for one in pool.map(lambda racer: racer.open(token), racers) if one]

    assert len(opened) == 1
    assert racers[0].held(opened[0][1]) is not None
    assert [entry.data["event"] for entry in history] == ["made", "opened"]
    assert made.id == opened[0][0].id


def test_of_two_links_that_are_made_at_one_moment_one_is_good(world: World) -> None:
    class Between(MemoryStore):
        """Lets somebody else make a link between looking and writing."""

        is_asked = False

        def update(
            self, subject: str, key: str, value: Mapping[str, Any] | None, *, expected_version: int
        ) -> Record | None:
            if not self.is_asked:
                self.is_asked = True
                made.append(handoffs.make("main", "sales", maker="rui", minutes=10)[0].id)
            return super().update(subject, key, value, expected_version=expected_version)

    store, made = Between(), list[str]()
    handoffs = Handoffs(store, world.history.append, now=world.clock)

    made.append(handoffs.make("main", "sales", maker="ana", minutes=10)[0].id)

    ends = {key: record.value["end"] for key, record in store.read_all(SUBJECT).items()}
    assert sorted(ends) == sorted(made)
    assert [key for key, end in ends.items() if end is None] == [max(made)]
    newest = handoffs.newest("main", "sales")
    assert newest is not None
    assert newest.id == max(made)


def test_secret_that_is_none_is_not_taken(world: World) -> None:
    _, token = world.make()

    opened = world.handoffs.open(token, browser="short")

    assert opened
    assert "short" not in opened[1]


def test_store_and_history_hold_neither_token_nor_cookie(world: World) -> None:
    _, token = world.make()
    opened = world.handoffs.open(token)
    assert opened

    kept = repr(world.store.read_all(SUBJECT)) + repr(world.history) + repr(opened[0])

    assert token.split(".")[1] not in kept
    assert opened[1].split(".")[1] not in kept


@pytest.mark.parametrize("forged", ["", "x", "0" * 16, "0" * 16 + "." + "a" * 43, "../x." + "a" * 43])
def test_forged_link_or_cookie_gives_nothing(world: World, forged: str) -> None:
    world.make()

    assert world.handoffs.open(forged) is None
    assert world.handoffs.held(forged) is None


def test_other_links_token_does_not_open_this_one(world: World) -> None:
    first, _ = world.make()
    _, other = world.make(session="support")

    assert world.handoffs.open(f"{first}.{other.split('.')[1]}") is None


def test_expired_link_neither_opens_nor_goes_on(world: World) -> None:
    _, early = world.make()
    _, late = world.make(session="support")
    opened = world.handoffs.open(early)
    assert opened
    world.clock.advance(600)

    assert world.handoffs.open(late) is None
    world.settle()
    world.settle()
    assert world.handoffs.held(opened[1]) is None
    assert world.told.count(("expired", None)) == 2


def test_code_that_is_being_typed_when_the_link_expires_may_be_used(world: World) -> None:
    number, token = world.make()
    opened = world.handoffs.open(token)
    assert opened
    world.clock.advance(599)
    world.handoffs.begin_round(number)
    world.is_linking = True
    world.clock.advance(30)
    world.settle()

    held = world.handoffs.held(opened[1])
    assert held is not None
    assert (held.is_good(world.clock()), held.is_followed(world.clock())) == (False, True)
    assert not world.handoffs.begin_round(number)
    world.connected = world.clock()
    world.settle()

    held = world.handoffs.held(opened[1])
    assert held is not None
    assert held.end == Event.SCANNED
    assert world.told[-1] == ("scanned", None)


@pytest.mark.parametrize(("seconds", "is_linking"), [(601, False), (600 + 301, True)])
def test_expired_link_ends_with_its_last_code(world: World, seconds: float, is_linking: bool) -> None:
    _, token = world.make()
    opened = world.handoffs.open(token)
    assert opened
    world.is_linking = is_linking
    world.clock.advance(seconds)

    world.settle()

    assert world.handoffs.held(opened[1]) is None
    assert world.told[-1] == ("expired", None)


def test_link_that_nobody_opened_expires_also_while_somebody_else_scans(world: World) -> None:
    world.make()
    world.is_linking = True
    world.clock.advance(600)

    world.settle()

    assert world.told[-1] == ("expired", None)


def test_revoked_link_is_worthless_opened_or_not(world: World) -> None:
    number, token = world.make()
    opened = world.handoffs.open(token)
    assert opened

    world.handoffs.revoke(number, actor="rui")
    world.handoffs.revoke(number, actor="rui")

    assert world.handoffs.held(opened[1]) is None
    assert world.handoffs.begin_round(number) is False
    assert world.told[2:] == [("revoked", "rui")]


def test_new_link_for_a_session_ends_the_earlier_one(world: World) -> None:
    _, first = world.make()
    other, unrelated = world.make(session="support")
    world.clock.advance(1)
    newest, second = world.make()

    assert world.handoffs.open(first) is None
    assert world.handoffs.open(second)
    assert world.handoffs.open(unrelated)
    found = world.handoffs.newest("main", "sales")
    assert found is not None
    assert (found.id, found.is_good(world.clock())) == (newest, True)
    assert other != newest


def test_codes_are_counted_up_to_the_limit(world: World) -> None:
    number, _ = world.make()

    assert [world.handoffs.begin_round(number) for _ in range(MOST_ROUNDS + 2)] == [True] * MOST_ROUNDS + [
        False,
        False,
    ]


def test_scan_ends_it_and_its_browser_still_learns_of_it(world: World) -> None:
    _, token = world.make()
    world.clock.advance(5)
    opened = world.handoffs.open(token)
    assert opened
    world.connected = world.clock() + timedelta(seconds=20)
    world.clock.advance(21)

    world.settle()

    held = world.handoffs.held(opened[1])
    assert held is not None
    assert held.end == Event.SCANNED
    assert world.told[-1] == ("scanned", None)
    world.clock.advance(900)
    assert world.handoffs.held(opened[1]) is None


def test_session_that_was_connected_before_the_link_was_opened_does_not_end_it(world: World) -> None:
    world.connected = world.clock()
    world.clock.advance(5)
    _, token = world.make()
    world.settle()
    opened = world.handoffs.open(token)
    world.settle()

    assert opened
    assert [event for event, _ in world.told] == ["made", "opened"]


def test_link_of_somebody_who_may_not_make_any_more_ends(world: World) -> None:
    _, token = world.make()
    world.settle()
    world.makers.clear()
    world.settle()

    assert world.handoffs.open(token) is None
    assert world.told == [("made", "ana"), ("revoked", None)]


def test_record_of_a_newer_release_is_left_alone_and_told_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    identifier = "ab" * 8  # digits alone are redacted, as a telephone number
    value = {"id": identifier, "phone": "of another release"}
    world.store.update(SUBJECT, identifier, value, expected_version=0)

    for _ in range(3):
        world.settle()
    world.store.update(SUBJECT, identifier, {**value, "again": 1}, expected_version=1)
    world.settle()

    assert world.store.read_all(SUBJECT)[identifier].value == {**value, "again": 1}
    assert caplog.text.count(f"handoff_unreadable record={identifier}") == 2


def test_what_ended_long_ago_is_forgotten(world: World) -> None:
    world.make()
    world.clock.advance(601)
    world.settle()
    world.clock.advance(KEPT_AFTER_END.total_seconds() + 1)

    world.settle()

    assert world.store.read_all(SUBJECT) == {}


@pytest.mark.parametrize(("minutes", "seconds"), [(0, 300), (30, 1800), (10_000, 3600)])
def test_lifetime_stays_within_bounds(world: World, minutes: int, seconds: int) -> None:
    made, _ = world.handoffs.make("main", "sales", maker="ana", minutes=minutes)

    assert (made.expires_at - made.made_at).total_seconds() == seconds
