from pathlib import Path
from typing import Any

import pytest
from asgi_browser import Answer, Browser
from auth_world import PASSWORD, World

from dashboard.auth.links import FILE_NAME, deliver

CHOICE = {"name": "admin", "password": PASSWORD, "repeated": PASSWORD}


def open_link(browser: Browser, token: str, address: str = "/sign-in/link") -> Answer:
    """Do what the link's page does by script: post the token that stands behind '#'."""
    return browser.post("/sign-in/link", browser.get(address).form | {"token": token})


def choose(browser: Browser, address: str = "/sign-in/password", **fields: Any) -> Answer:
    """Fill in the password form and send it."""
    return browser.post("/sign-in/password", browser.get(address).form | CHOICE | fields)


def test_link_leads_to_a_password_and_in(tmp_path: Path) -> None:
    world = World(tmp_path)
    browser = world.browser()

    opened = open_link(browser, world.links.issue())
    chosen = choose(browser)

    assert (opened.status, opened.headers["location"]) == (303, "/sign-in/password")
    assert (chosen.status, chosen.headers["location"]) == (303, "/")
    assert browser.get("/").status == 200
    assert world.history.outcomes == [("admin", "first_user_created")]
    assert "wppconnect_grant" not in browser.cookies


def test_deep_link_is_kept_through_the_first_sign_in(tmp_path: Path) -> None:
    world = World(tmp_path)
    browser = world.browser()

    opened = open_link(browser, world.links.issue(), "/sign-in/link?next=%2Fsession%3Fserver%3Dmain")
    chosen = choose(browser, opened.headers["location"], next="/session?server=main")

    assert opened.headers["location"] == "/sign-in/password?next=%2Fsession%3Fserver%3Dmain"
    assert chosen.headers["location"] == "/session?server=main"


def test_link_token_is_in_no_address_that_reaches_the_server(tmp_path: Path) -> None:
    world = World(tmp_path)
    token = world.links.issue()

    opened = open_link(world.browser(), token)

    assert token not in str(opened.headers)
    assert token not in opened.text


def test_link_is_used_up_by_the_password(tmp_path: Path) -> None:
    world = World(tmp_path)
    token = world.links.issue()
    first, second = world.browser(), world.browser()
    open_link(first, token)
    open_link(second, token)
    choose(first)

    late = choose(second, name="eve")
    again = open_link(world.browser(), token)

    assert (late.status, again.status) == (403, 403)
    assert "has been used or is no longer valid" in again.text
    assert world.users.find("eve") is None


def test_good_link_is_taken_from_an_address_that_has_guessed(tmp_path: Path) -> None:
    world = World(tmp_path)
    token = world.links.issue()
    wrong = [open_link(world.browser(), f"guess {number}").status for number in range(20)]

    opened = open_link(world.browser(), token)

    assert set(wrong) == {403}
    assert opened.status == 303
    # Beyond the limit a wrong one leaves no line in the history.
    assert len(world.history.outcomes) < 20


def test_wrong_token_is_refused_and_remembered(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.links.issue()

    answer = open_link(world.browser(), "guessed")

    assert answer.status == 403
    assert world.history.outcomes == [(None, "link_refused")]


def test_password_form_is_only_for_the_browser_with_the_link(tmp_path: Path) -> None:
    world = World(tmp_path)
    open_link(world.browser(), world.links.issue())
    other = world.browser()

    shown = other.get("/sign-in/password")
    sent = other.post("/sign-in/password", CHOICE)

    assert (shown.status, sent.status) == (403, 403)
    assert not world.users.exist


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({"password": "short", "repeated": "short"}, 422, "Use at least 12 characters"),
        ({"repeated": "another one"}, 422, "The passwords do not match."),
        ({"name": "a b"}, 422, "for the name"),
        ({"name": ""}, 422, "for the name"),
        ({"form_token": "forged"}, 403, "The form had expired."),
    ],
)
def test_bad_choice_is_explained_and_creates_nobody(
    tmp_path: Path, fields: dict[str, str], status: int, text: str
) -> None:
    world = World(tmp_path)
    browser = world.browser()
    open_link(browser, world.links.issue())

    answer = choose(browser, **fields)

    assert answer.status == status
    assert text in answer.text
    assert PASSWORD not in answer.text
    assert not world.users.exist


def test_file_with_the_link_disappears_once_it_is_used(tmp_path: Path) -> None:
    world = World(tmp_path)
    token = world.links.issue()
    deliver(f"http://ops.test/sign-in/link#{token}", to_terminal=False, directory=tmp_path)
    browser = world.browser()
    open_link(browser, token)

    choose(browser)

    assert not (tmp_path / FILE_NAME).exists()


def test_grant_is_a_cookie_that_scripts_cannot_read(tmp_path: Path) -> None:
    world = World(tmp_path)

    opened = open_link(world.browser(), world.links.issue())

    assert "HttpOnly" in opened.set_cookies["wppconnect_grant"]
    assert "Max-Age=1800" in opened.set_cookies["wppconnect_grant"]
