"""Uncaught errors in Streamlit's frontend, which empty the document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from simulator import Simulator
from tests.support import late_page
from tests.support.looks import Tabs, open_tabs
from tests.support.stack import SESSION, Stack, stack
from tests.support.waiting import until

pytestmark = pytest.mark.browser

PARTS = ("QR code", f"More for {SESSION}", "Uptime and outages", "Recent activity")
IS_WHITE = "() => !document.getElementById('root').firstElementChild"
IN_TEN_MINUTES = "10:01"


def nowhere() -> bytes:
    """Return a frame with a delta path that does not exist."""
    message = ForwardMsg(hash="nowhere")
    message.delta.new_element.html.body = "nowhere"
    message.metadata.delta_path.extend([0, 99])
    return message.SerializeToString()


@pytest.fixture
def late(simulator: Simulator, tmp_path: Path) -> Iterator[Stack]:
    """The page on a slow server."""
    with stack(simulator, tmp_path, WPPCONNECT_INTERVAL_SECONDS="1") as running:
        running.start_page("tests.support.late_page")
        yield running


def test_a_part_that_refreshes_before_the_page_was_sent_leaves_no_gap(browser: Browser, late: Stack) -> None:
    with open_tabs(browser, late) as tabs:
        desk, page = tabs.desk, late.page_process
        assert page

        desk.open_session()

        until(lambda: late_page.RELEASED in page.printed(), what="the part to refresh")
        for text in PARTS:
            desk.reads(text)
        assert not desk.faults()


def test_white_tab_is_loaded_again_once_in_ten_minutes(tabs: Tabs, quick: Stack) -> None:
    page = tabs.desk.context.new_page()
    sockets: list[WebSocketRoute] = []
    loads: list[Page] = []
    page.on("load", lambda loaded: loads.append(loaded))

    def listen(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    page.clock.install()
    page.route_web_socket(lambda url: "_stcore/stream" in url, listen)
    page.goto(quick.page_url)
    heading = page.get_by_role("heading", name="Sessions")
    expect(heading).to_be_visible()

    with page.expect_event("load"):
        sockets[-1].send(nowhere())
    expect(heading).to_be_visible()

    sockets[-1].send(nowhere())
    until(lambda: page.evaluate(IS_WHITE), what="a white tab")
    page.clock.fast_forward("01:00")
    assert page.evaluate(IS_WHITE)
    assert len(loads) == 2

    with page.expect_event("load"):
        page.clock.fast_forward(IN_TEN_MINUTES)
    expect(heading).to_be_visible()
    assert len(loads) == 3
    page.close()
