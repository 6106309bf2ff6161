"""A person in front of the page, in a real browser."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
import zxingcpp
from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    StorageState,
    ViewportSize,
    expect,
)
from playwright.sync_api import Error as PlaywrightError

from tests.plugins import tabs_on_failure
from tests.support.chromium import close_tab, new_tab
from tests.support.processes import ROOT
from tests.support.stack import PASSWORD, SESSION, Stack
from tests.support.waiting import until

Scheme = Literal["light", "dark"]
SIZES: dict[str, ViewportSize] = {
    "desktop": {"width": 1440, "height": 900},
    "phone": {"width": 390, "height": 844},
}
at_both_widths = pytest.mark.parametrize("size", list(SIZES))
"""For what differs while a page loads; `Visitor.look` sees what is on the screen at both from one tab."""
PICTURES = ROOT / "screenshots"
"""Git-ignored: to be looked at."""
TAKES_PICTURES = bool(os.environ.get("OPS_TEST_PICTURES"))
"""`make screenshots` sets it: hundreds of pictures take a third of a story's time, and no test reads them."""
THUMB = 44
"""Pixels that a thumb needs to hit something."""
STANDS_STILL = """selector => {
    const expander = document.querySelector(`${selector} details`);
    return expander.open && !expander.getAnimations({ subtree: true }).length;
}"""
TOO_SMALL = """thumb => [...document.querySelectorAll([
    "a[href], summary, .stButton button, .stFormSubmitButton button",
    "input[type=text], [role=tab], [data-variant]",
].join())].filter(one => {
    const box = one.getBoundingClientRect();
    return box.height > 1 && box.height < thumb - 0.5 && !one.closest("td");
}).map(one => one.innerText || one.getAttribute("aria-label"))"""
"""What is tapped and is not as high as a thumb; links in a line of a table have their margin around them."""
OF_STREAMLIT = re.compile(r"/\w+/_stcore/(health|host-config)$")
"""Asked first, and in vain, at a page's own address: Streamlit looks for the server's root."""
LEAVING = "Cannot send rerun backMessage when disconnected from server."
"""Said by Streamlit where a fragment's timer fires while the tab goes elsewhere."""
HAS_CHANGED = """dark => {
    const colour = getComputedStyle(document.querySelector(".stApp") ?? document.body).backgroundColor;
    const [red, green, blue] = colour.match(/[0-9]+/g).map(Number);
    const moving = document.getAnimations().some(one => one instanceof CSSTransition);
    return (red + green + blue < 384) === dark && !moving;
}"""
"""Is what is drawn dark, or light, and nothing still on its way from one to the other?"""
SERIOUS = """async ({ colours, others }) => {
    // Under a question Streamlit's document has no height, and axe takes all that is in it for hidden.
    document.documentElement.style.minHeight = "100vh";
    const { rules: all, tagExclude: unasked } = axe._audit;
    const rules = all.filter(one => one.enabled && !one.tags.some(tag => unasked.includes(tag)))
        .filter(one => ["serious", "critical"].includes(one.impact));
    const { violations } = await axe.run(document, {
        runOnly: rules.map(one => one.id).filter(id => id === "color-contrast" ? colours : others),
        resultTypes: ["violations"],
    });
    return violations.flatMap(one => one.nodes.map(node => `${one.id}: ${node.target}`));
}"""
"""What axe finds that keeps people out, by its rules for nothing less; colours take it most of its time."""
SIDEWAYS = """() => [...document.querySelectorAll("html, [data-testid=stMain], [role=dialog]")]
    .filter(one => one.scrollWidth > one.clientWidth)
    .map(one => `${one.dataset.testid ?? one.tagName}: ${one.scrollWidth} in ${one.clientWidth}`)"""
"""What scrolls sideways; Streamlit's page scrolls in a box of its own, so that the document never does."""


