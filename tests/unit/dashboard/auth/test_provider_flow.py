"""What a browser keeps while it is at the OpenID Connect provider."""

from __future__ import annotations

import random
import string

import pytest
from openid_world import World

from dashboard.auth.addresses import MAX_NEXT_LENGTH
from dashboard.auth.provider_flow import Flows
from tests.fakes import FakeClock

KEY = b"a key"


def test_flow_lasts_ten_minutes() -> None:
    clock = FakeClock()
    flows = Flows(KEY, clock=clock)
    session = {"next": "/", "confirms": False}
    cookie = flows.seal(session)

    opened = flows.open(cookie)
    clock.advance(minutes=10, seconds=1)

    assert opened is not None
    assert opened.items() >= session.items()
    assert flows.open(cookie) is None


def test_cookie_of_a_flow_is_one_that_browsers_take() -> None:
    world = World()
    world.begin()
    deep = "/" + "".join(random.Random(1).choices(string.ascii_letters, k=MAX_NEXT_LENGTH - 1))

    assert len(Flows(KEY).seal({**world.session, "next": deep})) < 4000


@pytest.mark.parametrize("cookie", [None, "", ".", "e30=.", "x.y", "\u00e9.\u00e9", "a" * 5000])
def test_flow_that_we_have_not_signed_is_nothing(cookie: str | None) -> None:
    assert Flows(KEY).open(cookie) is None


def test_flow_of_another_installation_is_nothing() -> None:
    assert Flows(b"another").open(Flows(KEY).seal({"next": "/"})) is None
