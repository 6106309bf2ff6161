"""The first look at each page: nothing moves, nobody is kept out, and one sees where one is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, StorageState, expect

from tests.support.stack import Stack
from tests.support.visitor import SIZES, Visitor, at_both_widths

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
PLAIN = ["/account", "/runbooks", "/sign-out"]
NAVIGATION = ".st-key-ops-nav a"


@pytest.fixture(scope="module")
def observed(browser: Browser, quick: Stack, administrator: StorageState) -> Iterator[dict[str, Visitor]]:
    """A tab of each size that notes what moves."""
    tabs = {size: Visitor(browser, quick, size, signed_in=administrator) for size in SIZES}
    for tab in tabs.values():
        tab.page.add_init_script(OBSERVE)
    yield tabs
    for tab in tabs.values():
        tab.close()


@pytest.fixture
def tab(observed: dict[str, Visitor], size: str) -> Iterator[Visitor]:
    """The tab of the wanted size, with nothing kept from pages that it showed before."""
    opened = observed[size]
    devtools = opened.context.new_cdp_session(opened.page)
    devtools.send("Network.clearBrowserCache")
    devtools.detach()
    yield opened
    opened.page.evaluate("sessionStorage.clear()")
    opened.page.emulate_media(color_scheme="light")
    opened.leave()


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
    tab: Visitor, size: str, path: str, here: str
) -> None:
    open_drawn(tab, path)

    # The sum is at least what the largest window of shifts amounts to.
    assert sum(tab.page.evaluate("window.shifts")) < GOOD_SHIFT
    current = tab.page.locator(f'{NAVIGATION}[aria-current="page"]')
    expect(current).to_have_text([here])
    assert not tab.overflows()
    if size == "desktop":
        expect(tab.page.locator("h1").first).to_be_visible()
        # It looks at a phone's width, too.
        tab.look(f"accessibility{path.partition('?')[0]}", in_all=True)
    assert tab.foreign_requests == []


@pytest.mark.parametrize("path", PLAIN)
def test_plain_page_keeps_nobody_out(desk: Visitor, path: str) -> None:
    desk.open(path)

    desk.look(f"accessibility{path}", in_all=True)
    assert desk.foreign_requests == []


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_keyboard_is_seen_in_the_navigation_and_is_not_taken_for_the_current_page(
    tab: Visitor, scheme: Any
) -> None:
    tab.page.emulate_media(color_scheme=scheme)
    open_drawn(tab, "/activity")
    links = tab.page.locator(NAVIGATION)
    before = [looks(one) for one in links.all()]
    here = [one.get_attribute("aria-current") for one in links.all()].index("page")

    links.nth(here).focus()
    tab.page.keyboard.press("Tab")

    expect(links.nth(here + 1)).to_be_focused()
    focused = looks(links.nth(here + 1))
    assert focused["outline"] == "solid 3px"
    assert focused["background"] == before[here + 1]["background"] != before[here]["background"]


@pytest.mark.parametrize("size", ["phone"])
def test_navigation_of_a_phone_which_scrolls_sideways_cuts_nothing_off(tab: Visitor) -> None:
    open_drawn(tab, "/activity")

    box = tab.page.locator(NAVIGATION).nth(2).bounding_box()
    frame = tab.page.locator(".st-key-ops-nav").bounding_box()

    assert box is not None
    assert frame is not None
    assert frame["y"] <= box["y"]
    assert box["y"] + box["height"] <= frame["y"] + frame["height"]