class Visitor:
    """One tab. Console errors and requests to elsewhere are kept for the test to look at."""

    def __init__(
        self,
        browser: Browser,
        product: Stack,
        size: str,
        *,
        scheme: Scheme = "light",
        locale: str = "en-US",
        signed_in: StorageState | None = None,
        any_certificate: bool = False,
        user_agent: str | None = None,
    ) -> None:
        self.product = product
        self._size, self._scheme = size, scheme
        self.page = new_tab(
            browser,
            viewport=SIZES[size],
            color_scheme=scheme,
            locale=locale,
            storage_state=signed_in,
            ignore_https_errors=any_certificate,
            user_agent=user_agent,
        )
        self.context = self.page.context
        self.foreign_requests: list[str] = []
        self.troubles: list[str] = []
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.troubles.append(f"uncaught: {error.stack}"))
        self.page.on("crash", lambda _page: self.troubles.append("the tab crashed"))
        self.page.on("requestfailed", self._note_failure)
        self.page.on("request", self._note_request)
        tabs_on_failure.watch(self)

    def sign_in_first(self, link: str, *, next_path: str = "") -> None:
        """Open the one-time link and set the administrator's password."""
        self.page.goto(link)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.fill("input[name=repeated]", PASSWORD)
        self.page.click("button")
        expect(self.page.get_by_test_id("stApp")).to_be_visible()

    def sign_in(self) -> None:
        """Fill in the sign-in page that is open."""
        self.page.fill("input[name=name]", "admin")
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("button")
        expect(self.page.get_by_test_id("stApp")).to_be_visible()

    def open(self, path: str) -> None:
        """Go to a path of the page."""
        self.page.goto(self.product.page_url + path)

    def open_session(self, session: str = SESSION) -> None:
        """Follow the link that an alert carries."""
        self.open(f"/session?server=main&session={session}")

    def press(self, key: str) -> None:
        """Press the button of a Streamlit key."""
        self.page.locator(f".st-key-{key} button").first.click()

    def unfold(self, selector: str) -> None:
        """Open an expander, and wait until it stands still: a click on what moves may go elsewhere."""
        self.rests()
        self.page.locator(f"{selector} summary").first.click()
        self.holds(STANDS_STILL, selector)

    def drop_down(self, box: Locator, option: str | re.Pattern[str]) -> Locator:
        """Open a select, again where the page is drawn anew and closes it, and return one of its options."""
        found = self.page.get_by_role("option", name=option)

        def is_open() -> bool:
            if box.get_attribute("aria-expanded") != "true":
                box.click()
            return found.is_visible()

        until(is_open, what=f"the option {option}")
        return found

    def reads(self, text: str | re.Pattern[str]) -> None:
        """Wait until the page says something."""
        expect(self.page.locator("body")).to_contain_text(text)

    def holds(self, expression: str, argument: object = None) -> None:
        """Wait until JavaScript says yes.

        Not Playwright's `wait_for_function`: from its second look on it evaluates text, and the page's
        Content-Security-Policy forbids that.
        """
        until(lambda: self.page.evaluate(expression, argument), what=expression.splitlines()[0])

    def scanned_qr(self) -> str | None:
        """What a phone's camera reads off the screen now."""
        with Image.open(io.BytesIO(self.page.screenshot())) as picture:
            found = zxingcpp.read_barcodes(picture)
        return found[0].text if found else None

    def await_live_qr(self, session: str = SESSION, *, other_than: str | None = None) -> str:
        """Wait until the code on the screen is the one that the gateway's page shows now."""

        expect(self.page.locator("img.ops-qr, img#qr").first).to_be_visible()

        def is_live() -> str | None:
            live = self.live_code(session)
            return live if live not in (None, other_than) and live == self.scanned_qr() else None

        try:
            found = until(is_live, what="the live QR code on the screen")
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.troubles}; {self.page.inner_text('body')}") from None
        assert found is not None
        return found

    def live_code(self, session: str = SESSION) -> str | None:
        """The code that the simulated phone would accept."""
        return self.product.simulator.urlcode(session)

    def settle(self) -> None:
        """Wait until nothing on the page is still being loaded."""
        expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0)
        self.page.wait_for_load_state("networkidle")

    def rests(self) -> None:
        """Wait until the script has ended: what is tapped meanwhile may be drawn anew under the finger."""
        app = self.page.get_by_test_id("stApp")
        expect(app).to_have_attribute("data-test-script-state", "notRunning")

    def sees_whole(self, selector: str) -> bool:
        """Return whether something is wholly on the screen without scrolling, at a desk and on a phone."""
        wholly = []
        for size, screen in SIZES.items():
            with self._at(size, whole=False):
                box = self.page.locator(selector).bounding_box()
            assert box is not None
            wholly.append(
                min(box["x"], box["y"]) >= 0
                and box["x"] + box["width"] <= screen["width"]
                and box["y"] + box["height"] <= screen["height"]
            )
        return all(wholly)

    def overflows(self) -> bool:
        """Tell whether the page scrolls sideways."""
        return bool(self.page.evaluate(SIDEWAYS))

    def kept_out(self) -> list[str]:
        """What keeps people from using the page as axe judges it, by the rule and the place."""
        return kept_out(self.page)

    def look(self, name: str, *, whole: bool = False, in_all: bool = False) -> None:
        """Look at what is on the screen, at a desk and on a phone.

        Fails where the page scrolls sideways or axe finds what keeps people out. Colours are judged at this
        tab's width and in its scheme; `in_all` judges them at both widths and in both schemes, in which the
        page is drawn anew. With OPS_TEST_PICTURES set it also keeps `screenshots/NAME-SIZE-SCHEME.png` of the
        four, `whole` with what one has to scroll to. Whatever is open stays open.
        """
        other: Scheme = "dark" if self._scheme == "light" else "light"
        wrong = {}
        for size in sorted(SIZES, key=lambda one: one == self._size):
            has_both = TAKES_PICTURES or (in_all and size == self._size)
            has_colours = has_both or in_all or size == self._size
            with self._at(size, whole=whole):
                for scheme in (other, self._scheme) if has_both else (self._scheme,):
                    self.page.emulate_media(color_scheme=scheme)
                    self.holds(HAS_CHANGED, scheme == "dark")
                    if TAKES_PICTURES:
                        self.page.screenshot(path=PICTURES / f"{name}-{size}-{scheme}.png", full_page=whole)
                    # Day and night differ in their colours alone.
                    is_own = scheme == self._scheme
                    barriers = kept_out(self.page, colours=has_colours or not is_own, others=is_own)
                    found = [*self.page.evaluate(SIDEWAYS), *barriers]
                    wrong[f"{name}-{size}-{scheme}"] = found
        assert not any(wrong.values()), wrong

    def look_closely(self, name: str) -> None:
        """Look at the whole page, and fail for `faults`, too."""
        self.look(name, whole=True)
        assert not (faults := self.faults()), faults

    def too_small(self) -> list[str]:
        """What a thumb would miss."""
        found: list[str] = self.page.evaluate(TOO_SMALL, THUMB)
        return found

    def faults(self) -> list[str]:
        """What else than `look` finds is wrong with the page and how it came to be; empty when nothing is."""
        return [
            *([f"too small for a thumb: {one}" for one in self.too_small()] if self._size == "phone" else []),
            *self.troubles,
            *self.foreign_requests,
        ]

    def leave(self) -> None:
        """Go away from the page, which the next story begins with."""
        self.page.goto("about:blank")
        self.foreign_requests.clear()
        self.troubles.clear()

    def now(self) -> str:
        """Return the address, what went wrong, and what stands in the tab, as far as it still answers."""
        if self.page.is_closed():
            return "closed"
        try:
            text, markup = self.page.evaluate("[document.body.innerText, document.body.outerHTML]")
        except PlaywrightError as error:
            return f"{self.page.url}\n{self.troubles}\n{error.message}"
        return f"{self.page.url}\n{self.troubles}\n{text}\n{markup[: tabs_on_failure.LONGEST]}"

    def close(self) -> None:
        """Close the tab."""
        close_tab(self.page)

    @contextmanager
    def _at(self, size: str, *, whole: bool) -> Iterator[None]:
        """Have another screen for a while; `whole` makes it as high as all that is on the page."""
        self.page.set_viewport_size(SIZES[size])
        if whole:
            height: int = self.page.evaluate(
                "(document.querySelector('[data-testid=stMain]') ?? document.documentElement).scrollHeight"
            )
            usual = SIZES[size]
            self.page.set_viewport_size({"width": usual["width"], "height": max(height, usual["height"])})
        try:
            yield
        finally:
            self.page.set_viewport_size(SIZES[self._size])

    def _note_console(self, message: ConsoleMessage) -> None:
        is_noise = message.text == LEAVING or OF_STREAMLIT.search(message.location["url"])
        if message.type == "error" and not is_noise:
            self.troubles.append(message.text)

    def _note_failure(self, request: Request) -> None:
        # What was under way when the tab went elsewhere is given up; so it is called after a 205, too.
        if request.failure != "net::ERR_ABORTED":
            self.troubles.append(f"{request.url} {request.failure}")

    def _note_request(self, request: Request) -> None:
        url = request.url
        if not url.startswith(
            (self.product.page_url, "data:", "blob:", self.product.page_url.replace("http", "ws"))
        ):
            self.foreign_requests.append(url)


def kept_out(page: Page, *, colours: bool = True, others: bool = True) -> list[str]:
    """What keeps people from using a page as axe judges it, by the rule and the place."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return list(page.evaluate(SERIOUS, {"colours": colours, "others": others}))
