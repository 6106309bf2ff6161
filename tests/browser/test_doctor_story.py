"""The doctor, at a desk and on a phone, by day and by night: what was asked, the cause, and the next step."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from core.gateways.wppconnect.contract.credentials import PUBLIC_DEFAULT_SECRET
from core.models import Verdict
from tests.plugins.leaks import inspect
from tests.support.stack import SECRET, SESSION, Stack
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser

BOX = ".st-key-doctor-box"
EXAMINE = f"doctor-main-{SESSION}"
ASK_WHATSAPP = f"doctor-whatsapp-main-{SESSION}"
KEEP_WHAT_IS_COPIED = """() => {
    navigator.clipboard.writeText = async text => { window.opsCopied = text; };
    const button = document.querySelector("[data-ops-copy]");
    window.opsSaid = [];
    new MutationObserver(() => window.opsSaid.push(button.textContent)).observe(button, { childList: true });
}"""
"""The button says for a moment only that it has copied."""
TOLD_OF_WELL = [
    "The gateway answers (0 ms)",
    "The version is recent enough (2.n)",
    "The secret key is accepted (0 ms)",
    "The public default secret is refused (0 ms)",
    "A token is accepted (0 ms)",
    "The gateway reports the session as connected (CONNECTED)",
    "WhatsApp in the gateway's browser answers (0 ms)",
]


@pytest.fixture(autouse=True)
def _gateway_is_mended_afterwards(quick: Stack) -> Iterator[None]:
    yield
    quick.simulator.clear_faults()
    quick.simulator.change_secret(SECRET)


def be_connected(quick: Stack) -> None:
    """Let the session be one that is well."""
    quick.simulator.pair(SESSION)
    until(lambda: (seen := quick.seen()) and seen.verdict == Verdict.CONNECTED, what="a connected session")


def told(visitor: Visitor) -> list[str]:
    """What the doctor was answered; how long each answer took, and the release, are taken out."""
    found = visitor.page.locator(f"{BOX} li").all_inner_texts()
    found = [re.sub(r"[\d.]+\N{NO-BREAK SPACE}m?s", "0 ms", one) for one in found]
    return [re.sub(r"2\.\d+\.\d+", "2.n", one) for one in found]


def test_a_session_that_seems_well_is_examined_by_one_tap_and_whatsapp_asked_by_another(
    phone: Visitor, quick: Stack
) -> None:
    # Whatever was found out before the session changed is not shown any more.
    quick.lose_the_phone()
    be_connected(quick)
    phone.open_session()
    phone.reads("Checks the gateway and the session step by step")
    quick.simulator.set_fault("server_error", endpoint="check-number-status")

    phone.press(EXAMINE)
    phone.reads("No problem found.")
    phone.look_closely("doctor/well")
    assert told(phone) == TOLD_OF_WELL
    phone.page.evaluate(KEEP_WHAT_IS_COPIED)
    phone.page.get_by_role("button", name="Copy report").click()
    phone.holds("window.opsSaid.includes('Copied')")
    report = phone.page.evaluate("window.opsCopied")
    inspect("the copied report", report)
    assert re.search(r"^ok +The secret key is accepted", report, re.MULTILINE)
    assert report.endswith("check the application that receives them.")

    phone.press(ASK_WHATSAPP)
    phone.reads("the page does not reach WhatsApp")
    phone.look_closely("doctor/whatsapp-not-reached")
    assert told(phone) == [*TOLD_OF_WELL, "WhatsApp itself does not answer through the gateway (0 ms)"]


def test_a_pairing_that_fails_is_examined_by_itself_and_a_gateway_that_ignores_its_key_named(
    phone: Visitor, quick: Stack
) -> None:
    quick.lose_the_phone()
    phone.open_session()

    phone.press(f"repair-main-{SESSION}")
    phone.await_live_qr()
    quick.simulator.change_secret(PUBLIC_DEFAULT_SECRET)
    phone.reads("start it with --secretKey YOUR_KEY on its command line")
    phone.look_closely("doctor/pairing-failed")
    assert told(phone)[2:] == [
        "The secret key is not accepted (0 ms)",
        "The public default secret is accepted: anyone who can reach this gateway can use it (0 ms)",
    ]

    # Whoever has mended it and asks again does not wait for the pause after the last refusal.
    quick.simulator.change_secret(SECRET)
    phone.press(EXAMINE)
    until(lambda: (seen := quick.seen()) and seen.verdict != Verdict.UNAUTHORIZED, what="access again")
