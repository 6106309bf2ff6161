"""On a phone everything is on the screen and as large as a thumb, in every language."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, StorageState

from tests.support.stack import SESSION, Stack
from tests.support.visitor import SLOW, Visitor

pytestmark = pytest.mark.browser

THUMB = 44
TOO_SMALL = """thumb => [...document.querySelectorAll([
    "a[href], summary, .stButton button, .stFormSubmitButton button",
    "input[type=text], [role=tab], [data-variant]",
].join())].filter(one => {
    const box = one.getBoundingClientRect();
    return box.height > 1 && box.height < thumb - 0.5 && !one.closest("td");
}).map(one => one.innerText || one.getAttribute("aria-label"))"""
"""What is tapped and is not as high as a thumb; links in a line of a table have their margin around them."""
PAGES = [
    ("/", f".st-key-repair-main-{SESSION}"),
    (f"/session?server=main&session={SESSION}", f".st-key-repair-main-{SESSION}"),
    ("/settings", ".st-key-card-settings-main"),
    ("/users", ".st-key-card-user-admin"),
    ("/account", ".back"),
    ("/sign-out", ".back"),
]


@pytest.mark.parametrize("locale", ["en-US", "pt-PT", "pt-BR"])
def test_the_pages_fit_into_one_line_and_thumbs_onto_what_is_tapped(
    browser: Browser, quick: Stack, administrator: StorageState, locale: str
) -> None:
    visitor = Visitor(browser, quick, "phone", locale=locale, signed_in=administrator)
    seen = {}
    for path, landmark in PAGES:
        visitor.open(path)
        visitor.page.locator(landmark).first.wait_for(timeout=SLOW)
        visitor.settle()
        seen[path] = (visitor.overflows(), visitor.page.evaluate(TOO_SMALL, THUMB))
    visitor.open("/")
    navigation = visitor.page.locator(".st-key-ops-nav")
    height = navigation.evaluate("one => one.clientHeight")
    hidden = navigation.evaluate("one => one.scrollWidth - one.clientWidth")
    visitor.close()

    assert seen == {path: (False, []) for path, _ in PAGES}
    assert height < 2 * THUMB
    assert hidden == 0
