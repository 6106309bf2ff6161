"""A signed-in person's own account."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from asgi_browser import Answer, Browser
from auth_world import NAME, PASSWORD, World

from core.exceptions import StoreError
from dashboard.auth.devices import device_name

NEW = "another long secret"
COOKIE = "wppconnect_sign_in"
PHONE = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"


def change(browser: Browser, **fields: str) -> Answer:
    """Send the form that changes the password."""
    sent = {"current": PASSWORD, "password": NEW, "repeated": NEW, **fields}
    return browser.post("/account/password", browser.get("/account").form | sent)


def devices(browser: Browser) -> list[str]:
    """The keys of the devices that can be signed out."""
    return re.findall(r'name="device" value="(\w+)"', browser.get("/account").text)


def test_account_is_only_for_who_is_signed_in(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()

    assert world.browser().get("/account").status == 303
    assert world.browser().post("/account/password", {}).status == 303


def test_account_tells_name_role_and_way(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()

    text = world.signed_in().get("/account").text

    assert "You are signed in as Ana, with the role administrator." in text
    assert "You signed in with a password." in text


def test_changed_password_is_the_only_one_and_other_devices_are_out(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser, other = world.signed_in(), world.signed_in()
    before = browser.cookies[COOKIE]

    answer = change(browser)

    assert (answer.status, answer.headers["location"]) == (303, "/account?done=password")
    assert browser.cookies[COOKIE] != before
    assert "Your password was changed." in browser.get("/account?done=password").text
    assert other.get("/account").status == 303
    assert world.sign_in(world.browser()).status == 401
    assert world.sign_in(world.browser(), password=NEW).status == 303
    assert (NAME, "password_changed") in world.history.outcomes


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({"current": "guessed"}, "The current password is wrong.", id="wrong present one"),
        pytest.param({"repeated": "else"}, "The passwords do not match.", id="do not match"),
        pytest.param({"password": "short", "repeated": "short"}, "Use at least 12", id="too short"),
        pytest.param({"form_token": "forged"}, "The form had expired.", id="another site's form"),
    ],
)
def test_bad_change_is_explained_and_changes_nothing(
    tmp_path: Path, fields: dict[str, str], told: str
) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.signed_in()

    answer = change(browser, **fields)

    assert answer.status in (403, 422)
    assert told in answer.text
    assert world.sign_in(world.browser()).status == 303


def test_guessing_the_present_password_has_to_wait(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.signed_in()

    answers = [change(browser, current=f"guess {number}") for number in range(11)]

    assert [one.status for one in answers] == [422] * 10 + [429]


def test_other_device_is_listed_in_words_and_can_be_signed_out(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    phone = world.browser(address="198.51.100.9")
    form = phone.get("/sign-in").form
    phone.post("/sign-in", {**form, "name": NAME, "password": PASSWORD}, user_agent=PHONE)
    world.clock.advance(minutes=5)
    browser = world.signed_in()

    shown = browser.get("/account").text
    (key,) = devices(browser)
    answer = browser.post("/account/sign-out", browser.get("/account").form | {"device": key})

    assert "Chrome, Android" in shown
    assert "Last used 5 min ago" in shown
    assert "From 198.51.100.9" in shown
    assert answer.status == 303
    assert phone.get("/").status == 303
    assert browser.get("/").status == 200


def test_signing_out_a_device_that_cannot_be_stored_is_said_and_done_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    cookie = world.sign_ins.begin(world.add_user())
    browser = world.signed_in()
    (key,) = devices(browser)
    form = browser.get("/account").form | {"device": key}

    def fail(*_: object) -> None:
        raise StoreError("the database does not answer")

    with monkeypatch.context() as away:
        away.setattr(world.store, "remove", fail)
        answer = browser.post("/account/sign-out", form)
    world.sign_ins.sweep()

    assert answer.status == 500
    assert "the database does not answer" in answer.text
    assert (NAME, "signed_out") in world.history.outcomes
    assert World(tmp_path, clock=world.clock).sign_ins.user_of(cookie) is None


def test_nobody_signs_out_the_devices_of_others(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    rui = world.users.create("rui", world.users.all()[0].role, password_hash="hash")
    cookie = world.sign_ins.begin(rui)
    (held,) = world.sign_ins.of(rui)
    browser = world.signed_in()

    browser.post("/account/sign-out", browser.get("/account").form | {"device": held.key})

    assert world.sign_ins.user_of(cookie)


def test_remembered_device_stays_signed_in_for_thirty_days(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.browser()

    answer = world.sign_in(browser, remember="yes")
    world.clock.advance(days=29, hours=23)
    before = browser.get("/").status
    world.clock.advance(hours=1)

    assert f"Max-Age={30 * 24 * 3600}" in answer.set_cookies[COOKIE]
    assert (before, browser.get("/").status) == (200, 303)


@pytest.mark.parametrize(("agent", "ticked"), [(PHONE, True), (PHONE.replace("Mobile ", ""), False)])
def test_a_phone_is_remembered_unless_the_user_says_otherwise(
    tmp_path: Path, agent: str, ticked: bool
) -> None:
    world = World(tmp_path)
    world.add_user()

    page = world.browser().get("/sign-in", **{"user-agent": agent})

    assert ('name="remember" value="yes" checked>' in page.text) is ticked


def test_device_can_be_remembered_later(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.signed_in()

    answer = browser.post("/account/remember", browser.get("/account").form)
    world.clock.advance(days=20)

    assert f"Max-Age={30 * 24 * 3600}" in answer.set_cookies[COOKIE]
    assert "Remembered" in browser.get("/account").text
    assert "Remember this device" not in browser.get("/account").text


def test_forgotten_device_is_out_after_the_idle_time(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.signed_in()

    world.clock.advance(hours=12)

    assert browser.get("/").status == 303


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        pytest.param(PHONE, "Chrome, Android", id="Chrome on Android"),
        pytest.param(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 "
            "Mobile/15E148 Safari/604.1",
            "Safari, iPhone",
            id="Safari on an iPhone",
        ),
        pytest.param(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0 Safari/537.36 Edg/131.0",
            "Edge, Windows",
            id="Edge",
        ),
        pytest.param("Mozilla/5.0 (X11; Linux x86_64) Firefox/132.0", "Firefox, Linux", id="Firefox"),
        pytest.param("<script>alert(1)</script>", "", id="a program"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_devices_are_named_as_people_know_them(user_agent: str, words: str) -> None:
    assert device_name(user_agent) == words
