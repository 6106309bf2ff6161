"""What the gateway says is not what is: sections 5 and 6 of its contract.

Each test bears the name of what it drives and states the verdict and, where a person sees it,
the page's words.
"""

from __future__ import annotations

import pytest

from core.messages.operation import OUTCOMES
from core.models import Reason, SessionState, Verdict
from dashboard.words import LOOKS, REASONS
from tests.support.live_core import NUMBER, SERVER, SESSION, LiveCore
from tests.support.waiting import until

pytestmark = pytest.mark.both_generations


def test_lie_dead_qr_code_after_auto_close_is_never_shown(live: LiveCore) -> None:
    live.core.operations.pair(SERVER, SESSION, actor="ops")
    live.await_verdict(Verdict.WAITING_FOR_QR)

    closed = live.await_verdict(Verdict.DISCONNECTED)

    assert closed.qr is None
    assert closed.reason == Reason.CODE_EXPIRED
    assert REASONS[closed.reason] == "A code was shown, and no phone was linked in time."
    assert live.await_outcome().code == "code_expired"


def test_lie_dead_qr_code_while_connected_is_never_shown(live: LiveCore) -> None:
    live.core.operations.pair(SERVER, SESSION, actor="ops")
    live.await_verdict(Verdict.WAITING_FOR_QR)

    live.simulator.scan(SESSION)

    connected = live.await_verdict(Verdict.CONNECTED)
    assert connected.qr is None


def test_lie_dead_qr_code_while_restarting_is_never_shown(live: LiveCore) -> None:
    live.core.operations.pair(SERVER, SESSION, actor="ops")
    first = live.await_verdict(Verdict.WAITING_FOR_QR).qr
    live.await_outcome()

    live.core.operations.pair(SERVER, SESSION, actor="ops")

    second = live.await_verdict(Verdict.WAITING_FOR_QR).qr
    assert first is not None
    assert second is not None
    assert second.payload == live.simulator.urlcode(SESSION)
    assert second.payload != first.payload


def test_lie_network_lost_still_says_connected_and_so_do_we(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)

    live.simulator.lose_network(SESSION)

    before = live.session().observed_at
    until(lambda: live.session().observed_at != before, what="another probe")
    assert live.session().verdict == Verdict.CONNECTED


def test_lie_crashed_page_says_connected_for_ever_and_is_not_responding(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)

    live.simulator.crash(SESSION)

    crashed = live.await_verdict(Verdict.UNRESPONSIVE)
    assert crashed.state == SessionState.CONNECTED
    assert LOOKS[crashed.verdict].label == "Not responding"
    assert REASONS[crashed.reason] == (
        "The gateway reports connected, but its browser has crashed or is offline."
    )


def test_lie_dead_browser_is_restarted_by_close_then_start(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)
    live.simulator.kill_browser(SESSION)
    live.await_verdict(Verdict.UNRESPONSIVE)

    live.core.operations.restart(SERVER, SESSION, actor="ops")

    assert live.await_outcome().code == "connected"
    assert live.session().verdict == Verdict.CONNECTED


def test_lie_unlinked_phone_says_connected_for_a_moment_then_closed(live: LiveCore) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)

    live.simulator.unlink(SESSION)

    lost = live.await_verdict(Verdict.DISCONNECTED)
    assert lost.lost_reason == Reason.CLOSED_ON_GATEWAY
    assert REASONS[lost.reason] == "Removed on the phone, or closed by someone else."


def test_lie_spurious_disconnect_on_a_first_pairing_is_not_restarted(live: LiveCore) -> None:
    live.simulator.set_fault("spurious_disconnect", session=SESSION)
    live.core.operations.pair(SERVER, SESSION, actor="ops")
    until(lambda: live.simulator.urlcode(SESSION), what="a code on the page")

    live.simulator.scan(SESSION)

    assert live.await_outcome().code == "connected"
    assert live.counted("start-session") == 1


@pytest.mark.parametrize("fault", ["no_status", "null_status", "status_word"])
def test_lie_unknown_or_missing_status_word_is_unknown_never_connected(live: LiveCore, fault: str) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)

    live.simulator.set_fault(fault, endpoint="status-session")

    assert live.await_verdict(Verdict.UNKNOWN).reason == Reason.UNREADABLE_ANSWER
    assert LOOKS[Verdict.UNKNOWN].label == "Unknown"


