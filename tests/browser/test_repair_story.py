"""From nothing to a phone re-paired, as the person on call does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from simulator import Simulator
from tests.support import quick_page
from tests.support.stack import SESSION, Stack, stack
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture
def exported(simulator: Simulator, tmp_path: Path) -> Iterator[Stack]:
    """Exporter and page on one clock: other stories move that of the page they share."""
    with stack(simulator, tmp_path, WPPCONNECT_INTERVAL_SECONDS="1", WPPCONNECT_WEBHOOK="none") as running:
        running.start_exporter()
        yield running


def test_a_disconnected_session_is_re_paired_by_scanning_the_screen(
    browser: Browser, exported: Stack
) -> None:
    product, visitor = exported, Visitor(browser, exported, "phone")
    visitor.sign_in_first(product.first_link(product.start_page("tests.support.quick_page")))
    product.lose_the_phone()
    visitor.open_session()
    visitor.reads("Disconnected")
    visitor.look("repair/disconnected")
    visitor.press(f"repair-main-{SESSION}")
    first = visitor.await_live_qr()
    visitor.look("repair/code", whole=True)
    product.simulator.advance(quick_page.QR_SECONDS)
    second = visitor.await_live_qr(other_than=first)
    product.simulator.scan(SESSION, second)
    visitor.reads(f"{SESSION} is connected")
    until(lambda: product.connected() == "1", what="1 on the exporter")
    visitor.look("repair/connected")
    visitor.press(f"done-main-{SESSION}")
    product.simulator.unlink(SESSION)
    until(lambda: product.connected() == "0", what="0 on the exporter")
    visitor.reads("Disconnected")
    assert visitor.foreign_requests == []
    visitor.close()


def test_a_disconnected_session_is_re_paired_by_a_pairing_code_after_the_webhook_was_given_up(
    browser: Browser, product: Stack
) -> None:
    product.start_exporter()
    page = product.start_page("tests.support.quick_page")
    visitor = Visitor(browser, product, "desktop")
    visitor.sign_in_first(product.first_link(page))

    visitor.open_session()
    visitor.page.get_by_role("tab", name="Pairing code").click()
    visitor.page.get_by_label("Phone number with country code").fill("351 912 345 678")
    visitor.press(f"code-main-{SESSION}")
    visitor.reads("This may delete a webhook.")
    visitor.look("repair/webhook", whole=True)
    visitor.page.get_by_label(f"Or type {SESSION} to pair without a webhook").fill(SESSION)
    visitor.press(f"wipe-main-{SESSION}")
    code = until(lambda: product.simulator.pairing_code(SESSION), what="a pairing code")
    visitor.reads(code[:4])
    visitor.reads(code[4:])
    visitor.look("repair/pairing-code", whole=True)
    product.simulator.enter_code(SESSION, code)

    visitor.reads(f"{SESSION} is connected")
    until(lambda: product.connected() == "1", what="1 on the exporter")
    visitor.close()
