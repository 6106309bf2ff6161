"""How gateways are divided among the processes that probe them."""

from __future__ import annotations

import pytest

from core.store.postgresql.sharing import assign

FIFTY = [f"g{number:02}" for number in range(50)]


def sizes(shares: dict[str, str]) -> list[int]:
    members = list(shares.values())
    return sorted((members.count(one) for one in set(members)), reverse=True)


@pytest.mark.parametrize(
    ("gateways", "members", "expected"),
    [
        (FIFTY, "a", [50]),
        (FIFTY, "abc", [17, 17, 16]),
        (FIFTY[:4], "abc", [2, 1, 1]),
        (FIFTY[:2], "abc", [1, 1]),
        ([], "abc", []),
    ],
)
def test_gateways_are_shared_evenly_wherever_they_are_now(
    gateways: list[str], members: str, expected: list[int]
) -> None:
    knows = dict.fromkeys(members, gateways)

    for holders in ({}, dict.fromkeys(gateways, "a"), dict.fromkeys(gateways, "gone")):
        shares = assign(knows, holders)
        assert sizes(shares) == expected
        assert sorted(shares) == sorted(gateways)
        assert assign(knows, shares) == shares


@pytest.mark.parametrize(("before", "after", "moved"), [("ab", "abc", 16), ("abc", "ab", 16)])
def test_no_more_gateways_move_than_must(before: str, after: str, moved: int) -> None:
    shares = assign(dict.fromkeys(before, FIFTY), {})

    again = assign(dict.fromkeys(after, FIFTY), shares)

    assert sum(shares[one] != again[one] for one in FIFTY) == moved


def test_a_gateway_goes_to_a_member_that_knows_it() -> None:
    shares = assign({"a": ["x", "y", "z"], "b": ["z"]}, {"z": "a"})

    assert shares == {"x": "a", "y": "a", "z": "b"}


def test_without_members_nothing_is_shared() -> None:
    assert assign({}, {"x": "gone"}) == {}
