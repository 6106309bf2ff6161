from pathlib import Path

import pytest
from argon2 import PasswordHasher
from auth_world import NAME, PASSWORD, CookieRule, World, quick_hasher

from dashboard.auth.links import make_link
from dashboard.auth.users import Role

COOKIE = "wppconnect_sign_in"


def test_right_password_signs_in_and_leads_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.browser()
    form = browser.get("/sign-in?next=%2Fsession%3Fserver%3Dmain%26session%3Dsales").form

    answer = browser.post(
        "/sign-in",
        {"form_token": form["form_token"], "name": "ana", "password": PASSWORD}
        | {"next": "/session?server=main&session=sales"},
    )

    assert (answer.status, answer.headers["location"]) == (303, "/session?server=main&session=sales")
    assert browser.get("/session").status == 200
    assert world.history.outcomes == [(NAME, "signed_in")]
    assert world.history[0].data["address"] == "203.0.113.7"


def test_form_keeps_the_deep_link(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()

    form = world.browser().get("/sign-in?next=%2Fsession%3Fserver%3Dmain").form

    assert form["next"] == "/session?server=main"


@pytest.mark.parametrize("wanted", ["//evil.test", "https://evil.test/", "/\\evil.test", "/sign-out"])
def test_sign_in_never_leads_to_another_site(tmp_path: Path, wanted: str) -> None:
    world = World(tmp_path)
    world.add_user()

    answer = world.sign_in(world.browser(), next=wanted)

    assert (answer.status, answer.headers["location"]) == (303, "/")


def test_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites_forms(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()

    line = world.sign_in(world.browser()).set_cookies[COOKIE]

    assert "HttpOnly" in line
    assert "SameSite=lax" in line
    assert "Path=/" in line
    assert f"Max-Age={7 * 24 * 3600}" in line


@pytest.mark.parametrize(
    ("rule", "scheme", "secure"),
    [
        pytest.param(CookieRule(), "http", False, id="plain http"),
        pytest.param(CookieRule(), "https", True, id="https, as a trusted proxy says"),
        pytest.param(CookieRule(external_url="https://o.test"), "http", True, id="published by https"),
        pytest.param(CookieRule(external_url="http://o.test"), "http", False, id="published by http"),
        pytest.param(CookieRule(secure_cookie=True), "http", True, id="always"),
        pytest.param(CookieRule(secure_cookie=False), "https", False, id="never"),
    ],
)
def test_cookie_is_for_https_only_where_it_can_be(
    tmp_path: Path, rule: CookieRule, scheme: str, secure: bool
) -> None:
    world = World(tmp_path, rule=rule)
    world.add_user()

    cookies = world.sign_in(world.browser(scheme=scheme)).set_cookies

    # Such a name is taken from no other host of the domain.
    prefix = "__Host-" if secure else ""
    assert list(cookies) == [f"{prefix}{COOKIE}", f"{prefix}wppconnect_device"]
    assert [("Secure" in line) for line in cookies.values()] == [secure, secure]


def test_sign_in_never_takes_over_an_id_that_the_browser_brought(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.browser(cookies={COOKIE: "planted"})

    world.sign_in(browser)

    assert browser.cookies[COOKIE] != "planted"
    assert world.sign_ins.user_of("planted") is None


def test_signing_in_again_ends_the_sign_in_before(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.browser()
    form = browser.get("/sign-in").form
    world.sign_in(browser)
    first = browser.cookies[COOKIE]

    browser.post("/sign-in", {**form, "name": NAME, "password": PASSWORD})

    assert world.sign_ins.user_of(first) is None
    assert world.sign_ins.user_of(browser.cookies[COOKIE]) is not None


@pytest.mark.parametrize(("name", "actor"), [(NAME, NAME), ("my-secret-typed-here", None)])
def test_wrong_password_and_unknown_name_look_alike(tmp_path: Path, name: str, actor: str | None) -> None:
    world = World(tmp_path)
    world.add_user()

    answer = world.sign_in(world.browser(), name, "wrong")

    assert answer.status == 401
    assert "Name or password is wrong." in answer.text
    assert COOKIE not in answer.set_cookies
    assert world.history.outcomes == [(actor, "failed")]
    assert "my-secret-typed-here" not in repr(world.history)


def test_typed_name_is_kept_in_the_form_and_escaped(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()

    answer = world.sign_in(world.browser(), '"><script>alert(1)</script>', "wrong")

    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


def test_guessing_has_to_wait_and_then_may_go_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.browser()
    statuses = [world.sign_in(browser, password=f"wrong {number}").status for number in range(6)]

    refused = world.sign_in(browser)
    world.clock.advance(seconds=2)
    accepted = world.sign_in(browser)

    assert statuses == [401, 401, 401, 401, 401, 429]
    assert (refused.status, refused.headers["retry-after"]) == (429, "2")
    assert "Wait 2 seconds" in refused.text
    assert accepted.status == 303
    outcomes = [outcome for _actor, outcome in world.history.outcomes]
    assert outcomes == ["failed", "failed", "failed", "failed", "too_many_tries", "signed_in"]


def test_account_is_protected_from_many_addresses(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    for number in range(10):
        world.sign_in(world.browser(address=f"203.0.113.{number}"), password="wrong")

    answer = world.sign_in(world.browser(address="198.51.100.1"))

    assert answer.status == 429


def test_signing_in_with_an_own_account_is_no_leave_to_guess_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    world.users.create("eve", Role.VIEWER, password_hash=quick_hasher().hash(PASSWORD))
    own, guesses = [], []
    for number in range(5):
        own.append(world.sign_in(world.browser(), name="eve").status)
        guesses.append(world.sign_in(world.browser(), password=f"guess {number}").status)

    assert own == [303] * 5
    assert guesses == [401] * 5
    assert world.sign_in(world.browser()).status == 429


def test_who_has_to_wait_is_shown_the_way_in_that_nobody_can_spend(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    token, link = make_link(world.clock())
    world.users.change(NAME, lambda account: account.model_copy(update={"link": link}))
    for number in range(10):
        world.sign_in(world.browser(address=f"203.0.113.{number}"), password="wrong")

    refused = world.sign_in(world.browser(address="198.51.100.1"))
    browser = world.browser(address="203.0.113.1")
    opened = browser.post("/sign-in/link", browser.get("/sign-in/link").form | {"token": token})

    assert refused.status == 429
    assert "wppconnect-ops users reset" in refused.text
    assert opened.status == 303


@pytest.mark.parametrize("name", [NAME, "nobody"])
def test_wait_does_not_tell_whether_a_name_exists(tmp_path: Path, name: str) -> None:
    world = World(tmp_path)
    world.add_user()
    for number in range(10):
        world.sign_in(world.browser(address=f"203.0.113.{number}"), name, "wrong")

    answer = world.sign_in(world.browser(address="198.51.100.1"), name, "wrong")

    assert answer.status == 429


def test_form_without_its_token_is_shown_again(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()

    answer = world.sign_in(world.browser(), form_token="forged")

    assert answer.status == 403
    assert "The form had expired." in answer.text
    assert world.history == []


def test_form_token_of_another_browser_does_not_fit(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    token = world.browser().get("/sign-in").form["form_token"]

    assert world.sign_in(world.browser(), form_token=token).status == 403


@pytest.mark.parametrize(
    ("fields", "headers", "status"),
    [
        ({"name": "x" * 20_000}, {}, 413),
        ({}, {"content-type": "application/json"}, 415),
        ({str(number): "x" for number in range(30)}, {}, 400),
    ],
)
def test_strange_forms_are_refused(
    tmp_path: Path, fields: dict[str, str], headers: dict[str, str], status: int
) -> None:
    answer = World(tmp_path).browser().post("/sign-in", fields, **headers, accept_language="pt-BR")

    assert answer.status == status
    assert "Não foi possível ler o formulário." in answer.text


def test_signed_in_person_is_led_on_from_the_sign_in_page(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()

    answer = world.signed_in().get("/sign-in?next=%2Fsettings")

    assert (answer.status, answer.headers["location"]) == (303, "/settings")


def test_without_users_the_page_tells_where_the_link_is(tmp_path: Path) -> None:
    answer = World(tmp_path).browser().get("/sign-in")

    assert "first-sign-in-link" in answer.text
    assert 'type="password"' not in answer.text


def test_sign_out_asks_first_and_names_the_user(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.signed_in()

    answer = browser.get("/sign-out")

    assert f"<strong>{NAME}</strong>" in answer.text
    assert browser.get("/").status == 200


def test_sign_out_ends_this_sign_in_at_once_and_no_other(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser, other = world.signed_in(), world.signed_in()
    cookie = browser.cookies[COOKIE]

    answer = browser.post("/sign-out", browser.get("/sign-out").form | {"where": "here"})

    assert (answer.status, answer.headers["location"]) == (303, "/sign-in?signed_out=password")
    assert COOKIE not in browser.cookies
    assert world.sign_ins.user_of(cookie) is None
    assert other.get("/").status == 200
    assert "You are signed out." in browser.get("/sign-in?signed_out=password").text
    assert world.history.outcomes[-1] == (NAME, "signed_out")


def test_sign_out_everywhere_ends_all_sign_ins_of_the_user(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser, other = world.signed_in(), world.signed_in()

    browser.post("/sign-out", browser.get("/sign-out").form | {"where": "everywhere"})

    assert other.get("/").status == 303
    assert world.history.outcomes[-1] == (NAME, "signed_out_everywhere")


def test_sign_out_without_the_forms_token_does_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.signed_in()

    browser.post("/sign-out", {"where": "here"})

    assert browser.get("/").status == 200


@pytest.mark.parametrize(
    ("accepted", "language", "title"),
    [
        ("en-GB,en", "en", "Sign in"),
        ("de", "en", "Sign in"),
        ("pt-PT", "pt-PT", "Entrar"),
        ("pt-BR,pt;q=0.9", "pt-BR", "Entrar"),
    ],
)
def test_page_speaks_the_readers_language(tmp_path: Path, accepted: str, language: str, title: str) -> None:
    world = World(tmp_path)
    world.add_user()

    answer = world.browser().get("/sign-in", accept_language=accepted)

    assert f'<html lang="{language}">' in answer.text
    assert f"<h1>{title}</h1>" in answer.text


def test_weaker_stored_hash_is_renewed_by_a_sign_in(tmp_path: Path) -> None:
    world = World(tmp_path)
    account = world.add_user()
    weak = "$argon2id$v=19$m=8,t=1,p=1$"
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    world.users.replace_password_hash(account, hasher.hash(PASSWORD))

    answer = world.sign_in(world.browser())

    renewed = world.users.find(NAME)
    assert answer.status == 303
    assert renewed is not None
    assert not renewed.password_hash.startswith(weak)
