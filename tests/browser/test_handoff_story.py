"""Somebody who is not signed in links the phone by a link that an operator made."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, StorageState, expect

from tests.support.stack import SESSION, Stack
from tests.support.visitor import SLOW, Visitor

pytestmark = pytest.mark.browser


def test_one_tap_makes_a_link_with_which_somebody_else_links_the_phone(
    browser: Browser, quick: Stack, administrator: StorageState
) -> None:
    quick.lose_the_phone()
    maker = Visitor(browser, quick, "phone", signed_in=administrator)
    maker.open_session()
    maker.press(f"handoff-main-{SESSION}")
    link = maker.page.locator("[data-ops=handoff-link]").inner_text(timeout=SLOW)
    maker.reads("Not opened yet")
    overflows = maker.overflows()

    helper = Visitor(browser, quick, "phone", scheme="dark")
    helper.page.goto(link)
    helper.page.get_by_role("button", name="Show the code").click()
    maker.reads("Opened")
    code = helper.await_live_qr()

    assert helper.sees_whole("#qr")
    assert not helper.overflows()
    assert link.partition("#")[2] not in helper.page.url
    quick.simulator.scan(SESSION, code)
    helper.reads(f"Done: {SESSION} is connected")
    maker.reads("the session is connected")

    second = Visitor(browser, quick, "phone")
    second.page.goto(link)
    second.page.get_by_role("button", name="Show the code").click()
    expect(second.page.locator("#gone")).to_be_visible(timeout=SLOW)
    assert not overflows
    assert helper.foreign_requests == []
    assert helper.troubles == []
    for one in (maker, helper, second):
        one.close()
