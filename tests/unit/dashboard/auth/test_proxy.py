"""Signing in by the header of a reverse proxy, and all the ways in which it must not be believed."""

from __future__ import annotations

from pathlib import Path

import pytest
from asgi_browser import Browser
from auth_world import NAME, World
from proxy_world import COOKIE, PROXY, behind_proxy, visit

from dashboard.auth.external_accounts import RoleRule
from dashboard.auth.users import AuthMethod, Role

ADMINS = RoleRule({"wpp-admins": Role.ADMINISTRATOR, "wpp": Role.VIEWER})


def who(world: World, browser: Browser) -> str | None:
    user = world.sign_ins.user_of(browser.cookies.get(COOKIE))
    return f"{user.name}, {user.role}" if user else None


def test_person_of_the_proxy_is_in_without_a_password_and_keeps_the_deep_link(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path)
    browser = world.browser(address=PROXY)

    answer = visit(browser, "/session?server=main", x_forwarded_user="rui")

    assert answer.text == "behind the gate: /session"
    assert who(world, browser) == "rui, viewer"
    assert world.history.outcomes == [("rui", "signed_in")]


def test_whom_the_proxy_signs_in_is_told_that_nothing_is_asked_again_here(tmp_path: Path) -> None:
    answer = visit(behind_proxy(tmp_path).browser(address=PROXY), "/confirm", x_forwarded_user="rui")

    assert "A reverse proxy signs you in." in answer.text
    assert 'type="password"' not in answer.text


@pytest.mark.parametrize("address", ["10.0.0.9", "203.0.113.7", "::ffff:10.0.0.99", "not an address"])
def test_header_from_any_other_address_is_ignored(tmp_path: Path, address: str) -> None:
    world = behind_proxy(tmp_path)
    browser = world.browser(address=address)

    answer = visit(browser, x_forwarded_user=NAME, x_forwarded_for=PROXY)

    assert "Password" in answer.text
    assert who(world, browser) is None


def test_proxys_ipv4_address_counts_on_a_listener_for_both(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path)

    assert visit(world.browser(address=f"::ffff:{PROXY}"), x_forwarded_user="rui").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("x-forwarded-user", "rui"), ("x-forwarded-user", NAME)], id="two headers"),
        pytest.param([("x-forwarded-user", "")], id="empty"),
        pytest.param([("x_forwarded_user", NAME)], id="with underscores"),
        pytest.param([("x-forwarded-user ", NAME)], id="with a space behind it"),
        pytest.param([("x-remote-user", NAME)], id="another header"),
        pytest.param([], id="none"),
    ],
)
def test_what_is_not_exactly_the_header_signs_nobody_in(
    tmp_path: Path, headers: list[tuple[str, str]]
) -> None:
    world = behind_proxy(tmp_path)
    browser = world.browser(address=PROXY)
    scope = browser.scope("http", "/sign-in", {"accept": "text/html"})
    scope["headers"] += [(name.encode(), value.encode()) for name, value in headers]

    from starlette.requests import HTTPConnection

    from dashboard.auth.peer import PEER

    connection = HTTPConnection({**scope, PEER: PROXY})

    assert world.auth.authenticator.identity(connection) is None


@pytest.mark.parametrize("name", ["<script>", "a b", "../x", "=cmd", "\u0430na", "x" * 65, "a\tb"])
def test_strange_name_of_the_proxy_is_refused_in_words(tmp_path: Path, name: str) -> None:
    world = behind_proxy(tmp_path)
    browser = world.browser(address=PROXY)

    answer = visit(browser, x_forwarded_user=name)

    assert "characters that are not accepted" in answer.text
    assert "<script>alert" not in answer.text
    assert "<script>" not in answer.text
    assert world.users.find(name) is None


def test_unknown_person_without_a_role_is_told_whom_to_ask_and_may_use_a_password(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path, RoleRule())

    answer = visit(world.browser(address=PROXY), x_forwarded_user="rui")

    assert "You are signed in there as rui, but have no access to this page." in answer.text
    assert 'name="password"' in answer.text
    assert world.users.find("rui") is None


