"""How many codes the page asks for by itself."""

from __future__ import annotations

from dashboard.cache.attempts import FORGOTTEN_AFTER_SECONDS, MOST_ROUNDS, Attempts
from tests.fakes import FakeClock

SALES = ("ana", "main", "sales")


def test_after_five_codes_a_person_has_to_ask() -> None:
    rounds = Attempts()

    allowed = [rounds.next(SALES) for _ in range(MOST_ROUNDS + 2)]

    assert MOST_ROUNDS == 5
    assert allowed == [True] * 5 + [False] * 2
    assert rounds.count(SALES) == 5


def test_asking_begins_anew() -> None:
    rounds = Attempts()
    for _ in range(MOST_ROUNDS):
        rounds.next(SALES)

    rounds.begin(SALES)

    assert rounds.count(SALES) == 1
    assert rounds.next(SALES)


def test_each_person_and_session_is_counted_alone() -> None:
    rounds = Attempts()

    rounds.begin(SALES)

    assert rounds.count(("ana", "main", "support")) == 0
    assert rounds.count(("rui", "main", "sales")) == 0


def test_a_quarter_of_an_hour_later_nothing_is_remembered() -> None:
    clock = FakeClock()
    rounds = Attempts(clock=clock.monotonic)
    rounds.begin(SALES)

    clock.advance(FORGOTTEN_AFTER_SECONDS + 1)

    assert rounds.count(SALES) == 0
    assert rounds.next(SALES)