@pytest.mark.parametrize("fault", ["html", "server_error", "huge_body", "redirect"])
def test_lie_answer_that_cannot_be_read_is_unknown(live: LiveCore, fault: str) -> None:
    live.simulator.pair(SESSION)
    live.await_verdict(Verdict.CONNECTED)

    live.simulator.set_fault(fault, endpoint="status-session")

    assert live.await_verdict(Verdict.UNKNOWN).reason == Reason.UNREADABLE_ANSWER


def test_start_answer_describes_the_state_before(live: LiveCore) -> None:
    live.await_verdict(Verdict.DISCONNECTED)

    live.core.operations.start(SERVER, SESSION, actor="ops")

    assert live.await_outcome().code == "needs_pairing"
    assert live.session().verdict == Verdict.WAITING_FOR_QR


def test_close_while_waiting_for_a_scan_is_refused_because_the_browser_would_run_on(
    live: LiveCore,
) -> None:
    live.core.operations.start(SERVER, SESSION, actor="ops")
    live.await_outcome()

    live.core.operations.close(SERVER, SESSION, actor="ops")

    assert live.await_outcome().code == "close_refused"
    assert live.counted("close-session") == 0


def test_failed_launch_stays_initializing_and_is_called_starting(live: LiveCore) -> None:
    live.simulator.set_fault("launch_error", session=SESSION)

    live.core.operations.start(SERVER, SESSION, actor="ops")

    live.await_step("waiting_for_browser")
    assert live.await_verdict(Verdict.STARTING).state == SessionState.INITIALIZING
    assert LOOKS[Verdict.STARTING].label == "Starting"


def test_launch_that_times_out_is_tried_twice_and_then_reported(live: LiveCore) -> None:
    live.simulator.set_fault("launch_timeout", session=SESSION)

    live.core.operations.start(SERVER, SESSION, actor="ops")

    assert live.await_outcome().code == "start_failed"
    assert live.counted("start-session") == 2


def test_unknown_webhook_is_kept_by_an_empty_body(live: LiveCore) -> None:
    live.core.operations.start(SERVER, SESSION, actor="ops")
    live.await_outcome()

    live.core.operations.pair(SERVER, SESSION, actor="ops")
    live.await_step("waiting_for_scan")

    assert live.operation().outcome is None


def test_pairing_code_with_an_unknown_webhook_asks_first(live: LiveCore) -> None:
    live.core.operations.pair(SERVER, SESSION, actor="ops", phone=NUMBER)

    assert live.await_outcome().code == "needs_webhook_confirmation"
    assert live.counted("start-session") == 0


def test_pairing_code_is_told_once_and_connects(live: LiveCore) -> None:
    live.core.operations.pair(SERVER, SESSION, actor="ops", phone=NUMBER, wipe_webhook=True)
    shown = live.await_step("waiting_for_code_entry").pairing_code
    assert shown == live.simulator.pairing_code(SESSION)
    assert shown

    live.simulator.enter_code(SESSION, shown)

    assert live.await_outcome().code == "connected"
    assert live.operation().pairing_code is None


def test_pairing_code_after_an_expired_one_is_not_visible_and_the_qr_is_offered(live: LiveCore) -> None:
    live.core.operations.pair(SERVER, SESSION, actor="ops", phone=NUMBER, wipe_webhook=True)
    live.await_step("waiting_for_code_entry")
    assert live.await_outcome().code == "code_expired"

    live.core.operations.pair(SERVER, SESSION, actor="ops", phone=NUMBER, wipe_webhook=True)

    assert live.await_outcome().code == "code_not_visible"
    assert "Use the QR code." in OUTCOMES["code_not_visible"]


def test_qr_after_a_pairing_code_sends_the_complete_set(live: LiveCore) -> None:
    live.core.operations.pair(SERVER, SESSION, actor="ops", phone=NUMBER, wipe_webhook=True)
    live.await_step("waiting_for_code_entry")
    live.await_outcome()

    live.core.operations.pair(SERVER, SESSION, actor="ops")

    assert live.await_verdict(Verdict.WAITING_FOR_QR).qr is not None


def test_gateway_restart_in_the_middle_of_pairing_costs_only_time(live: LiveCore) -> None:
    live.core.operations.pair(SERVER, SESSION, actor="ops")
    live.await_step("waiting_for_scan")

    live.simulator.restart_gateway()
    until(
        lambda: (
            (live.session().qr is not None) and live.session().qr.payload == live.simulator.urlcode(SESSION)
        ),
        what="the new code",
    )
    live.simulator.scan(SESSION)

    assert live.await_outcome().code == "connected"
