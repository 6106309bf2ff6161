"""The first look at each page: nothing moves, and one sees where one is and where the keyboard is."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, StorageState, expect

from tests.support.stack import Stack
from tests.support.visitor import Visitor, at_both_widths

pytestmark = pytest.mark.browser

GOOD_SHIFT = 0.1
"""What web.dev calls good for Cumulative Layout Shift."""
OBSERVE = """window.shifts = []; new PerformanceObserver(list => window.shifts.push(
    ...list.getEntries().filter(one => !one.hadRecentInput).map(one => one.value)
)).observe({ type: "layout-shift", buffered: true });"""
PAGES = {
    "/": "Sessions",
    "/session?server=main&session=leguas_wppconnect": "Sessions",
    "/activity": "Activity",
    "/settings": "Settings",
    "/sync": "Sync",
    "/users": "Users",
}
NAVIGATION = ".st-key-ops-nav a"


def open_drawn(visitor: Visitor, path: str) -> None:
    """Open a page and wait until it is drawn as a whole."""
    visitor.open(path)
    visitor.holds("() => 'opsDrawn' in document.documentElement.dataset")
    visitor.rests()
    visitor.settle()
    expect(visitor.page.locator(f'{NAVIGATION}[aria-current="page"]')).to_be_visible()


def looks(link: Locator) -> dict[str, Any]:
    """Return how a link of the navigation is drawn."""
    found: dict[str, Any] = link.evaluate(
        "one => { const { backgroundColor, outlineStyle, outlineWidth } = getComputedStyle(one);"
        " return { background: backgroundColor, outline: `${outlineStyle} ${outlineWidth}` }; }"
    )
    return found


@at_both_widths
@pytest.mark.parametrize(("path", "here"), PAGES.items(), ids=PAGES)
def test_nothing_moves_while_a_page_loads_and_the_navigation_says_where_one_is(
    browser: Browser, quick: Stack, administrator: StorageState, size: str, path: str, here: str
) -> None:
    visitor = Visitor(browser, quick, size, signed_in=administrator)
    visitor.context.add_init_script(OBSERVE)

    open_drawn(visitor, path)

    # The sum is at least what the largest window of shifts amounts to.
    assert sum(visitor.page.evaluate("window.shifts")) < GOOD_SHIFT
    current = visitor.page.locator(f'{NAVIGATION}[aria-current="page"]')
    expect(current).to_have_text([here])
    assert not visitor.overflows()
    visitor.close()


@at_both_widths
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_keyboard_is_seen_in_the_navigation_and_is_not_taken_for_the_current_page(
    browser: Browser, quick: Stack, administrator: StorageState, size: str, scheme: Any
) -> None:
    visitor = Visitor(browser, quick, size, signed_in=administrator, scheme=scheme)
    open_drawn(visitor, "/activity")
    links = visitor.page.locator(NAVIGATION)
    before = [looks(one) for one in links.all()]

    links.nth(1).focus()
    visitor.page.keyboard.press("Tab")

    expect(links.nth(2)).to_be_focused()
    focused = looks(links.nth(2))
    assert focused["outline"] == "solid 3px"
    assert focused["background"] == before[2]["background"] != before[1]["background"]
    visitor.close()


def test_navigation_of_a_phone_which_scrolls_sideways_cuts_nothing_off(
    browser: Browser, quick: Stack, administrator: StorageState
) -> None:
    visitor = Visitor(browser, quick, "phone", signed_in=administrator)
    open_drawn(visitor, "/activity")

    box = visitor.page.locator(NAVIGATION).nth(2).bounding_box()
    frame = visitor.page.locator(".st-key-ops-nav").bounding_box()

    assert box is not None
    assert frame is not None
    assert frame["y"] <= box["y"]
    assert box["y"] + box["height"] <= frame["y"] + frame["height"]
    visitor.close()
