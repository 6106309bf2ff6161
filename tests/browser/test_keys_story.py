"""The keys' troubles of the older panel: what the person on call sees, and how the administrator mends it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from simulator import Simulator
from tests.support.stack import SECRET, SESSION, Stack, stack
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser

OTHER_SECRET = "another-secret-of-thirty-2-bytes"


def failures(product: Stack, reason: str) -> str | None:
    """`auth_failures_total` of the session."""
    labels = f'reason="{reason}",server="main",session="{SESSION}"'
    return product.metric(f"wppconnect_auth_failures_total{{{labels}}}")


@pytest.fixture
def with_wrong_secret(simulator: Simulator, tmp_path: Path) -> Iterator[Stack]:
    with stack(simulator, tmp_path, WPPCONNECT_SECRET_KEY=OTHER_SECRET) as running:
        yield running


def test_a_wrong_secret_is_named_and_mended_on_the_page_and_so_is_one_that_changes(
    browser: Browser, with_wrong_secret: Stack, simulator: Simulator
) -> None:
    product = with_wrong_secret
    product.start_exporter()
    page = product.start_page("tests.support.quick_page")
    visitor = Visitor(browser, product, "phone")
    visitor.sign_in_first(product.first_link(page))
    visitor.reads("Access refused")
    visitor.reads("The gateway does not accept the secret key.")
    visitor.look("keys/secret-refused")
    # The list of sessions was refused for the secret key, which is not asked about again for each session.
    assert product.metric('wppconnect_secret_key_valid{server="main"}') == "0"
    assert int(failures(product, "token_rejected") or 0) >= 1

    visitor.press(f"secret-main-{SESSION}")
    visitor.page.get_by_label(re.compile("^Secret key, set")).fill(SECRET)
    visitor.look("keys/settings", whole=True)
    visitor.press("save-main")
    visitor.open("/")

    visitor.reads("Disconnected")
    visitor.press(f"repair-main-{SESSION}")
    simulator.scan(SESSION, visitor.await_live_qr())
    until(lambda: product.connected() == "1", what="1 on the exporter")

    # A secret that changes is noticed at once, and every token is renewed once it is entered.
    simulator.change_secret(OTHER_SECRET)
    visitor.open("/")
    visitor.reads("Access refused")
    until(lambda: product.connected() == "0", what="0 on the exporter")
    visitor.press(f"secret-main-{SESSION}")
    visitor.page.get_by_label(re.compile("^Secret key, set")).fill(OTHER_SECRET)
    visitor.press("save-main")

    until(lambda: product.connected() == "1", what="1 on the exporter")
    visitor.open("/")
    visitor.reads("All 1 connected")

    # A session that the gateway alone knows is offered with its state, and stands in the list once added.
    simulator.pair("warehouse")
    visitor.open("/settings")
    visitor.press("discover-main")
    visitor.reads("warehouse · Connected")
    visitor.press("found-main-add")
    visitor.reads("Webhook unknown: 2 of 2 sessions")
    visitor.open("/")
    visitor.reads("warehouse")
    visitor.close()


def test_a_token_of_another_secret_is_refused_and_named(
    browser: Browser, simulator: Simulator, tmp_path: Path
) -> None:
    with Simulator(secret_key=OTHER_SECRET) as other:
        foreign_token = other.token(SESSION)
    with stack(simulator, tmp_path, WPPCONNECT_SECRET_KEY="", WPPCONNECT_TOKEN=foreign_token) as product:
        product.start_exporter()
        page = product.start_page("tests.support.quick_page")
        visitor = Visitor(browser, product, "desktop")
        visitor.sign_in_first(product.first_link(page))

        visitor.reads("Access refused")
        visitor.reads("The gateway does not accept the token.")
        visitor.look("keys/token-refused")

        assert int(failures(product, "token_rejected") or 0) >= 1
        visitor.close()
