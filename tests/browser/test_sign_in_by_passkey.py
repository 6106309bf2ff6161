"""At night, on a phone: a fingerprint instead of a password, here Chromium's virtual authenticator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.chromium import close_tab, new_tab
from tests.support.stack import PASSWORD, SESSION, Stack
from tests.support.visitor import SIDEWAYS, SIZES, kept_out

pytestmark = pytest.mark.browser

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A tab of a phone that can verify its user."""
    tab = new_tab(browser, viewport=SIZES["phone"])
    devtools = tab.context.new_cdp_session(tab)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    yield tab
    devtools.send("WebAuthn.disable")
    close_tab(tab)


def test_a_passkey_signs_in_and_leads_to_the_session(phone: Page, product: Stack) -> None:
    link = product.first_link(product.start_page()).replace("127.0.0.1", "localhost")
    # Browsers know no passkeys on an address of numbers.
    page_url = product.page_url.replace("127.0.0.1", "localhost")
    phone.goto(link)
    for field in ("password", "repeated"):
        phone.fill(f"input[name={field}]", PASSWORD)
    phone.click("button")
    expect(phone.get_by_test_id("stApp")).to_be_visible()

    phone.goto(f"{page_url}/account")
    phone.get_by_role("button", name="Add a passkey").click()
    expect(phone.locator("body")).to_contain_text("The passkey was added.")
    assert [*kept_out(phone), *phone.evaluate(SIDEWAYS)] == []

    phone.get_by_role("button", name="Add a passkey").click()
    expect(phone.locator("[data-failed=InvalidStateError]")).to_be_visible()

    phone.context.clear_cookies()
    phone.goto(f"{page_url}/session?server=main&session={SESSION}")
    assert [*kept_out(phone), *phone.evaluate(SIDEWAYS)] == []
    phone.get_by_label("Remember this device").check()
    phone.get_by_role("button", name="Sign in with a passkey").click()
    expect(phone.get_by_test_id("stApp")).to_be_visible()
    assert phone.url == f"{page_url}/session?server=main&session={SESSION}"
    (expires,) = (one["expires"] for one in phone.context.cookies() if one["name"] == "wppconnect_sign_in")
    assert expires > time.time() + timedelta(days=20).total_seconds()
