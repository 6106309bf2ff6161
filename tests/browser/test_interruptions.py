"""Two tabs, a reload, and restarts in the middle of pairing lose nothing but time."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.support.stack import SESSION, Stack
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture
def pairing(paged: Visitor) -> Visitor:
    """Somebody on a phone with a QR code on the screen."""
    paged.press(f"repair-main-{SESSION}")
    paged.await_live_qr()
    return paged


def starts(product: Stack) -> int:
    """How often the gateway was told to start a session."""
    counts = product.simulator.requests()["counts"]
    return sum(row["count"] for row in counts if row["route"].endswith("start-session"))


def finish(visitor: Visitor, product: Stack) -> None:
    """Scan what is on the screen and see it connected."""
    product.simulator.scan(SESSION, visitor.await_live_qr())
    visitor.reads(f"{SESSION} is connected")


def test_a_second_tab_shows_the_same_code_and_the_same_end(quick: Stack, pairing: Visitor) -> None:
    product, visitor = quick, pairing
    before = starts(product)
    second = visitor.context.new_page()

    second.goto(f"{product.page_url}/session?server=main&session={SESSION}")
    expect(second.locator("img.ops-qr")).to_be_visible()
    finish(visitor, product)

    expect(second.locator("body")).to_contain_text(f"{SESSION} is connected")
    assert starts(product) == before
    second.close()


def test_a_reload_finds_the_pairing_where_it_was(quick: Stack, pairing: Visitor) -> None:
    product, visitor = quick, pairing

    visitor.page.reload()

    finish(visitor, product)


def test_a_gateway_restart_while_pairing_brings_a_new_code(quick: Stack, pairing: Visitor) -> None:
    product, visitor = quick, pairing
    before = visitor.live_code()

    product.simulator.restart_gateway()
    until(lambda: visitor.live_code() not in (None, before), what="a new code on the gateway")

    finish(visitor, product)


def test_a_killed_page_comes_back_signed_in_and_shows_the_live_code(quick: Stack, pairing: Visitor) -> None:
    product, visitor = quick, pairing

    assert product.page_process
    product.page_process.kill()
    product.start_page("tests.support.quick_page")
    visitor.open_session()

    product.simulator.scan(SESSION, visitor.await_live_qr())
    visitor.reads("Connected")
    expect(visitor.page.get_by_role("link", name="Sign out")).to_be_visible()
    expect(visitor.page.get_by_test_id("stSidebar")).to_have_count(0)


def test_the_code_that_a_click_asked_for_comes_onto_the_screen(quick: Stack, paged: Visitor) -> None:
    button = paged.page.locator(f".st-key-repair-main-{SESSION} button")
    # A click of the mouse would bring the button, and the code beside it, into sight.
    button.evaluate(
        "button => { document.querySelector('[data-testid=stMain]').scrollTop = 1000; button.click(); }"
    )

    finish(paged, quick)


def test_a_deep_link_is_kept_through_sign_in(browser: Browser, quick: Stack, paged: Visitor) -> None:
    product, stranger = quick, Visitor(browser, quick, "desktop")

    stranger.open_session()
    stranger.sign_in()

    expect(stranger.page).to_have_url(f"{product.page_url}/session?server=main&session={SESSION}")
    stranger.reads(SESSION)
    stranger.close()
