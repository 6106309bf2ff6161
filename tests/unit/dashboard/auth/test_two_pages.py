"""Two pages of one installation behind a proxy that sends each request to either of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from auth_world import NAME, PASSWORD, World

from core.exceptions import StoreError
from core.store import FileStore
from dashboard.auth.links import make_link
from dashboard.auth.page_key import page_key
from dashboard.auth.passkeys import PasskeyRefusedError
from dashboard.auth.users import Role


@pytest.fixture
def pages(tmp_path: Path) -> tuple[World, World]:
    one = World(tmp_path)
    one.add_user()
    return one, World(tmp_path, clock=one.clock)


def test_a_form_of_one_page_is_accepted_by_the_other_and_so_is_the_sign_in(
    pages: tuple[World, World],
) -> None:
    one, two = pages
    browser = one.browser()
    form = browser.get("/sign-in").form
    browser.app = two.app
    browser.post("/sign-in", {**form, "name": NAME, "password": PASSWORD})

    for page in (one, two):
        browser.app = page.app
        assert browser.get("/").status == 200


def test_a_sign_in_ended_at_one_page_is_ended_at_the_other_with_its_next_refresh(
    pages: tuple[World, World],
) -> None:
    one, two = pages
    account = one.users.all()[0]
    cookie = one.sign_ins.begin(account)
    two.sign_ins.load(cookie)
    assert two.sign_ins.user_of(cookie)

    two.sign_ins.end(cookie)
    one.sign_ins.refresh()

    for page in (one, two):
        page.sign_ins.load(cookie)
        page.sign_ins.sweep()
        assert page.sign_ins.user_of(cookie) is None


def test_a_sign_in_ended_elsewhere_does_not_come_back_with_what_is_written_of_its_use(
    pages: tuple[World, World],
) -> None:
    one, two = pages
    cookie = one.sign_ins.begin(one.users.all()[0])
    two.sign_ins.load(cookie)
    two.sign_ins.end(cookie)

    one.sign_ins.confirm(cookie)
    one.sign_ins.refresh()

    assert one.sign_ins.user_of(cookie) is None
    assert World(one.directory).sign_ins.user_of(cookie) is None


def test_activity_at_either_page_counts_and_so_does_a_confirmation(pages: tuple[World, World]) -> None:
    one, two = pages
    cookie = one.sign_ins.begin(one.users.all()[0])
    two.sign_ins.load(cookie)
    for _ in range(20):
        one.clock.advance(hours=1)
        two.sign_ins.touch(cookie)
        two.sign_ins.sweep()
        one.sign_ins.sweep()
    assert one.sign_ins.must_confirm(cookie)

    two.sign_ins.confirm(cookie)
    one.sign_ins.refresh()

    assert one.sign_ins.user_of(cookie)
    assert not one.sign_ins.must_confirm(cookie)


def test_a_link_opened_at_one_page_sets_the_password_at_the_other(pages: tuple[World, World]) -> None:
    one, two = pages
    token, link = make_link(one.clock())
    one.users.create("rui", Role.VIEWER, link=link)
    two.sign_ins.refresh()

    found = two.links.of(one.links.exchange(token))

    assert found is not None
    assert found.account == "rui"


def test_a_challenge_answered_at_one_page_is_used_up_at_the_other(pages: tuple[World, World]) -> None:
    one, two = pages
    one.auth.passkeys._use_up(b"a challenge")

    with pytest.raises(PasskeyRefusedError):
        two.auth.passkeys._use_up(b"a challenge")
    two.auth.passkeys._use_up(b"another one")


def test_a_page_whose_store_fails_at_the_start_signs_with_a_key_of_its_own(tmp_path: Path) -> None:
    class Failing(FileStore):
        def update(self, *_: object, **__: object) -> None:
            raise StoreError("no space left", operation="save page_key")

    store = Failing(tmp_path)

    assert page_key(store) != page_key(store)
    assert page_key(FileStore(tmp_path)) == page_key(FileStore(tmp_path))
