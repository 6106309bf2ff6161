"""A phone that is asked for a passkey: from the alert to what helps."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from functools import partial

import pytest
from playwright.sync_api import Browser, StorageState

from core.messages.operation import OUTCOMES
from dashboard.i18n import translator
from dashboard.words import IF_A_PASSKEY_IS_ASKED
from tests.support.stack import SESSION, Stack
from tests.support.visitor import Visitor
from tests.support.waiting import until

pytestmark = pytest.mark.browser

ALERT = f"/session?server=main&session={SESSION}&pair=1"
STEP_SECONDS = 15.0
"""Shorter than the time after which a session that is not probed counts as unknown."""
CODE_OVERDUE_SECONDS = 75.0
LINK_OVER_SECONDS = 181.0
"""What WhatsApp takes for a link at most, counted from when the code is known to be used."""


def starts(product: Stack) -> int:
    """How often the gateway was told to start the session."""
    counts = product.simulator.requests()["counts"]
    return sum(row["count"] for row in counts if row["route"].endswith("start-session"))


def looked_at(product: Stack) -> datetime:
    """When the session was last probed, by the page's clock."""
    seen = product.seen(SESSION)
    assert seen is not None
    assert seen.observed_at is not None
    return seen.observed_at


def let_pass(product: Stack, seconds: float) -> None:
    """Move the clocks on in steps, after each of which the session is probed."""
    for _ in range(math.ceil(seconds / STEP_SECONDS)):
        next_look = looked_at(product) + timedelta(seconds=STEP_SECONDS)
        product.advance(STEP_SECONDS)
        until(partial(is_looked_at, product, next_look), what="a probe after the step")


def is_looked_at(product: Stack, since: datetime) -> bool:
    """Return whether the session was probed since a moment."""
    return looked_at(product) >= since


def test_what_helps_is_told_on_a_phone_and_no_second_code_is_asked_for(
    browser: Browser, quick: Stack, administrator: StorageState
) -> None:
    quick.lose_the_phone()
    quick.simulator.set_fault("passkey", session=SESSION)
    before = starts(quick)
    visitor = Visitor(browser, quick, "phone", locale="pt-PT", signed_in=administrator)
    translated = translator("pt_PT")
    visitor.open(ALERT)
    quick.simulator.scan(SESSION, visitor.await_live_qr())
    # A tab that is open while time passes is drawn anew after every step.
    visitor.leave()

    let_pass(quick, CODE_OVERDUE_SECONDS)
    visitor.open(ALERT)
    visitor.reads(translated(IF_A_PASSKEY_IS_ASKED))
    visitor.look("passkey/linking")
    visitor.leave()
    let_pass(quick, LINK_OVER_SECONDS)
    visitor.open(ALERT)
    visitor.reads(translated(OUTCOMES["link_not_completed"]))
    visitor.look("passkey/not-completed")

    assert starts(quick) - before == 1
    quick.simulator.clear_faults()
    visitor.close()
