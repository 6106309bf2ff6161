"""Who somebody is by the claims of an OpenID Connect provider."""

from __future__ import annotations

from typing import Any

import pytest
from openid_world import ISSUER, World

from dashboard.auth.provider_claims import ClaimRule


@pytest.mark.parametrize(
    ("allowed", "claims", "is_let_in"),
    [
        pytest.param(("ana@example.org",), {}, True, id="the address"),
        pytest.param(("@example.org",), {}, True, id="the domain"),
        pytest.param(("@example.com", "rui@example.org"), {}, False, id="others"),
        pytest.param(("@example.org",), {"email_verified": False}, False, id="not verified"),
        pytest.param(("@example.org",), {"email_verified": None}, False, id="nothing said of that"),
        pytest.param(("@example.org",), {"email_verified": "true"}, False, id="a word is not enough"),
        pytest.param(("@example.org",), {"email": "ana@evil.org@example.org"}, True, id="last @ counts"),
        pytest.param(("@example.org",), {"email": "ana@sub.example.org"}, False, id="subdomain"),
        pytest.param(("@example.org",), {"email": None}, False, id="no address"),
    ],
)
def test_only_allowed_addresses_are_let_in(
    allowed: tuple[str, ...], claims: dict[str, Any], is_let_in: bool
) -> None:
    world = World(claims=claims, rule=ClaimRule(ISSUER, "preferred_username", "groups", allowed))

    assert world.outcome() == ("ana" if is_let_in else "not_allowed")


@pytest.mark.parametrize(
    ("name_claim", "groups_claim", "claims", "found"),
    [
        pytest.param("email", "groups", {}, ("Ana@example.org", {"wpp"}), id="e-mail address as name"),
        pytest.param("upn", "groups", {}, ("Ana@example.org", {"wpp"}), id="without it the address"),
        pytest.param(
            "sub", "realm_access.roles", {"realm_access": {"roles": ["a", 1]}}, ("17", {"a"}), id="path"
        ),
        pytest.param("sub", "https://x.y/groups", {"https://x.y/groups": "b"}, ("17", {"b"}), id="URL"),
        pytest.param("sub", "groups", {"groups": {"a": 1}}, ("17", set()), id="groups of another shape"),
    ],
)
def test_claims_are_found_where_the_settings_say(
    name_claim: str, groups_claim: str, claims: dict[str, Any], found: tuple[str, set[str]]
) -> None:
    world = World(claims=claims, rule=ClaimRule(ISSUER, name_claim, groups_claim, ()))

    identity = world.identify()

    assert (identity.name, set(identity.groups)) == found


def test_provider_that_names_nobody_is_told_as_such() -> None:
    world = World(claims={"preferred_username": None, "email": None, "email_verified": None})

    assert world.trouble() == "no_name"
