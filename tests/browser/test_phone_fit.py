"""On a phone everything is on the screen and as large as a thumb, in every language."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, StorageState

from tests.support.stack import SESSION, Stack
from tests.support.visitor import THUMB, Visitor

pytestmark = pytest.mark.browser

PAGES = [
    ("/", f".st-key-repair-main-{SESSION}"),
    (f"/session?server=main&session={SESSION}", f".st-key-repair-main-{SESSION}"),
    ("/incidents", ".st-key-report"),
    ("/settings", ".st-key-card-settings-main"),
    ("/users", ".st-key-card-user-admin"),
    ("/account", ".back"),
    ("/sign-out", ".back"),
]


@pytest.mark.parametrize("locale", ["en-US", "pt-PT", "pt-BR"])
def test_the_pages_fit_into_one_line_and_thumbs_onto_what_is_tapped(
    browser: Browser, quick: Stack, administrator: StorageState, locale: str
) -> None:
    quick.lose_the_phone()
    visitor = Visitor(browser, quick, "phone", locale=locale, signed_in=administrator)
    seen = {}
    for path, landmark in PAGES:
        visitor.open(path)
        visitor.page.locator(landmark).first.wait_for()
        visitor.settle()
        seen[path] = (visitor.overflows(), visitor.too_small())
    visitor.open("/")
    navigation = visitor.page.locator(".st-key-ops-nav")
    height = navigation.evaluate("one => one.clientHeight")
    hidden = navigation.evaluate("one => one.scrollWidth - one.clientWidth")
    visitor.close()

    assert seen == {path: (False, []) for path, _ in PAGES}
    assert height < 2 * THUMB
    assert hidden == 0
