"""Which sessions the overview shows, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
from page_world import NOW, server, session

from core.models import ServerSnapshot, SessionSnapshot, Verdict
from core.settings.values import SessionSettings, all_tags
from dashboard.overview import selection as overview

SALES = session("sales", "connected")
SUPPORT = session("support", "disconnected")
SHOP = session("shop_Lisboa", "paused", server="porto")
ALL = (SALES, SUPPORT, SHOP)
KNOWN = {
    ("main", "sales"): SessionSettings(name="sales", tags="Norte, retail"),
    ("main", "support"): SessionSettings(name="support", label="Balcão", owner="Rui", tags="norte"),
}


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
        ("balcão", ["support"]),
        ("rui", ["support"]),
        ("NORTE", ["sales", "support"]),
    ],
)
def test_each_word_of_the_text_is_looked_for_in_the_names(text: str, found: list[str]) -> None:
    assert names(overview.chosen(ALL, KNOWN, text=text)) == found


@pytest.mark.parametrize(
    ("tag", "found"),
    [("norte", ["sales", "support"]), ("Retail", ["sales"]), ("nor", []), ("norte, retail", [])],
)
def test_a_tag_is_a_whole_word_in_any_case(tag: str, found: list[str]) -> None:
    assert names(overview.chosen(ALL, KNOWN, tag=tag)) == found


def test_each_tag_is_offered_once() -> None:
    assert all_tags(KNOWN.values()) == ["Norte", "retail"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        (" , ,", ()),
        ("norte", ("norte",)),
        (" a b ,c,, ", ("a b", "c")),
        ("Norte, norte,NORTE, sul", ("Norte", "sul")),
    ],
)
def test_tags_are_separated_by_commas(text: str, words: tuple[str, ...]) -> None:
    assert SessionSettings(name="a", tags=text).tag_words == words


def test_gateway_and_status_narrow_it() -> None:
    assert names(overview.chosen(ALL, KNOWN, server="porto")) == ["shop_Lisboa"]
    assert names(overview.chosen(ALL, KNOWN, verdicts=["connected", "paused"])) == [
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


LOST = [session(name, "unreachable") for name in ("a", "b", "c")]
REFUSED = [session(name, "unauthorized") for name in ("a", "b")]
DOWN = server(*LOST, up=False)
OTHER = session("other", "disconnected", server="porto")


MAINTAINED: dict[str, Any] = {"maintenance_until": NOW}
EXCUSED = [one.model_copy(update=MAINTAINED) for one in LOST]


@pytest.mark.parametrize(
    ("found", "gateway", "entries"),
    [
        pytest.param([*LOST, OTHER], DOWN, ["main: a b c", "other"], id="a gateway that is down"),
        pytest.param([LOST[1], OTHER], DOWN, ["b", "other"], id="a search lists what it finds"),
        pytest.param(LOST[:1], server(LOST[0], up=False), ["a"], id="one session is no group"),
        pytest.param(
            [OTHER, *LOST, session("d", "paused")],
            server(*LOST, session("d", "paused"), up=False),
            ["other", "main: a b c", "d"],
            id="paused sessions stay by themselves",
        ),
        pytest.param(
            REFUSED, server(*REFUSED, secret_key_valid=False), ["main: a b"], id="a refused secret key"
        ),
        pytest.param(REFUSED, server(*REFUSED), ["a", "b"], id="refused tokens are of each session"),
        pytest.param(LOST, server(*LOST), ["a", "b", "c"], id="a gateway that is up"),
        pytest.param(
            EXCUSED, server(*EXCUSED, up=False, **MAINTAINED), ["main: a b c"], id="a gateway in maintenance"
        ),
        pytest.param(EXCUSED, server(*EXCUSED, up=False), ["a", "b", "c"], id="sessions in maintenance"),
        pytest.param(LOST, server(*LOST, up=False, enabled=False), ["a", "b", "c"], id="a paused gateway"),
    ],
)
def test_what_a_gateway_costs_is_one_entry(
    found: list[SessionSnapshot], gateway: ServerSnapshot, entries: list[str]
) -> None:
    made = overview.entries(found, [gateway, server(OTHER, server="porto")])

    def told(entry: overview.Entry) -> str:
        if isinstance(entry, overview.Fold):
            return f"{entry.gateway.server}: {' '.join(one.session for one in entry.sessions)}"
        return entry.session

    assert [told(one) for one in made] == entries
    assert sum(map(overview.size, made)) == len(found)


GROUPED = (
    session("lost", "disconnected"),
    session("norte-1", "connected", server="porto"),
    session("plain", "connected"),
    session("norte-2", "connected"),
)
TAGGED = {
    ("porto", "norte-1"): SessionSettings(name="norte-1", tags="Norte, retail"),
    ("main", "norte-2"): SessionSettings(name="norte-2", tags="norte"),
    ("main", "lost"): SessionSettings(name="lost", tags="retail"),
}


class TestGroups:
    def names(self, by: overview.Grouping) -> dict[str, list[str]]:
        found = overview.grouped(GROUPED, TAGGED, by)
        return {one.name: [session.session for session in one.sessions] for one in found}

    def test_first_tag_decides_and_the_most_urgent_group_comes_first(self) -> None:
        found = self.names(overview.Grouping.TAG)

        assert list(found.items()) == [
            ("retail", ["lost"]),
            ("Norte", ["norte-1", "norte-2"]),
            ("", ["plain"]),
        ]

    def test_gateway(self) -> None:
        assert self.names(overview.Grouping.GATEWAY) == {
            "main": ["lost", "plain", "norte-2"],
            "porto": ["norte-1"],
        }

    def test_gateway_with_a_fault_is_a_group_of_its_own_among_tags(self) -> None:
        down = server(
            *(session(name, "unreachable", server="porto") for name in ("norte-1", "sul-1")),
            server="porto",
            up=False,
        )
        entries = overview.entries([*down.sessions, session("norte-2")], [down])

        found = overview.grouped(entries, TAGGED, overview.Grouping.TAG)

        assert [(one.kind, one.name, len(one.sessions)) for one in found] == [
            (overview.Grouping.GATEWAY, "porto", 2),
            (overview.Grouping.TAG, "Norte", 1),
        ]
