"""How many codes the page asks for by itself."""

from __future__ import annotations

from dashboard.cache.attempts import FORGOTTEN_AFTER_SECONDS, MAX_ATTEMPTS, Attempts
from tests.fakes import FakeClock

SALES = ("ana", "main", "sales")


def test_after_five_codes_a_person_has_to_ask() -> None:
    attempts = Attempts()

    allowed = [attempts.next(SALES) for _ in range(MAX_ATTEMPTS + 2)]

    assert MAX_ATTEMPTS == 5
    assert allowed == [True] * 5 + [False] * 2
    assert attempts.count(SALES) == 5


def test_asking_begins_anew() -> None:
    attempts = Attempts()
    for _ in range(MAX_ATTEMPTS):
        attempts.next(SALES)

    attempts.begin(SALES)

    assert attempts.count(SALES) == 1
    assert attempts.next(SALES)


def test_each_person_and_session_is_counted_alone() -> None:
    attempts = Attempts()

    attempts.begin(SALES)

    assert attempts.count(("ana", "main", "support")) == 0
    assert attempts.count(("rui", "main", "sales")) == 0


def test_a_quarter_of_an_hour_later_nothing_is_remembered() -> None:
    clock = FakeClock()
    attempts = Attempts(clock=clock.monotonic)
    attempts.begin(SALES)

    clock.advance(FORGOTTEN_AFTER_SECONDS + 1)

    assert attempts.count(SALES) == 0
    assert attempts.next(SALES)
