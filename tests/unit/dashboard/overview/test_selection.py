"""Which sessions the overview shows, and in which order."""

from __future__ import annotations

import pytest
from page_world import session

from core.models import SessionSnapshot, Verdict
from dashboard.overview import selection as overview

SALES = session("sales", "connected")
SUPPORT = session("support", "disconnected")
SHOP = session("shop_Lisboa", "paused", server="porto")
ALL = (SALES, SUPPORT, SHOP)


def names(sessions: list[SessionSnapshot]) -> list[str]:
    return [one.session for one in sessions]


def test_problems_stand_first_and_paused_ones_last() -> None:
    assert names(overview.in_order(ALL)) == ["support", "sales", "shop_Lisboa"]


def test_of_equal_ones_those_that_somebody_takes_care_of_come_last() -> None:
    lost = [session(name, "disconnected") for name in ("a", "b", "c")]

    assert names(overview.in_order(lost, handled={("main", "a")})) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["sales", "support", "shop_Lisboa"]),
        ("S", ["sales", "support", "shop_Lisboa"]),
        ("lisb", ["shop_Lisboa"]),
        ("porto sho", ["shop_Lisboa"]),
        ("sales porto", []),
        ("  ", ["sales", "support", "shop_Lisboa"]),
    ],
)
def test_each_word_of_the_text_is_looked_for_in_the_names(text: str, found: list[str]) -> None:
    assert names(overview.chosen(ALL, text=text, server="", verdicts=())) == found


def test_gateway_and_status_narrow_it() -> None:
    assert names(overview.chosen(ALL, text="", server="porto", verdicts=())) == ["shop_Lisboa"]
    assert names(overview.chosen(ALL, text="", server="", verdicts=["connected", "paused"])) == [
        "sales",
        "shop_Lisboa",
    ]


def test_a_status_that_is_looked_for_is_offered_although_no_session_has_it() -> None:
    assert overview.present(ALL, wanted=["stuck"]) == {
        Verdict.DISCONNECTED: 1,
        Verdict.STUCK: 0,
        Verdict.CONNECTED: 1,
        Verdict.PAUSED: 1,
    }
