"""Users and their own account, at a desk and on a phone: who is let in, and how soon they are out again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.stack import PASSWORD, SESSION, Stack
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

NEW_PASSWORD = "staple battery horse"


class House:
    """The page, its administrator's tab, and the tabs of other people."""

    def __init__(self, browser: Browser, product: Stack, tab: Visitor) -> None:
        self._browser, self._product, self._tab = browser, product, tab
        self._open: list[Visitor] = []

    def administrator(self) -> Visitor:
        """Open the users page as the administrator."""
        self._tab.open("/users")
        self._tab.reads("Add a user")
        return self._tab

    def somebody(self, size: str) -> Visitor:
        """Open a browser in which nobody is signed in."""
        visitor = Visitor(self._browser, self._product, size)
        self._open.append(visitor)
        return visitor

    def close(self) -> None:
        """Close every tab."""
        for visitor in self._open:
            visitor.close()


@pytest.fixture
def house(browser: Browser, quick: Stack, desk: Visitor) -> Iterator[House]:
    quick.lose_the_phone()
    opened = House(browser, quick, desk)
    yield opened
    opened.close()


def add(boss: Visitor, name: str) -> str:
    """Add somebody as a viewer and return the link that is shown."""
    boss.page.get_by_role("textbox", name="Name").fill(name)
    # Tapped twice, and added once: the name would be refused the second time.
    boss.page.locator(".st-key-save-add-user button").dblclick()
    link = boss.page.locator(".st-key-one-time-link code")
    link.wait_for()
    boss.reads(f"Send {name} this link")
    expect(link).to_be_in_viewport()
    return link.inner_text()


def give_role(boss: Visitor, name: str, role: str) -> None:
    """Change somebody's role on the users page."""
    selector = f".st-key-card-user-{name}"
    card = boss.page.locator(selector)
    if not card.get_by_role("radiogroup").is_visible():
        boss.unfold(selector)
    card.get_by_role("radiogroup").get_by_text(role, exact=True).click()
    boss.press(f"role-{name}")
    expect(card).to_contain_text(f"The role of {name} was changed.")


def await_out(visitor: Visitor) -> None:
    """Wait until a tab shows nothing but the way back in, without having been loaded anew."""
    visitor.reads("You are signed out.")
    expect(visitor.page.locator(".st-key-ops-top")).to_have_count(0)


def try_password(visitor: Visitor, name: str, password: str) -> None:
    """Fill in the sign-in page and send it."""
    visitor.page.fill("input[name=name]", name)
    visitor.page.fill("input[name=password]", password)
    visitor.page.click("button")


def test_somebody_is_added_gets_another_role_and_is_removed(house: House) -> None:
    name = "rui"
    boss = house.administrator()
    link = add(boss, name)
    boss.look("people/link", whole=True)
    boss.press("hide-link")

    rui = house.somebody("phone")
    rui.sign_in_first(link)
    rui.page.locator(f".st-key-open-main-{SESSION}").wait_for()
    give_role(boss, name, "operator")
    boss.look("people/role", whole=True)
    rui.page.locator(f".st-key-repair-main-{SESSION}").wait_for()

    boss.press(f"remove-{name}")
    boss.reads("This cannot be undone.")
    boss.look("people/remove", whole=True)
    boss.press(f"remove-yes-{name}")
    await_out(rui)
    rui.look("people/out", whole=True)
    boss.reads(f"{name} was removed.")
    rui.page.get_by_role("link", name="Sign in again").click()
    try_password(rui, name, PASSWORD)
    rui.reads("Name or password")
    rui.look("people/removed", whole=True)


def test_somebody_looks_after_their_own_account(house: House) -> None:
    name = "eva"
    link = add(house.administrator(), name)
    here, there = house.somebody("phone"), house.somebody("desktop")
    here.sign_in_first(link)
    there.open("/")
    try_password(there, name, "not the password")
    there.reads("Name or password")
    there.page.check("input[name=remember]")
    try_password(there, name, PASSWORD)
    expect(there.page.get_by_test_id("stApp")).to_be_visible()

    here.open("/account")
    here.reads("Remembered")
    here.page.get_by_role("button", name="Remember this device for 30 days").click()
    expect(here.page.get_by_text("Remembered", exact=True)).to_have_count(2)
    here.look("people/account", whole=True)
    here.page.fill("input[name=current]", "not the password")
    change_password(here)
    here.reads("The current password is wrong.")
    here.page.fill("input[name=current]", PASSWORD)
    change_password(here)
    await_out(there)

    there.page.get_by_role("link", name="Sign in again").click()
    try_password(there, name, NEW_PASSWORD)
    expect(there.page.get_by_test_id("stApp")).to_be_visible()
    here.page.get_by_role("button", name="Sign out on all devices").click()
    await_out(there)
    here.open("/")
    here.page.locator("input[name=password]").wait_for()


def change_password(visitor: Visitor) -> None:
    """Type a new password twice and send it."""
    visitor.page.fill("input[name=password]", NEW_PASSWORD)
    visitor.page.fill("input[name=repeated]", NEW_PASSWORD)
    visitor.page.get_by_role("button", name="Change the password").click()


def test_who_loses_rights_is_out_at_once_and_the_last_administrator_stays(house: House) -> None:
    boss = house.administrator()
    ana = house.somebody("phone")
    ana.sign_in_first(add(boss, "ana"))
    give_role(boss, "ana", "operator")
    ana.page.locator(f".st-key-repair-main-{SESSION}").wait_for()

    give_role(boss, "ana", "viewer")
    await_out(ana)
    boss.unfold(".st-key-card-user-admin")
    boss.press("remove-admin")
    boss.press("remove-yes-admin")
    boss.reads("No administrator would be left.")
    boss.look("people/last-administrator", whole=True)

    boss.reads("admin")
    boss.page.reload()
    boss.reads("Add a user")
