"""DASHBOARD_REQUIRE_PASSKEY: a password alone signs nobody in."""

from __future__ import annotations

from pathlib import Path

import pytest
from asgi_browser import Answer, Browser
from auth_world import PASSWORD, World
from passkey_world import ORIGIN, account, answer, browse, is_in, make_world, passkey_form

from dashboard.auth.passkeys import site_of
from dashboard.settings import DashboardEnvironment
from tests.fakes.authenticator import Authenticator

ACTION = "/sign-in/passkey"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path, require_passkey=True)


def give_password(world: World, browser: Browser) -> Answer:
    page: Answer = world.sign_in(browser, next="/session?name=a")
    assert page.status == 200
    return page


def enrol(world: World) -> tuple[Authenticator, Browser]:
    device, browser = Authenticator(), browse(world)
    done = answer(browser, give_password(world, browser), ACTION, device.create)
    assert (done.status, done.headers["location"]) == (303, "/session?name=a")
    return device, browser


def test_the_first_sign_in_creates_one(world: World) -> None:
    _device, browser = enrol(world)

    assert is_in(browser)
    assert [outcome for _name, outcome in world.history.outcomes] == ["passkey_added", "signed_in"]


def test_the_next_sign_in_needs_it_after_the_password(world: World) -> None:
    device, _browser = enrol(world)
    browser = browse(world)
    page = give_password(world, browser)
    assert not is_in(browser)

    wrong = answer(browser, page, ACTION, Authenticator().get)
    right = answer(browser, wrong, ACTION, device.get)

    assert (wrong.status, right.status) == (403, 303)
    assert is_in(browser)


def test_a_second_passkey_is_not_created_by_the_password_alone(world: World) -> None:
    enrol(world)
    browser = browse(world)
    _options, form = passkey_form(give_password(world, browser), ACTION)
    site = site_of(ORIGIN)
    assert site
    creation = world.auth.passkeys.creation_options(
        site, browser.cookies["__Host-wppconnect_form"], account(world), "ops"
    )

    refused = browser.post(ACTION, {**form, "credential": Authenticator().create(creation)})

    assert refused.status == 403
    assert len(account(world).passkeys) == 1


def test_the_password_counts_for_ten_minutes_and_this_browser(world: World) -> None:
    device, _browser = enrol(world)
    browser, other = browse(world), browse(world)
    options, form = passkey_form(give_password(world, browser), ACTION)
    theirs = other.get("/sign-in").form
    elsewhere = other.post(ACTION, {**form, **theirs, "credential": device.get(options)})
    world.clock.advance(seconds=601)

    late = browser.post(ACTION, {**form, "credential": device.get(options)})

    assert (elsewhere.status, late.status) == (403, 403)


def test_what_ends_sign_ins_ends_what_is_half_done(world: World) -> None:
    device, _browser = enrol(world)
    browser = browse(world)
    page = give_password(world, browser)
    world.users.end_all_sign_ins(account(world))

    assert answer(browser, page, ACTION, device.get).status == 403


def test_the_last_one_stays(world: World) -> None:
    _device, browser = enrol(world)
    (passkey,) = account(world).passkeys

    browser.post("/account/passkeys/remove", {**browser.get("/account").form, "passkey": passkey.id})

    assert [one.id for one in account(world).passkeys] == [passkey.id]


def test_a_password_alone_does_not_confirm(world: World) -> None:
    _device, browser = enrol(world)
    world.clock.advance(minutes=16)

    browser.post("/confirm", {**browser.get("/confirm").form, "password": PASSWORD})

    assert world.sign_ins.must_confirm(browser.cookies["__Host-wppconnect_sign_in"])


def test_a_one_time_link_leads_to_a_passkey_too(tmp_path: Path) -> None:
    world = make_world(tmp_path, require_passkey=True, has_user=False)
    browser, device = browse(world), Authenticator()
    exchange = browser.get("/sign-in/link").form
    browser.post("/sign-in/link", {**exchange, "token": world.links.issue()})
    form = browser.get("/sign-in/password").form

    page = browser.post(
        "/sign-in/password", {**form, "name": "ana", "password": PASSWORD, "repeated": PASSWORD}
    )

    assert not is_in(browser)
    assert answer(browser, page, ACTION, device.create).status == 303
    assert is_in(browser)


@pytest.mark.parametrize("address", [None, "http://ops.example.org", "https://192.0.2.7"])
def test_the_setting_is_refused_where_nobody_could_sign_in(address: str | None) -> None:
    settings = DashboardEnvironment(require_passkey=True, external_url=address)

    assert [finding.fields for finding in settings.mistakes()] == [("require_passkey", "external_url")]
