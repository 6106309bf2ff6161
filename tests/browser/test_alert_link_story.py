"""From the link in an alert to a re-paired phone with one tap, and what follows when nobody scans at once."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser, StorageState, expect

from tests.support.stack import SESSION, Stack
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

ALERT = f"/session?server=main&session={SESSION}&pair=1"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
HIDDEN = """
const READY = ".stApp[data-test-connection-state=CONNECTED] [class*=st-key-by-itself] button:enabled";
window.looks = window.clicks = 0;
document.addEventListener("click", () => { window.clicks += 1; }, true);
Object.defineProperty(document, "visibilityState", {
    get: () => {
        window.looks += document.querySelector(READY) ? 1 : 0;
        return window.front ? "visible" : "hidden";
    },
});"""
"""A tab behind others, which counts how often our script could have pressed its button, and clicks."""


@pytest.fixture(scope="module")
def chat(quick: Stack) -> Iterator[str]:
    """Another site, on which the alert's link stands; gives its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(f'<a href="{quick.page_url}{ALERT}">Open</a>'.encode())

        def log_message(self, *_arguments: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        # "localhost" is another site than "127.0.0.1": cookies that are Strict would not come along.
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def starts(product: Stack) -> int:
    """How often the gateway was told to start the session."""
    counts = product.simulator.requests()["counts"]
    return sum(row["count"] for row in counts if row["route"].endswith("start-session"))


def test_one_tap_on_the_alerts_link_brings_a_live_code_and_the_scan_ends_the_outage(
    quick: Stack, phone: Visitor, chat: str
) -> None:
    quick.lose_the_phone()
    visitor = phone
    visitor.page.goto(chat)

    visitor.page.click("a")
    code = visitor.await_live_qr()

    visitor.look("alert-link/code")
    assert visitor.sees_whole("img.ops-qr")
    assert "pair=" not in visitor.page.url
    quick.simulator.scan(SESSION, code)
    visitor.reads(f"{SESSION} is connected")
    visitor.reads("The outage lasted")
    visitor.look("alert-link/connected")


def test_on_a_phone_the_alerts_link_asks_first_whether_whatsapp_is_on_it(
    browser: Browser, quick: Stack, administrator: StorageState
) -> None:
    quick.lose_the_phone()
    before = starts(quick)
    visitor = Visitor(
        browser, quick, "phone", locale="pt-BR", signed_in=administrator, user_agent=PHONE, scheme="dark"
    )

    visitor.open(ALERT)
    visitor.reads("O WhatsApp está neste celular?")
    visitor.look("alert-link/which-phone")
    begun = starts(quick) - before
    visitor.press(f"repair-main-{SESSION}")
    quick.simulator.scan(SESSION, visitor.await_live_qr())

    visitor.reads("está conectada")
    assert begun == 0
    visitor.close()


def test_a_code_that_nobody_scanned_is_followed_by_the_next_without_a_click(
    quick: Stack, desk: Visitor
) -> None:
    quick.lose_the_phone()
    before = starts(quick)
    visitor = desk
    visitor.open(ALERT)
    visitor.await_live_qr()
    visitor.reads("Code 1 of 5.")

    quick.expire_code()
    visitor.reads("Code 2 of 5.")

    quick.simulator.scan(SESSION, visitor.await_live_qr())
    visitor.reads(f"{SESSION} is connected")
    assert starts(quick) - before == 2


def test_a_tab_that_nobody_looks_at_begins_nothing_until_it_is_in_front(
    browser: Browser, quick: Stack, administrator: StorageState
) -> None:
    quick.lose_the_phone()
    before = starts(quick)
    visitor = Visitor(browser, quick, "desktop", signed_in=administrator)
    visitor.page.add_init_script(HIDDEN)

    visitor.open(ALERT)
    visitor.reads("Pairing starts automatically")
    visitor.holds("window.looks > 3")
    pressed_behind = visitor.page.evaluate("window.clicks")
    visitor.page.evaluate("window.front = true")
    visitor.await_live_qr()

    assert (pressed_behind, visitor.page.evaluate("window.clicks")) == (0, 1)
    assert starts(quick) - before == 1
    visitor.close()


def test_the_number_brings_a_pairing_code_with_how_to_enter_it(
    browser: Browser, quick: Stack, administrator: StorageState
) -> None:
    quick.lose_the_phone()
    visitor = Visitor(browser, quick, "phone", locale="pt-PT", signed_in=administrator)
    visitor.open_session()
    visitor.page.get_by_role("tab", name="Código de emparelhamento").click()
    number = visitor.page.get_by_label("Número de telefone com indicativo do país")

    number.fill("812 345 678")
    visitor.press(f"code-main-{SESSION}")
    visitor.reads("Não existe um número assim.")
    number.fill("912 345 678")
    visitor.press(f"code-main-{SESSION}")
    shown = visitor.page.locator("[data-ops=pairing-code] span")
    expect(shown).to_have_count(2)
    code = "".join(shown.all_inner_texts())
    visitor.reads("telemóvel")
    visitor.look("alert-link/pairing-code", whole=True)
    quick.simulator.enter_code(SESSION, code)

    visitor.reads("está ligada")
    visitor.close()