def test_known_person_needs_no_rule(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path, RoleRule())
    world.users.create("rui", Role.OPERATOR, way=AuthMethod.PROXY)
    browser = world.browser(address=PROXY)

    visit(browser, x_forwarded_user="RUI")

    assert who(world, browser) == "rui, operator"


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        pytest.param("wpp", "viewer", id="one"),
        pytest.param("staff, wpp ,wpp-admins", "administrator", id="the highest counts"),
        pytest.param("wpp|wpp-admins", "administrator", id="bars"),
        pytest.param("staff", None, id="none of ours"),
        pytest.param("", None, id="no group"),
    ],
)
def test_groups_give_the_role(tmp_path: Path, groups: str, role: str | None) -> None:
    world = behind_proxy(tmp_path, ADMINS)
    browser = world.browser(address=PROXY)

    visit(browser, x_forwarded_user="rui", x_forwarded_groups=groups)

    assert who(world, browser) == (f"rui, {role}" if role else None)


def test_lost_group_counts_with_the_very_next_request(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path, ADMINS)
    browser = world.browser(address=PROXY)
    visit(browser, x_forwarded_user="rui", x_forwarded_groups="wpp-admins")
    high = browser.cookies[COOKIE]

    answer = browser.get("/", x_forwarded_user="rui", x_forwarded_groups="wpp")
    visit(browser, x_forwarded_user="rui", x_forwarded_groups="wpp")

    assert answer.status == 303
    assert who(world, browser) == "rui, viewer"
    # Ended, and with it every open tab.
    assert world.sign_ins.user_of(high) is None


def test_groups_do_not_change_who_has_a_password_here(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path, ADMINS)
    browser = world.browser(address=PROXY)

    visit(browser, x_forwarded_user=NAME, x_forwarded_groups="wpp")

    assert who(world, browser) == f"{NAME}, administrator"


def test_cookie_alone_opens_nothing_on_a_way_around_the_proxy(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path)
    browser = world.browser(address=PROXY)
    visit(browser, x_forwarded_user="rui")

    around = world.browser(address="203.0.113.7", cookies=dict(browser.cookies))

    assert around.get("/").status == 303
    assert around.get("/", x_forwarded_user="rui").status == 303
    assert browser.get("/").status == 303


def test_next_person_at_the_proxy_does_not_get_the_sign_in_of_the_one_before(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path)
    browser = world.browser(address=PROXY)
    visit(browser, x_forwarded_user="rui")

    visit(browser, x_forwarded_user="eva")

    assert who(world, browser) == "eva, viewer"


def test_password_sign_in_through_the_proxy_needs_no_header(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path)

    browser = world.signed_in(address=PROXY)

    assert browser.get("/").status == 200


def test_signed_out_person_is_not_signed_in_again_by_the_header_at_once(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path)
    browser = world.browser(address=PROXY)
    headers = {"x_forwarded_user": "rui"}
    visit(browser, **headers)
    form = browser.get("/sign-out", **headers).form

    answer = browser.post("/sign-out", form | {"where": "here"}, **headers)
    shown = browser.get(answer.headers["location"], **headers)

    assert answer.headers["location"] == "/sign-in?signed_out=proxy"
    assert "You are signed out." in shown.text
    assert "Sign in again as rui" in shown.text
    assert who(world, browser) is None


def test_disabled_person_is_refused(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path)
    browser = world.browser(address=PROXY)
    visit(browser, x_forwarded_user="rui")

    world.users.change("rui", lambda account: account.model_copy(update={"disabled": True}))

    assert "The account rui is disabled here." in visit(browser, x_forwarded_user="rui").text


def test_account_of_the_provider_is_not_opened_by_the_proxys_name(tmp_path: Path) -> None:
    world = behind_proxy(tmp_path)
    world.users.create("rui", Role.ADMINISTRATOR, way=AuthMethod.PROVIDER, subject="issuer rui")
    browser = world.browser(address=PROXY)

    answer = visit(browser, x_forwarded_user="rui")

    assert "An account rui already exists here" in answer.text
    assert who(world, browser) is None


def test_proxy_without_a_header_in_the_settings_signs_nobody_in(tmp_path: Path) -> None:
    world = World(tmp_path, roles=RoleRule(otherwise=Role.ADMINISTRATOR))
    world.add_user()

    assert "Password" in visit(world.browser(address=PROXY), x_forwarded_user=NAME).text
