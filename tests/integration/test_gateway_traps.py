"""The traps of section 8 of the gateway's contract.

Each test bears the name of what it drives and states the verdict and, where a person sees it,
the page's words.
"""

from __future__ import annotations

import pytest

from core.gateways.wppconnect.contract.session_names import session_name_problem
from core.models import Reason, Verdict
from tests.support.live_core import SERVER, SESSION, LiveCore
from tests.support.waiting import until

pytestmark = pytest.mark.both_generations


def test_t2_a_smaller_uptime_means_a_restart(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)
    until(lambda: (live.core.monitor.snapshot().servers[0].uptime_seconds or 0) > 1, what="an uptime")

    live.simulator.restart_gateway()

    until(lambda: live.core.monitor.snapshot().servers[0].restarted_at, what="the restart being noticed")
    live.await_verdict(Verdict.CONNECTED)


def test_t3_names_that_break_the_gateway_are_refused_before_any_call() -> None:
    bad = ["a:b", "a/b", "", "length", "constructor", "x" * 72, "..", "with space", "ação"]

    assert [name for name in bad if session_name_problem(name) is None] == []


def test_t4_a_start_after_logout_waits_and_shows_a_countdown(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)
    live.core.operations.logout(SERVER, SESSION, actor="ops")
    live.await_outcome()

    live.core.operations.pair(SERVER, SESSION, actor="ops")

    waiting = live.await_step("waiting_after_logout")
    assert waiting.step_until is not None
    assert live.await_verdict(Verdict.WAITING_FOR_QR).qr is not None


def test_t5_a_start_just_after_a_confirmed_close_needs_no_wait(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)
    live.core.operations.close(SERVER, SESSION, actor="ops")
    assert live.await_outcome().code == "closed"
    assert live.session().lost_reason == Reason.CLOSED_BY_OPERATOR

    live.core.operations.start(SERVER, SESSION, actor="ops")

    assert live.await_outcome().code == "connected"


def test_t6_logout_unlinks_and_pauses(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)

    live.core.operations.logout(SERVER, SESSION, actor="ops")

    assert live.await_outcome().code == "logged_out"
    assert live.await_verdict(Verdict.PAUSED).enabled is False
    assert live.simulator.state(SESSION)["paired"] is False


def test_t6_logout_of_a_dead_page_says_to_remove_the_device_on_the_phone(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)
    live.simulator.crash(SESSION)
    live.await_verdict(Verdict.UNRESPONSIVE)

    live.core.operations.logout(SERVER, SESSION, actor="ops")

    assert live.await_outcome().code == "not_connected"
    assert live.session().enabled


def test_t7_a_session_that_waits_for_a_scan_is_not_restarted_by_itself(live: LiveCore) -> None:
    live.core.operations.pair(SERVER, SESSION, actor="ops")
    live.await_verdict(Verdict.WAITING_FOR_QR)

    assert live.await_outcome().code == "code_expired"

    assert live.counted("start-session") == 1
