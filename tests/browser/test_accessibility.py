"""Every page as axe judges it, without a request to anywhere else, and without sideways scrolling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from simulator import Simulator, Times
from tests.support.stack import SECRET, SESSION, Stack, stack
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

IN_STREAMLIT = {
    "the list": "/",
    "a session": f"/session?server=main&session={SESSION}",
    "the activity": "/activity",
    "the settings": "/settings",
    "the sync": "/sync",
    "the users": "/users",
}
QUICK = Times(scale=0.2)
PLAIN = {"the account": "/account", "the runbooks": "/runbooks", "the sign-out": "/sign-out"}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with (
        Simulator(
            secret_key=SECRET, times=Times(scale=0.2), paired=["sales"], sessions=[SESSION]
        ) as simulator,
        stack(simulator, tmp_path_factory.mktemp("axe"), WPPCONNECT_SESSIONS=f"{SESSION},sales") as running,
    ):
        yield running


@pytest.fixture(scope="module", params=["desktop-light", "phone-dark"])
def visitor(product: Stack, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    size, _, word = request.param.partition("-")
    scheme: Literal["light", "dark"] = "light" if word == "light" else "dark"
    person = Visitor(browser, product, size, scheme=scheme)
    if product.page_url:
        person.open("/sign-in")
        person.sign_in()
    else:
        person.sign_in_first(product.first_link(product.start_page()))
    yield person
    person.close()


@pytest.mark.parametrize("path", IN_STREAMLIT.values(), ids=IN_STREAMLIT.keys())
def test_screen_keeps_nobody_out(visitor: Visitor, path: str) -> None:
    visitor.open(path)
    expect(visitor.page.locator("h1").first).to_be_visible()
    visitor.settle()

    assert visitor.kept_out() == []
    assert not visitor.overflows()
    assert visitor.foreign_requests == []


@pytest.mark.parametrize("path", PLAIN.values(), ids=PLAIN.keys())
def test_plain_page_keeps_nobody_out(visitor: Visitor, path: str) -> None:
    visitor.open(path)

    assert visitor.kept_out() == []
    assert not visitor.overflows()
    assert visitor.foreign_requests == []
