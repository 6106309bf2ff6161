"""Two tabs, a reload, and restarts in the middle of pairing lose nothing but time."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.support.stack import SESSION, Stack
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser


def begin_pairing(browser: Browser, product: Stack) -> tuple[Visitor, object]:
    """Sign in and bring a QR code to the screen."""
    product.start_exporter()
    page = product.start_page("tests.support.quick_page")
    visitor = Visitor(browser, product, "phone")
    visitor.sign_in_first(product.first_link(page))
    visitor.reads("Disconnected")
    visitor.press(f"repair-main-{SESSION}")
    visitor.await_live_qr()
    return visitor, page


def finish(visitor: Visitor, product: Stack) -> None:
    """Scan what is on the screen and see it connected."""
    product.simulator.scan(SESSION, visitor.await_live_qr())
    visitor.reads(f"{SESSION} is connected")


def test_a_second_tab_shows_the_same_code_and_the_same_end(browser: Browser, product: Stack) -> None:
    visitor, _page = begin_pairing(browser, product)
    second = visitor.context.new_page()

    second.goto(f"{product.page_url}/session?server=main&session={SESSION}")
    expect(second.locator("img.ops-qr")).to_be_visible()
    finish(visitor, product)

    expect(second.locator("body")).to_contain_text(f"{SESSION} is connected")
    starts = [row for row in product.simulator.requests()["counts"] if row["route"].endswith("start-session")]
    assert sum(row["count"] for row in starts) == 1
    visitor.close()


def test_a_reload_finds_the_pairing_where_it_was(browser: Browser, product: Stack) -> None:
    visitor, _page = begin_pairing(browser, product)

    visitor.page.reload()

    finish(visitor, product)
    visitor.close()


def test_a_gateway_restart_while_pairing_brings_a_new_code(browser: Browser, product: Stack) -> None:
    visitor, _page = begin_pairing(browser, product)
    before = visitor.live_code()

    product.simulator.restart_gateway()
    until(lambda: visitor.live_code() not in (None, before), what="a new code on the gateway")

    finish(visitor, product)
    visitor.close()


def test_a_killed_page_comes_back_signed_in_and_shows_the_live_code(browser: Browser, product: Stack) -> None:
    visitor, page = begin_pairing(browser, product)

    page.kill()  # type: ignore[attr-defined]
    product.start_page("tests.support.quick_page")
    visitor.open_session()

    product.simulator.scan(SESSION, visitor.await_live_qr())
    visitor.reads("Connected")
    expect(visitor.page.get_by_role("link", name="Sign out")).to_be_visible()
    expect(visitor.page.get_by_test_id("stSidebar")).to_have_count(0)
    visitor.close()


def test_a_deep_link_is_kept_through_sign_in(browser: Browser, product: Stack) -> None:
    visitor, _page = begin_pairing(browser, product)
    finish(visitor, product)
    stranger = Visitor(browser, product, "desktop")

    stranger.open_session()
    stranger.sign_in()

    expect(stranger.page).to_have_url(f"{product.page_url}/session?server=main&session={SESSION}")
    stranger.reads(SESSION)
    visitor.close()
    stranger.close()
