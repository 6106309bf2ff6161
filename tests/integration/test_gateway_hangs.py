"""Requests that never get an answer, and crashes: section 8 of the gateway's contract.

Each test bears the name of what it drives and states the verdict and, where a person sees it,
the page's words.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from core.messages.operation import OUTCOMES
from core.models import Reason, Verdict
from dashboard.words import LOOKS, REASONS
from simulator import Simulator
from tests.support.live_core import NUMBER, SERVER, SESSION, LiveCore, live_core
from tests.support.waiting import until

pytestmark = pytest.mark.both_generations


def test_h1_start_of_a_paired_profile_is_not_waited_for(gateway: Simulator, tmp_path: Path) -> None:
    gateway.link(SESSION)
    with live_core(gateway, tmp_path) as live:
        live.await_verdict(Verdict.DISCONNECTED)

        live.core.operations.start(SERVER, SESSION, actor="ops")

        assert live.await_outcome().code == "connected"


def test_h1_pairing_code_for_a_paired_profile_ends_as_connected(gateway: Simulator, tmp_path: Path) -> None:
    gateway.link(SESSION)
    with live_core(gateway, tmp_path) as live:
        live.await_verdict(Verdict.DISCONNECTED)

        live.core.operations.pair(SERVER, SESSION, actor="ops", phone=NUMBER, wipe_webhook=True)

        assert live.await_outcome().code == "connected"


def test_h2_pairing_code_when_the_browser_cannot_start_times_out(gateway: Simulator, tmp_path: Path) -> None:
    gateway.set_fault("launch_error", session=SESSION)
    with live_core(gateway, tmp_path, WPPCONNECT_TIMEOUT_START_WAITING_SECONDS="2") as live:
        live.core.operations.pair(SERVER, SESSION, actor="ops", phone=NUMBER, wipe_webhook=True)

        outcome = live.await_outcome()

    assert outcome.code == "timed_out"
    assert OUTCOMES["timed_out"] == "It took too long. Check the session's status and try again."


def test_h3_start_just_after_logout_waits_until_the_old_browser_has_gone(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)
    live.core.operations.logout(SERVER, SESSION, actor="ops")
    assert live.await_outcome().code == "logged_out"

    live.core.operations.pair(SERVER, SESSION, actor="ops")

    live.await_verdict(Verdict.WAITING_FOR_QR)
    assert live.counted("start-session") == 1


def test_h4_and_h5_no_body_and_no_content_type_on_a_get(live: LiveCore) -> None:
    live.await_verdict(Verdict.DISCONNECTED)

    assert live.core.monitor.snapshot().servers[0].up is True
    assert live.session().problem is None


def test_h6_frozen_page_is_not_responding_and_delays_nobody(gateway: Simulator, tmp_path: Path) -> None:
    for name in ("sales", "support"):
        gateway.pair(name)
    with live_core(
        gateway, tmp_path, sessions="sales,support", WPPCONNECT_TIMEOUT_CHECK_CONNECTION_SECONDS="4"
    ) as live:
        live.await_verdict(Verdict.CONNECTED)
        gateway.freeze("sales")

        frozen = live.await_verdict(Verdict.UNRESPONSIVE)

        assert frozen.reason == Reason.PAGE_NOT_ANSWERING
        assert REASONS[frozen.reason] == (
            "The gateway reports connected, but WhatsApp in its browser does not answer in time."
        )
        assert live.session("support").verdict == Verdict.CONNECTED


@pytest.mark.parametrize("fault", ["slow_headers", "slow_body", "hang"])
def test_hang_of_one_session_leaves_the_gateway_up(live: LiveCore, fault: str) -> None:
    with_short_budget = {"WPPCONNECT_TIMEOUT_STATUS_SECONDS": "1"}
    with live_core(
        live.simulator, live.core.data_directory / "second", program="wppconnect-second", **with_short_budget
    ) as impatient:
        impatient.simulator.set_fault(fault, endpoint="status-session")

        found = impatient.await_verdict(Verdict.UNKNOWN)

        until(lambda: impatient.session().reason == Reason.GATEWAY_TIMEOUT, what="the reason")
        assert found.enabled
        assert impatient.core.monitor.snapshot().servers[0].up is True


def test_gateway_down_makes_every_session_unreachable(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)

    live.simulator.stop_gateway()

    down = live.await_verdict(Verdict.UNREACHABLE)
    assert LOOKS[down.verdict].label == "Gateway unreachable"
    assert down.lost_at is not None
    live.simulator.start_gateway()
    back = live.await_verdict(Verdict.CONNECTED)
    assert back.outage_seconds is not None


def test_gateway_that_never_answers_is_noticed_after_two_tries(gateway: Simulator, tmp_path: Path) -> None:
    gateway.pair(SESSION)
    with live_core(gateway, tmp_path, WPPCONNECT_TIMEOUT_HEALTHZ_SECONDS="0.5") as live:
        live.await_verdict(Verdict.CONNECTED)

        gateway.set_fault("hang", endpoint="healthz")

        down = live.await_verdict(Verdict.UNREACHABLE)
        assert down.reason == Reason.GATEWAY_TIMEOUT
