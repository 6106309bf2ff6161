"""Cookies that neighbours under the same domain put into a visitor's browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from auth_world import CookieRule, World
from starlette.requests import HTTPConnection

from dashboard.auth.cookies import SIGN_IN_COOKIE, read_cookie, with_sign_in

HTTPS = CookieRule(external_url="https://ops.test")


def connection(*cookies: str, scheme: str = "http") -> HTTPConnection:
    headers = [(b"cookie", cookie.encode()) for cookie in cookies]
    return HTTPConnection({"type": "http", "scheme": scheme, "headers": headers})


@pytest.mark.parametrize(
    ("cookies", "value"),
    [
        pytest.param((f"{SIGN_IN_COOKIE}=mine",), "mine", id="ours"),
        pytest.param((f"other=1; {SIGN_IN_COOKIE}=mine",), "mine", id="beside others"),
        pytest.param((f"{SIGN_IN_COOKIE}=theirs; {SIGN_IN_COOKIE}=mine",), None, id="twice"),
        pytest.param((f"{SIGN_IN_COOKIE}=theirs", f"{SIGN_IN_COOKIE}=mine"), None, id="in two headers"),
        pytest.param((f"__Host-{SIGN_IN_COOKIE}=mine",), None, id="the name for https"),
        pytest.param(("",), None, id="none"),
    ],
)
def test_cookie_that_comes_twice_is_not_believed(cookies: tuple[str, ...], value: str | None) -> None:
    assert read_cookie(connection(*cookies), SIGN_IN_COOKIE, rule=CookieRule()) == value


@pytest.mark.parametrize(
    ("cookies", "value"),
    [
        pytest.param((f"__Host-{SIGN_IN_COOKIE}=mine",), "mine", id="ours"),
        pytest.param((f"{SIGN_IN_COOKIE}=theirs",), None, id="a neighbour's"),
        pytest.param((f"{SIGN_IN_COOKIE}=theirs; __Host-{SIGN_IN_COOKIE}=mine",), "mine", id="both"),
    ],
)
def test_with_https_only_the_name_counts_that_neighbours_cannot_set(
    cookies: tuple[str, ...], value: str | None
) -> None:
    assert read_cookie(connection(*cookies), SIGN_IN_COOKIE, rule=HTTPS) == value


def test_neighbours_sign_in_is_not_taken_over(tmp_path: Path) -> None:
    world = World(tmp_path, rule=HTTPS)
    world.add_user()
    eve = world.signed_in(scheme="https")
    victim = world.browser(scheme="https")

    victim.cookies[SIGN_IN_COOKIE] = eve.cookies[f"__Host-{SIGN_IN_COOKIE}"]

    assert victim.get("/").status == 303


def test_page_sees_one_sign_in_and_all_foreign_cookies(tmp_path: Path) -> None:
    scope: dict[str, Any] = {
        "type": "http",
        "headers": [
            (b"cookie", f"_xsrf=2; {SIGN_IN_COOKIE}=theirs; __Host-{SIGN_IN_COOKIE}=mine".encode()),
            (b"cookie", f"a=b; {SIGN_IN_COOKIE}=more; =x".encode()),
        ],
    }

    seen = HTTPConnection(dict(with_sign_in(scope, "mine"))).headers.getlist("cookie")

    assert seen == [f"_xsrf=2; a=b; {SIGN_IN_COOKIE}=mine"]
