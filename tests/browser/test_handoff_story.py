"""Somebody who is not signed in links the phone by a link that an operator made."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Request, Route, expect

from core.models import Verdict
from core.store import History
from tests.support.stack import SESSION, Stack
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser


LOOK_AWAY = """Object.defineProperty(document, "hidden", {
    get: () => { window.noticed = true; return true; }, configurable: true,
})"""
"""The tab is behind others; says when its script has asked."""
CLICK_WHILE_BUSY = """key => {
    const send = WebSocket.prototype.send, plain = window.setTimeout;
    window.clicks = 0;
    WebSocket.prototype.send = function (frame) {
        window.clicks += new TextDecoder().decode(frame).includes(`-${key}`);
        return send.call(this, frame);
    };
    const queue = [];
    window.setTimeout = (run, delay, ...rest) => {
        if (delay) return plain(run, delay, ...rest);
        queue.push(() => run(...rest));
        return 0;
    };
    document.querySelector(`.st-key-${key} button`).click();
    plain(() => {
        window.setTimeout = plain;
        for (const run of queue) run();
    }, 2500);
}"""
"""A browser that comes to the end of its queue so late that the page's timers are due before.

Counts the messages that carry the click.
"""
LOOK_AGAIN = """Object.defineProperty(document, "hidden", { value: false, configurable: true });
document.dispatchEvent(new Event("visibilitychange"))"""


@pytest.fixture
def maker(quick: Stack, desk: Visitor) -> Visitor:
    """An operator in front of a session whose phone is lost."""
    quick.lose_the_phone()
    desk.open_session()
    return desk


def link_of(maker: Visitor) -> str:
    """Make a link with one tap."""
    maker.press(f"handoff-main-{SESSION}")
    return maker.page.locator("[data-ops=handoff-link]").inner_text()


def test_one_tap_makes_a_link_with_which_somebody_else_links_the_phone(
    browser: Browser, quick: Stack, maker: Visitor
) -> None:
    link = link_of(maker)
    maker.reads("Not opened yet")
    maker.look("handoff/link", whole=True)
    helper, late = Visitor(browser, quick, "phone"), Visitor(browser, quick, "phone")

    helper.page.goto(link)
    helper.look("handoff/start")
    helper.page.get_by_role("button", name="Show the QR code").click()
    maker.reads("Opened")
    helper.await_live_qr()
    helper.reads("Code expires in")
    helper.look("handoff/code")
    assert helper.sees_whole("#qr")
    assert link.partition("#")[2] not in helper.page.url

    quick.simulator.scan(SESSION, helper.await_live_qr())
    helper.reads(f"{SESSION} is connected")
    helper.reads("The outage lasted")
    helper.look("handoff/connected")
    maker.reads("the session is connected")
    maker.look("handoff/done", whole=True)
    late.page.goto(link)
    late.page.get_by_role("button", name="Show the QR code").click()
    expect(late.page.locator("#gone")).to_be_visible()
    late.look("handoff/gone")
    for one in (helper, late):
        assert one.foreign_requests == []
        one.close()
    assert helper.troubles == []


def test_a_link_outlives_a_lost_answer_and_asks_for_no_code_while_nobody_looks(
    browser: Browser, quick: Stack, maker: Visitor
) -> None:
    helper = Visitor(browser, quick, "phone")
    sent: list[str] = []

    helper.page.route("**/hand-off/open", lose_the_first_answer, times=1)
    helper.page.goto(link_of(maker))
    helper.page.get_by_role("button", name="Show the QR code").click()
    first = helper.await_live_qr()
    # Nobody looks: the code ends, and nothing asks the gateway for another one.
    helper.page.evaluate(LOOK_AWAY)
    helper.holds("window.noticed")
    helper.page.on("request", lambda one: sent.append(one.url))
    quick.expire_code()
    until(lambda: is_down(quick), what="the end of the attempt")
    helper.page.title()  # Playwright tells of requests only when it is asked something.
    assert sent == []
    helper.page.evaluate(LOOK_AGAIN)
    second = helper.await_live_qr(other_than=first)
    helper.reads("Code 2 of 5")

    quick.simulator.scan(SESSION, second)
    helper.reads(f"{SESSION} is connected")
    maker.reads("the session is connected")
    assert len(helper.troubles) == 2  # The answer that was lost, as the browser and the page tell of it.
    helper.close()


def test_whoever_has_only_the_phone_gets_a_code_to_type(
    browser: Browser, quick: Stack, maker: Visitor
) -> None:
    helper = Visitor(browser, quick, "phone", locale="pt-PT")
    posted: list[str] = []
    helper.page.on("request", lambda one: posted.append(path_of(one)))
    helper.page.goto(link_of(maker))

    helper.page.get_by_role("button", name="Obter um código de emparelhamento").click()
    number = helper.page.get_by_label("Número de telefone com indicativo do país")
    number.fill("912 345")
    number.press("Enter")
    expect(helper.page.get_by_role("alert")).to_contain_text("indicativo do país")
    helper.look("handoff/number-refused")
    number.fill("912 345 678")
    number.press("Enter")
    code = until(lambda: quick.simulator.pairing_code(SESSION), what="a pairing code")
    expect(helper.page.locator("#code")).to_have_text(f"{code[:4]}{code[4:]}")
    helper.reads("O código é para +351 912 345 678.")
    helper.reads("O código expira dentro de")
    helper.look("handoff/pairing-code")
    assert helper.sees_whole("#code")

    quick.simulator.enter_code(SESSION, code)
    helper.reads(f"{SESSION} está ligada")
    helper.reads("A interrupção durou")
    # Before the next test takes the phone away again.
    maker.reads("the session is connected")
    assert "/hand-off/code" not in posted
    assert helper.foreign_requests == []
    assert helper.troubles == []
    assert "912345678" not in everything_kept(quick).replace(" ", "")
    helper.close()


def lose_the_first_answer(route: Route) -> None:
    """Let the page's server answer, and the network lose it with its cookie."""
    route.fetch()
    route.request.frame.page.context.clear_cookies()
    route.abort("connectionreset")


def is_down(quick: Stack) -> bool:
    """Has the page seen that the gateway has given up?"""
    seen = quick.seen()
    return seen is not None and seen.verdict == Verdict.DISCONNECTED


def path_of(request: Request) -> str:
    """The path of a request to the page."""
    return "/" + request.url.split("/", 3)[3].partition("#")[0]


def everything_kept(quick: Stack) -> str:
    """Every file of the data folder and every log, as text."""
    files = [one for one in quick.directory.rglob("*") if one.is_file()]
    return "".join(one.read_bytes().decode(errors="replace") for one in files)


def test_click_in_a_busy_browser_is_sent_once_and_makes_one_link(quick: Stack, maker: Visitor) -> None:
    history = History(quick.data / "history")
    before = len(history.read(kinds=["handoff"]))
    offer = f"handoff-main-{SESSION}"
    expect(maker.page.locator(f".st-key-{offer} button")).to_be_visible()

    maker.page.evaluate(CLICK_WHILE_BUSY, offer)
    maker.reads("Not opened yet")
    # What the click has sent comes to the page before this one.
    maker.press(f"revoke-main-{SESSION}")
    maker.reads("Revoked: the link no longer works")

    assert maker.page.evaluate("window.clicks") == 1
    events = [entry.data["event"] for entry in history.read(kinds=["handoff"])]
    assert events[before:] == ["made", "revoked"]
