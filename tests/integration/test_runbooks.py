"""The link to a runbook, followed from an alert in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.plugins.system_tools import require
from tests.support.gate_server import PASSWORD, Server, create_administrator, serving

require("chromium")

pytestmark = pytest.mark.browser

SECTION = "wppconnectsessiondisconnected"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("runbooks")) as running:
        create_administrator(running)
        yield running


@pytest.fixture
def reader(server: Server, chromium: Browser) -> Iterator[Page]:
    """A Brazilian phone that followed an alert's link, over a sign-in that went wrong at first."""
    page = chromium.new_page(viewport={"width": 390, "height": 844}, locale="pt-BR", color_scheme="dark")
    page.goto(f"{server.url}/runbooks#{SECTION}")
    page.fill("input[name=name]", "admin")
    page.fill("input[name=password]", "wrong at first")
    page.click("button")
    page.fill("input[name=password]", PASSWORD)
    page.click("button")
    # Until everything is there: without its style sheet a page has another width.
    page.wait_for_url(f"**/runbooks#{SECTION}")
    yield page
    page.close()


@pytest.mark.parametrize("path", ["/runbooks", "/runbooks/runbooks.css"])
def test_runbooks_need_a_sign_in(server: Server, path: str) -> None:
    assert requests.get(server.url + path, timeout=60).status_code == 401


def test_alerts_link_leads_to_its_section_over_the_sign_in(server: Server, reader: Page) -> None:
    section = reader.locator(f"section#{SECTION}")

    expect(reader).to_have_url(f"{server.url}/runbooks#{SECTION}")
    expect(section).to_be_in_viewport()
    expect(section).to_contain_text("celular")


def test_section_is_kept_in_another_language(server: Server, reader: Page) -> None:
    reader.get_by_role("link", name="Português", exact=True).click()

    expect(reader).to_have_url(f"{server.url}/runbooks?lang=pt-PT#{SECTION}")
    expect(reader.locator(f"section#{SECTION}")).to_contain_text("telemóvel")


def test_nothing_is_wider_than_a_phone(reader: Page) -> None:
    expect(reader.locator(f"section#{SECTION}")).to_be_visible()

    assert reader.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
