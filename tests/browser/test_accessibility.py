"""Every page as axe judges it, without a request to anywhere else, and without sideways scrolling."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.stack import SESSION
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
PLAIN = {"the account": "/account", "the runbooks": "/runbooks", "the sign-out": "/sign-out"}


@pytest.mark.parametrize("path", IN_STREAMLIT.values(), ids=IN_STREAMLIT.keys())
def test_screen_keeps_nobody_out(desk: Visitor, path: str) -> None:
    desk.open(path)
    expect(desk.page.locator("h1").first).to_be_visible()
    desk.settle()

    desk.look(f"accessibility{path.partition('?')[0]}")
    assert desk.foreign_requests == []


@pytest.mark.parametrize("path", PLAIN.values(), ids=PLAIN.keys())
def test_plain_page_keeps_nobody_out(desk: Visitor, path: str) -> None:
    desk.open(path)

    desk.look(f"accessibility{path}")
    assert desk.foreign_requests == []
