"""Open tabs of people whom a proxy signs in, after the proxy has forgotten them."""

from __future__ import annotations

from pathlib import Path

import pytest
from asgi_browser import Browser
from auth_world import World
from proxy_world import COOKIE, PROXY, behind_proxy, visit
from starlette.requests import HTTPConnection

from dashboard.auth.authenticator import AuthenticatedRequest
from dashboard.auth.peer import PEER

KEEPALIVE = "/-/still-here"
SCRIPT = {"accept": "*/*", "sec_fetch_mode": "cors"}


def authenticated(world: World, browser: Browser, **headers: str) -> AuthenticatedRequest:
    """Ask who is at this browser's tab as it opens."""
    scope = browser.scope("websocket", "/_stcore/stream", headers)
    found = world.auth.authenticator.authenticate(HTTPConnection({**scope, PEER: browser.address}))
    assert found is not None
    return found


def is_in(world: World, browser: Browser) -> bool:
    """Is the browser signed in after the server's next look?"""
    world.auth.authenticator.sweep()
    return world.sign_ins.user_of(browser.cookies[COOKIE]) is not None


def test_a_tab_ends_soon_after_the_proxys_last_word_for_its_person(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path)
    browser = world.browser(address=PROXY)
    visit(browser, x_forwarded_user="rui")

    with world.auth.authenticator.open_tab(authenticated(world, browser, x_forwarded_user="rui")):
        world.clock.advance(seconds=149)
        before = is_in(world, browser)
        browser.get(KEEPALIVE, **SCRIPT)
        world.clock.advance(seconds=2)
        after = is_in(world, browser)

    assert (before, after) == (True, False)


def test_every_request_with_the_persons_name_keeps_all_of_their_tabs(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path)
    browser = world.browser(address=PROXY)
    visit(browser, x_forwarded_user="rui")
    tab = authenticated(world, browser, x_forwarded_user="rui")

    with world.auth.authenticator.open_tab(tab):
        with world.auth.authenticator.open_tab(tab):
            pass
        for _ in range(5):
            world.clock.advance(seconds=140)
            answer = browser.get(KEEPALIVE, x_forwarded_user="rui", **SCRIPT)
            assert (answer.status, is_in(world, browser)) == (204, True)


def test_who_has_no_tab_open_stays_known_and_needs_the_header_for_everything(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path)
    browser = world.browser(address=PROXY)
    visit(browser, x_forwarded_user="rui")
    with world.auth.authenticator.open_tab(authenticated(world, browser, x_forwarded_user="rui")):
        pass

    world.clock.advance(hours=1)

    assert is_in(world, browser)
    assert browser.get(KEEPALIVE, **SCRIPT).status == 401
    assert browser.get("/", x_forwarded_user="rui").status == 200


@pytest.mark.parametrize("address", [PROXY, "203.0.113.7"], ids=["behind the proxy", "beside it"])
def test_who_signed_in_with_a_password_is_nobody_elses_to_take_out(tmp_path: Path, address: str) -> None:
    world = behind_proxy(tmp_path)
    browser = world.browser(address=address)
    world.sign_in(browser)

    with world.auth.authenticator.open_tab(authenticated(world, browser)):
        world.clock.advance(hours=1)

        assert is_in(world, browser)
    assert browser.get(KEEPALIVE, **SCRIPT).status == 205


def test_an_open_tabs_own_question_keeps_no_sign_in_awake(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path)
    browser = world.browser()
    world.sign_in(browser)
    world.clock.advance(hours=11)

    browser.get(KEEPALIVE, **SCRIPT)
    world.clock.advance(hours=1)

    assert not is_in(world, browser)
