from pathlib import Path

import pytest
from asgi_browser import Browser
from auth_world import NAME, PASSWORD, World, quick_hasher

from dashboard.auth.known_devices import known_device, new_device
from dashboard.auth.users import Account, Role

COOKIE = "wppconnect_device"
GUESSERS = "203.0.113.7"


def attacked(directory: Path) -> tuple[World, Browser]:
    """An account that somebody guesses at, from its owner's address, too; and the owner's browser."""
    world = World(directory)
    world.add_user()
    owner = world.signed_in(address=GUESSERS)
    owner.cookies = {COOKIE: owner.cookies[COOKIE]}
    for number in range(12):
        world.sign_in(world.browser(address=GUESSERS), password=f"guess {number}")
        world.sign_in(world.browser(address=f"198.51.100.{number}"), password=f"guess {number}")
    return world, owner


def test_guessing_from_elsewhere_locks_the_owner_out_of_no_known_device(tmp_path: Path) -> None:
    world, owner = attacked(tmp_path)

    stranger = world.sign_in(world.browser(address="192.0.2.1"))
    answer = world.sign_in(owner)

    assert stranger.status == 429
    assert answer.status == 303


def test_owners_success_does_not_set_the_guessers_free(tmp_path: Path) -> None:
    world, owner = attacked(tmp_path)

    world.sign_in(owner)

    assert world.sign_in(world.browser(address="192.0.2.1")).status == 429


def test_known_device_may_not_guess_without_end_either(tmp_path: Path) -> None:
    world, owner = attacked(tmp_path)

    statuses = [world.sign_in(owner, password=f"guess {number}").status for number in range(12)]

    assert statuses == [401] * 10 + [429] * 2
    world.clock.advance(seconds=2)
    assert world.sign_in(owner).status == 303


@pytest.mark.parametrize("name", [NAME, "nobody"])
def test_device_of_somebody_else_is_none_and_tells_nothing(tmp_path: Path, name: str) -> None:
    world, _owner = attacked(tmp_path)
    other = Account(
        name="Bea",
        role=Role.VIEWER,
        password_hash=quick_hasher().hash("x" * 12),
        created_at=world.clock(),
    )
    for number in range(10):
        world.sign_in(world.browser(address=f"198.51.100.{number}"), name, f"guess {number}")

    answer = world.sign_in(
        world.browser(address="192.0.2.1", cookies={COOKIE: new_device(other)}), name, "guess"
    )

    assert answer.status == 429


def test_first_password_and_a_changed_one_make_the_browser_known(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.signed_in()
    before = browser.cookies[COOKIE]

    form = browser.get("/account").form
    words = {"current": PASSWORD, "password": "another long horse", "repeated": "another long horse"}
    browser.post("/account/password", form | words)

    account = world.users.find(NAME)
    assert known_device(browser.cookies[COOKIE], account)
    assert known_device(before, account) is None


@pytest.mark.parametrize("cookie", [None, "", ".", "x", "x.y", "é.ü", "a.b.c"])
def test_invented_cookie_is_no_known_device(tmp_path: Path, cookie: str | None) -> None:
    account = World(tmp_path).add_user()

    assert known_device(cookie, account) is None
    assert known_device(cookie, None) is None


def test_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()

    line = world.sign_in(world.browser()).set_cookies[COOKIE]

    assert "HttpOnly" in line
    assert "SameSite=strict" in line
    assert "Max-Age=31536000" in line
