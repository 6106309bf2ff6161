"""Passkeys: signing in, confirming, adding and removing, and every answer that is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from auth_world import NAME, PASSWORD, World, quick_hasher
from passkey_world import account, add, answer, browse, is_in, make_world, passkey_form, sign_in, signed_in

from core.exceptions import StoreError
from dashboard.auth.links import make_link
from dashboard.auth.passkeys import MAX_PER_ACCOUNT, site_of
from dashboard.auth.users import AuthMethod, Role
from tests.fakes.authenticator import PRESENT, VERIFIED, Authenticator


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def test_an_added_passkey_signs_in_without_a_name(world: World) -> None:
    device, browser = Authenticator(), browse(world)

    added = add(signed_in(world), device)
    done = sign_in(browser, device, next="/session?name=a")

    assert (added.status, added.headers["location"]) == (303, "/account?done=passkey-added")
    assert (done.status, done.headers["location"]) == (303, "/session?name=a")
    assert "You signed in with a passkey." in browser.get("/account").text
    assert [outcome for _name, outcome in world.history.outcomes] == [
        "signed_in",
        "passkey_added",
        "signed_in",
    ]
    assert account(world).passkeys[0].used_at == world.clock()


def test_no_passkey_is_offered_before_there_is_one(world: World) -> None:
    assert "data-passkey" not in browse(world).get("/sign-in").text


def test_a_passkey_sign_in_is_remembered_like_any_other(world: World) -> None:
    device, browser = Authenticator(), browse(world)
    add(signed_in(world), device)
    world.clock.advance(minutes=1)

    sign_in(browser, device, remember="yes")

    (mine, _other) = world.sign_ins.of(account(world))
    assert mine.sign_in.remembered
    assert mine.sign_in.way is AuthMethod.PASSKEY


def test_the_counter_is_stored_and_one_that_goes_back_is_refused(world: World) -> None:
    device = Authenticator(count=5)
    add(signed_in(world), device)
    device.count = 6
    assert sign_in(browse(world), device).status == 303
    assert account(world).passkeys[0].sign_count == 6

    assert sign_in(browse(world), device).status == 403


@pytest.mark.parametrize(
    "falsify",
    [
        pytest.param({"origin": "https://ops.test.evil.example"}, id="another origin"),
        pytest.param({"origin": "http://ops.test"}, id="without https"),
        pytest.param({"flags": PRESENT}, id="user not verified"),
        pytest.param({"flags": VERIFIED}, id="user not present"),
        pytest.param({"id": b"0123456789abcdef"}, id="unknown passkey"),
        pytest.param({"key": Authenticator().key}, id="another key"),
    ],
)
def test_a_false_answer_signs_nobody_in(world: World, falsify: dict[str, Any]) -> None:
    device, browser = Authenticator(), browse(world)
    add(signed_in(world), device)
    for name, value in falsify.items():
        setattr(device, name, value)

    assert sign_in(browser, device).status == 403
    assert not is_in(browser)
    assert world.history.outcomes[-1] == (None, "failed")


@pytest.mark.parametrize("action", ["/sign-in/passkey", "/account/passkeys", "/confirm/passkey"])
def test_malformed_answers_are_refused_in_words(world: World, action: str) -> None:
    browser = signed_in(world)
    add(browser, Authenticator())
    form = browser.get("/account").form
    no_parts = json.dumps({"id": "a", "rawId": "a", "type": "public-key", "response": {}})

    for credential in ("", "{}", "[]", "null", "{", no_parts, "\x00", "9" * 9000, "%5B"):
        refused = browser.post(action, {**form, "credential": credential})

        assert refused.status == 403, credential[:40]
        assert "The passkey was not accepted" in refused.text


def test_an_answer_is_accepted_once(world: World) -> None:
    device, browser = Authenticator(), browse(world)
    add(signed_in(world), device)
    options, form = passkey_form(browser.get("/sign-in"), "/sign-in/passkey")
    sent = {**form, "credential": device.get(options)}
    first = browser.post("/sign-in/passkey", sent)
    cookie = browser.cookies.pop("__Host-wppconnect_sign_in")

    again = browser.post("/sign-in/passkey", sent)

    assert (first.status, again.status, bool(cookie)) == (303, 403, True)


def test_an_answer_is_late_after_ten_minutes(world: World) -> None:
    device, browser = Authenticator(), browse(world)
    add(signed_in(world), device)
    page = browser.get("/sign-in")
    world.clock.advance(seconds=601)

    assert answer(browser, page, "/sign-in/passkey", device.get).status == 403


def test_an_answer_counts_for_its_browser_and_purpose_only(world: World) -> None:
    device, browser = Authenticator(), signed_in(world)
    add(browser, device)
    stranger = browse(world)
    theirs = stranger.get("/sign-in").form
    options, _form = passkey_form(browse(world).get("/sign-in"), "/sign-in/passkey")
    elsewhere = stranger.post("/sign-in/passkey", {**theirs, "credential": device.get(options)})
    world.clock.advance(minutes=16)
    options, _form = passkey_form(browser.get("/confirm"), "/confirm/passkey")
    for_confirming = browser.post(
        "/sign-in/passkey", {**browser.get("/confirm").form, "credential": device.get(options)}
    )

    assert (elsewhere.status, for_confirming.status) == (403, 403)


def test_a_form_of_another_site_is_refused(world: World) -> None:
    device, browser = Authenticator(), browse(world)
    add(signed_in(world), device)
    options, form = passkey_form(browser.get("/sign-in"), "/sign-in/passkey")

    refused = browser.post("/sign-in/passkey", {**form, "form_token": "x", "credential": device.get(options)})

    assert refused.status == 403
    assert not is_in(browser)


def test_a_disabled_account_is_refused(world: World) -> None:
    device, browser = Authenticator(), browse(world)
    world.users.create("rui", Role.ADMINISTRATOR, password_hash=quick_hasher().hash(PASSWORD))
    add(signed_in(world), device)
    page = browser.get("/sign-in")
    world.users.change(NAME, lambda found: found.model_copy(update={"disabled": True}))

    assert answer(browser, page, "/sign-in/passkey", device.get).status == 403


def test_a_passkey_confirms_and_only_that_of_the_same_account(world: World) -> None:
    mine, theirs = Authenticator(), Authenticator()
    browser = signed_in(world)
    add(browser, mine)
    world.users.create("rui", Role.OPERATOR, password_hash=quick_hasher().hash(PASSWORD))
    other = browse(world)
    world.sign_in(other, "rui")
    add(other, theirs)
    world.clock.advance(minutes=16)

    refused = answer(browser, browser.get("/confirm"), "/confirm/passkey", theirs.get)
    confirmed = answer(browser, browser.get("/confirm?next=/account"), "/confirm/passkey", mine.get)

    assert refused.status == 403
    assert (confirmed.status, confirmed.headers["location"]) == (303, "/account")
    assert world.history.outcomes[-1] == (NAME, "confirmed")


def test_passkeys_change_only_shortly_after_authenticating(world: World) -> None:
    device, browser = Authenticator(), signed_in(world)
    page = browser.get("/account")
    world.clock.advance(minutes=16)

    refused = answer(browser, page, "/account/passkeys", device.create)

    assert refused.headers["location"] == "/account"
    assert account(world).passkeys == ()
    assert "/confirm?next=/account" in browser.get("/account").text


def test_a_removed_passkey_signs_nobody_in(world: World) -> None:
    device, browser, other = Authenticator(), signed_in(world), browse(world)
    add(browser, device)
    page = other.get("/sign-in")
    form = browser.get("/account").form

    removed = browser.post("/account/passkeys/remove", form)

    assert removed.headers["location"] == "/account?done=passkey-removed"
    assert world.history.outcomes[-1] == (NAME, "passkey_removed")
    assert answer(other, page, "/sign-in/passkey", device.get).status == 403


def test_an_account_has_ten_passkeys_at_most_and_each_once(world: World) -> None:
    browser, device = signed_in(world), Authenticator()
    first_page = browser.get("/account")
    assert add(browser, device).status == 303
    assert answer(browser, browser.get("/account"), "/account/passkeys", device.create).status == 403
    for _number in range(MAX_PER_ACCOUNT - 1):
        assert add(browser, Authenticator()).status == 303

    assert "data-passkey" not in browser.get("/account").text
    assert answer(browser, first_page, "/account/passkeys", Authenticator().create).status == 403
    assert len(account(world).passkeys) == MAX_PER_ACCOUNT


def test_a_one_time_link_removes_lost_passkeys(world: World) -> None:
    add(signed_in(world), Authenticator())
    token, link = make_link(world.clock())
    world.users.change(NAME, lambda found: found.model_copy(update={"link": link}))
    grant = world.links.of(world.links.exchange(token))
    assert grant

    changed = world.links.set_password(grant, quick_hasher().hash(PASSWORD))

    assert changed.passkeys == ()


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://ops.example.org", "ops.example.org"),
        ("https://ops.example.org:8443/wpp", "ops.example.org"),
        ("http://localhost:8501", "localhost"),
        ("https://localhost", "localhost"),
        ("http://ops.example.org", None),
        ("https://192.0.2.7", None),
        ("https://[2001:db8::7]", None),
        ("http://127.0.0.1:8501", None),
        ("", None),
        (None, None),
    ],
)
def test_passkeys_need_https_and_a_host_name(address: str | None, host: str | None) -> None:
    site = site_of(address)

    assert (site.host if site else None) == host


def test_only_the_loopback_may_do_without_a_published_address(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    named, local = world.browser(), world.browser(host="localhost:8501")
    world.sign_in(named)
    world.sign_in(local)

    assert "data-passkey" not in named.get("/account").text
    assert json.loads(passkey_form(local.get("/account"), "/account/passkeys")[0])["rp"]["id"] == "localhost"


def test_a_full_disk_keeps_nobody_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    device, browser = Authenticator(), browse(world)
    add(signed_in(world), device)

    def refuse(*_words: object, **_more: object) -> None:
        raise StoreError("the disk is full", operation="write")

    monkeypatch.setattr(world.store, "update", refuse)

    assert sign_in(browser, device).status == 303
